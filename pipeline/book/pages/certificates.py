"""What samples of the stored runs said, that were trained again."""

from collections.abc import Mapping

from pipeline.book.escape import code, spaced
from pipeline.book.markdown import table
from pipeline.book.study import Study
from pipeline.book.words.numbers import count, number, share


def write(study: Study) -> dict[str, str]:
    """Every certificate in a row, then what each of the tests of other bits found."""
    if not study.certificates:
        return {"generated/certificates.md": "No certificate is stored yet.\n"}
    header = ["certificate", "trained on", "settings", "same bits", "change of a loss: largest, median", "says",
              "readings that change"]
    text = table(header, [_row(name, found) for name, found in study.certificates.items()])
    return {"generated/certificates.md": "\n".join([text, *(
        line for name, found in study.certificates.items() for line in _notes(name, found))])}


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
    versions, seed = ", ".join(f"{key} {value}" for key, value in sorted(found["versions"].items())), found["seed"]
    yield (f"**{name}**: {found['sampled_seeds']} of {found['stored_seeds']} seeds of networks, drawn with "
           f"{code(f'SEED={seed}')}, with Python {found['python']}, {versions}. Were one in a hundred falsified, such a "
           f"sample would have one of them with a chance of {share(found['chance_of_one_in_a_hundred'])}.")
    if found["tests"]:
        yield ("\nBy family: the chance of such changes, or of greater ones, if they favour no side, and if they are no "
               "larger than differences between equal networks from other starts.\n")
        yield table(["family", "seeds", "p, no side", "p, no larger", "differences beside"], [
            (spaced(row["family"]), row["seeds"], number(row["p_shift"], ".2g"), number(row["p_excess"], ".2g"),
             row["references"]) for row in found["tests"]])
    if found["differing"]:
        listed = "\n".join(f"- {line}" for line in found["differing"])
        yield f"\n:::{{dropdown}} {count(len(found['differing']), 'run')} of {name}, and what of each is not what is stored\n{listed}\n:::"
    yield ""
