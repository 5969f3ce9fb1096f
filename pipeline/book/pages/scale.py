"""How long each step takes as a study grows."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.book.figures.scale import ALONG, amount, line, scale_alt, scale_curves
from pipeline.book.markdown import image, table
from pipeline.book.picture import Picture
from pipeline.book.rows import records
from pipeline.book.study import Scale, Study
from pipeline.book.words.numbers import capital


def write(study: Study) -> dict[str, str | Picture]:
    """What `make scale` measured, as curves, and how it grows; that nothing is stored where it is so."""
    found = study.scale
    if found is None:
        return {"generated/scale.md": "No measurement of it is stored yet.\n"}
    picture = Picture("scale", found.measured, scale_curves, scale_alt)
    text = "\n".join([where(found), *bounds(found), "", image(study, picture), *values(found),
                      table(["", "grows with", "from", "to", "as the power", "of that, at last"], list(powers(found)))])
    return {"generated/scale.md": text, f"figures/{picture.name}": picture}


def where(found: Scale) -> str:
    """On which machine, and which steps grow faster than in proportion."""
    place = found.place
    text = f"Measured on {place['processor']}, {place['cores']} cores, with Python {place['python']}."
    faster = [f"{row['step']} with the number of {ALONG[row['along']]}" for row in records(found.growth)
              if row["faster"]]
    return f"{text} " + ("Nothing grows faster than in proportion to the study." if not faster else
                         f"**Faster than in proportion** grows {', '.join(faster)}.") + "\n"


def bounds(found: Scale) -> Iterator[str]:
    """The steps that have a limit, at the largest size that has it."""
    rows = found.measured[found.measured["limit"].notna()]
    for step, mine in rows.groupby("step", sort=False):
        last = mine.sort_values(["experiments", "value"]).iloc[-1]
        held = "" if last["value"] <= last["limit"] else ", **which is too much**"
        yield (f"- {capital(step)} takes {amount(last['value'], last['unit'])} with {last['experiments']} experiments "
               f"(the limit is {amount(last['limit'], last['unit'])}){held}.")


def values(found: Scale) -> Iterator[str]:
    """Two tables: every step at every size along each."""
    for along, called in ALONG.items():
        rows = line(found.measured, along)
        sizes = sorted(set(rows[along]))
        if len(sizes) < 2:
            continue
        cells = {(row["step"], row[along]): amount(row["value"], row["unit"]) for row in records(rows)}
        yield table(["", *(f"{size} {called}" for size in sizes)], [
            (capital(step), *(cells.get((step, size), "–") for size in sizes)) for step in dict.fromkeys(rows["step"])])


def powers(found: Scale) -> Iterator[tuple[str, ...]]:
    """A row a step and a size: between which sizes, and as which power, all told and between the last two."""
    for row in records(found.growth):
        yield (capital(row["step"]), f"the {ALONG[row['along']]}", row["smallest"], row["largest"],
               # Without the sign of a zero.
               *(f"{round(row[name], 2) + 0.0:.2f}" for name in ("power", "last")))
