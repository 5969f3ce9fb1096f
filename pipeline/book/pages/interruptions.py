"""What came of runs that were killed, starved and locked out."""

from pipeline.book.escape import code
from pipeline.book.markdown import table
from pipeline.book.rows import records
from pipeline.book.study import Study

#: What is asked of every disturbance, by the column that says it.
ASKED = {"clear": "told in a line", "whole": "only whole files", "went_on": "went on", "equal": "same bytes"}


def write(study: Study) -> dict[str, str]:
    """A row for every kind of disturbance; then where that was, and every disturbance that was not survived."""
    rows, about = study.disturbances, study.torture
    if rows.empty or not about:
        return {"generated/interruptions.md": "No outcome is stored yet.\n"}
    by_kind = [(kind, len(some), *(int(some[name].sum()) for name in ASKED), _places(some["stage"]))
               for kind, some in rows.groupby("kind", sort=True)]
    total = ("**all**", len(rows), *(int(rows[name].sum()) for name in ASKED), "")
    lines = [table(["what was done", "times", *ASKED.values(), "while"], [*by_kind, total]), "", _place(about), ""]
    for row in records(rows[~rows[list(ASKED)].all(axis=1)]):
        failed = ", ".join(words for name, words in ASKED.items() if not row[name])
        lines += [f"Not so: {row['kind']} during {row['stage'] or 'the start'}: {failed}: {code(row['message'])}.", ""]
    return {"generated/interruptions.md": "\n".join(lines)}


def _places(stages) -> str:
    """The stages that were under way."""
    return ", ".join(sorted({code(name) if name else "the start" for name in stages}))


def _place(about: dict) -> str:
    versions, seed = ", ".join(f"{name} {version}" for name, version in sorted(about["versions"].items())), about["seed"]
    left_out = f" Left out, as this machine cannot: {', '.join(about['left_out'])}." if about["left_out"] else ""
    return (f"On {about['processor']}, {about['system']}, Python {about['python']}, {versions}, drawn with {code(f'SEED={seed}')}; "
            f"{about['files']} files are compared.{left_out} The tiny project is without the stages "
            f"{' and '.join(map(code, about['without']))}, which write as `train` does.")
