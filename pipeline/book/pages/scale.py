"""How long each step takes as a study grows."""

from pipeline.book.markdown import table
from pipeline.book.study import Study
from pipeline.book.words.numbers import capital, number


def write(study: Study) -> dict[str, str]:
    """What `make scale` measured: a row a step, a column a size; that nothing is stored where it is so."""
    if study.scale.empty:
        return {"generated/scale.md": "No measurement of it is stored yet.\n"}
    sizes = list(study.scale.groupby(["experiments", "sets"], sort=False).groups)
    cells = {(row.step, row.experiments, row.sets): amount(row.value, row.unit) for row in study.scale.itertuples()}
    limits = {row.step: amount(row.limit, row.unit) for row in study.scale.itertuples() if row.limit == row.limit}
    text = table(["", *(f"{experiments} experiments, {sets} sets" for experiments, sets in sizes), "limit"], [
        (capital(step), *(cells.get((step, *size), "–") for size in sizes), limits.get(step, ""))
        for step in dict.fromkeys(study.scale["step"])])
    place = study.scale_place
    return {"generated/scale.md": f"{text}\nMeasured on {place['processor']}, {place['cores']} cores, with Python "
                                  f"{place['python']}. *Sets* are the data sets of each of two families; a limit holds up "
                                  "to 1,000 experiments.\n"}


def amount(value: float, unit: str) -> str:
    """A value with its unit, in two digits or all before the point: `3.2 s`, `140 s`, `1.4 MB`."""
    name, divided = {"seconds": ("s", 1), "bytes": ("MB", 1e6)}[unit]
    value /= divided
    return number(value, f".{2 if value < 1 else 1 if value < 10 else 0}f", f" {name}")
