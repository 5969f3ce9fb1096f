"""What samples of the stored runs said, that were trained again."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.book.markdown import table
from pipeline.book.study import Study


def write(study: Study) -> dict[str, str]:
    """Every certificate in a row, then what each of the tests of other bits found."""
    if not study.certificates:
        return {"generated/certificates.md": "No certificate is stored yet.\n"}
    header = ["certificate", "trained on", "settings", "runs", "same bits", "largest change of a loss", "median", "says",
              "verdicts that change"]
    text = table(header, [_row(name, found) for name, found in study.certificates.items()])
    return {"generated/certificates.md": "\n".join([text, *(
        line for name, found in study.certificates.items() for line in _notes(name, found))])}


def _row(name: str, found: Mapping) -> tuple:
    changed = found["verdicts_changed"]
    where = f"{found['processor']} ({found['instructions']})" if found["instructions"] else found["processor"]
    settings = ", ".join(f"`{key}={value}`" for key, value in found["settings"].items())
    return (name, where, settings or "–", found["runs"], f"{100 * found['identical'] / found['runs']:.3g} %",
            _percent(found["largest"]), _percent(found["median"]), found["says"],
            "–" if changed is None else "none" if not changed else "; ".join(changed))


def _percent(change: float) -> str:
    """A change of the logarithm of a loss, as a share of the loss."""
    return "0" if not change else f"{100 * change:.2g} %"


def _notes(name: str, found: Mapping):
    """How the sample was drawn, and what its tests found."""
    versions = ", ".join(f"{key} {value}" for key, value in sorted(found["versions"].items()))
    yield (f"**{name}**: {found['sampled_seeds']} of {found['stored_seeds']} seeds of networks, drawn with "
           f"`SEED={found['seed']}`, with Python {found['python']}, {versions}. Were one in a hundred falsified, such a "
           f"sample would have one of them with a chance of {100 * found['chance_of_one_in_a_hundred']:.0f} %.")
    for row in found["tests"]:
        yield (f"{row['family'].capitalize()}, {row['seeds']} seeds: p = {row['p_shift']:.2g} that the changes favour no "
               f"side, p = {row['p_excess']:.2g} that they are no larger than {row['references']} differences "
               "between equal networks from other starts.")
    yield from (f"Not what is stored: {line}." for line in found["differing"])
    yield ""
