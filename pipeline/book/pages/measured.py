"""What was measured of the project itself: runs trained again, runs disturbed, and how steps grow."""

from collections.abc import Mapping

from pipeline.book.escape import code, spaced
from pipeline.book.markdown import table
from pipeline.book.study import Study
from pipeline.findings.numbers import capital, count, number, share
from pipeline.tables.stored import records

#: What is asked of every disturbance, by the column that says it.
ASKED = {"clear": "told in a line", "whole": "only whole files", "went_on": "went on", "equal": "same bytes"}


def write(study: Study) -> dict[str, str]:
    """The pieces of three hand-written pages."""
    return {"generated/certificates.md": certificates(study) or "No certificate is stored yet.\n",
            "generated/interruptions.md": interruptions(study) or "No outcome is stored yet.\n",
            "generated/scale.md": scale(study) or "No measurement of it is stored yet.\n"}


def certificates(study: Study) -> str:
    """Every certificate in a row, then what each of the tests of other bits found."""
    header = ["certificate", "trained on", "settings", "same bits", "change of a loss: largest, median", "says",
              "readings that change"]
    text = table(header, [_row(name, found) for name, found in study.certificates.items()])
    return "\n".join([text, *(line for name, found in study.certificates.items() for line in _notes(name, found))])


def _row(name: str, found: Mapping) -> tuple:
    changed = found["verdicts_changed"]
    where = f"{found['processor']} ({found['instructions']})" if found["instructions"] else found["processor"]
    settings = ", ".join(code(f"{key}={value}") for key, value in found["settings"].items())
    return (name, where, settings or "–", f"{found['identical']} of {count(found['runs'], 'run')}",
            f"{_percent(found['largest'])}, {_percent(found['median'])}", found["says"],
            "–" if changed is None else "none" if not changed else "; ".join(changed))


def _percent(change: float) -> str:
    """A change of the logarithm of a loss, as a share of the loss."""
    return "0" if not change else share(change, ".2g")


def _notes(name: str, found: Mapping):
    """How the sample was drawn, and what its tests found."""
    yield (f"**{name}**: {found['sampled_seeds']} of {found['stored_seeds']} seeds of networks, drawn with "
           f"{_seed(found)}, with {_versions(found)}. Were one in a hundred falsified, such a "
           f"sample would have one of them with a chance of {share(found['chance_of_one_in_a_hundred'])}.")
    if found["tests"]:
        yield ("\nBy family: the chance of such changes, or of greater ones, if they favour no side, and if they are no "
               "larger than differences between equal networks from other starts.\n")
        yield table(["family", "seeds", "p, no side", "p, no larger", "differences beside"], [
            (spaced(row["family"]), row["seeds"], number(row["p_shift"], ".2g"), number(row["p_excess"], ".2g"),
             row["references"]) for row in found["tests"]])
    if found["differing"]:
        yield "\n".join([f"\n:::{{dropdown}} {count(len(found['differing']), 'run')} of {name}, and what of each is not what is stored",
                         *(f"- {line}" for line in found["differing"]), ":::"])
    yield ""


def interruptions(study: Study) -> str:
    """A row for every kind of disturbance; then where that was, and every disturbance that was not survived."""
    rows, about = study.disturbances, study.torture
    if rows.empty or not about:
        return ""
    by_kind = [(kind, len(some), *(int(some[name].sum()) for name in ASKED), _places(some["stage"]))
               for kind, some in rows.groupby("kind", sort=True)]
    total = ("**all**", len(rows), *(int(rows[name].sum()) for name in ASKED), "")
    lines = [table(["what was done", "times", *ASKED.values(), "while"], [*by_kind, total]), "", _place(about), ""]
    for row in records(rows[~rows[list(ASKED)].all(axis=1)]):
        failed = ", ".join(words for name, words in ASKED.items() if not row[name])
        lines += [f"Not so: {row['kind']} during {row['stage'] or 'the start'}: {failed}: {code(row['message'])}.", ""]
    return "\n".join(lines)


def _places(stages) -> str:
    """The stages that were under way."""
    return ", ".join(sorted({code(name) if name else "the start" for name in stages}))


def _seed(about: Mapping) -> str:
    return code(f"SEED={about['seed']}")


def _versions(about: Mapping) -> str:
    return ", ".join([f"Python {about['python']}", *(f"{key} {value}" for key, value in sorted(about["versions"].items()))])


def _place(about: Mapping) -> str:
    left_out = f" Left out, as this machine cannot: {', '.join(about['left_out'])}." if about["left_out"] else ""
    return (f"On {about['processor']}, {about['system']}, {_versions(about)}, drawn with {_seed(about)}; "
            f"{about['files']} files are compared.{left_out} The tiny project is without the stages "
            f"{' and '.join(map(code, about['without']))}, which write as `train` does.")


def scale(study: Study) -> str:
    """What `make scale` measured: a row a step, a column a size."""
    if study.scale.empty:
        return ""
    sizes = list(study.scale.groupby(["experiments", "sets"], sort=False).groups)
    cells = {(row.step, row.experiments, row.sets): amount(row.value, row.unit) for row in study.scale.itertuples()}
    limits = {row.step: amount(row.limit, row.unit) for row in study.scale.itertuples() if row.limit == row.limit}
    text = table(["", *(f"{experiments} experiments, {sets} sets" for experiments, sets in sizes), "limit"], [
        (capital(step), *(cells.get((step, *size), "–") for size in sizes), limits.get(step, ""))
        for step in dict.fromkeys(study.scale["step"])])
    place = study.scale_place
    return (f"{text}\nMeasured on {place['processor']}, {place['cores']} cores, with Python {place['python']}. *Sets* are the data "
            "sets of each of two families; a limit holds up to 1,000 experiments.\n")


def amount(value: float, unit: str) -> str:
    """A value with its unit, in two digits or all before the point: `3.2 s`, `140 s`, `1.4 MB`."""
    name, divided = {"seconds": ("s", 1), "bytes": ("MB", 1e6)}[unit]
    value /= divided
    return number(value, f".{2 if value < 1 else 1 if value < 10 else 0}f", f" {name}")
