"""All data sets at a glance."""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.book.data_set import Shape, read, shape
from pipeline.book.markdown import data_link, table
from pipeline.book.study import Study
from pipeline.book.words.data_set import predicted, sample
from pipeline.book.words.numbers import capital, count


def write(study: Study) -> dict[str, str]:
    """The families with their sets, then the sets that stand for themselves."""
    families: dict[str, list[str]] = {}
    for name in study.real:
        families.setdefault(study.params.data[name].family, []).append(name)
    parts = [part for family, names in families.items() for part in _family(study, family, names)]
    if others := [name for name in study.params.data if name not in study.real]:
        parts += ["## Sets that stand for themselves\n", table(
            ["data set", "what it is", "group", "seeds"],
            [(name, capital(study.params.data[name].title or study.params.data[name].origin),
              study.params.data[name].group.replace("_", " "), study.params.data[name].seeds) for name in others])]
    return {"generated/data_sets.md": "\n".join(parts)}


def _family(study: Study, family: str, names: Iterable[str]) -> list[str]:
    """The table of a family: by stratum, each set with what it is and how hard it is."""
    names = list(names)
    units = len({study.params.data[name].unit for name in names})
    known = {row["data"]: row for row in study.data_sets.to_dict("records")}
    strata = list(dict.fromkeys(study.params.data[name].stratum for name in names))
    header = ["data set", "what it is", "unit", "licence", "one sample", "it predicts", "training samples",
              "control's error", "over the trivial predictor's"]
    parts = [f"## The family {family}\n", f"{capital(count(len(names), 'data set'))} of {count(units, 'unit')}.\n"]
    for stratum in strata:
        mine = [name for name in names if study.params.data[name].stratum == stratum]
        parts += [f"### {capital(stratum)}\n" if stratum else "", table(header, [
            _row(study, name, known.get(name)) for name in mine])]
    return parts


def _row(study: Study, name: str, row: dict | None) -> tuple:
    entry, about = study.params.data[name], study.described.get(name, {})
    found: Shape | None = shape(read(study.files[name])) if name in study.files else None
    error, over = "–", "–"
    if row:
        error, over = f"{row['control_error']:.3g}", f"{row['of_trivial']:.2f}" + (" (marked)" if row["marked"] else "")
    return (data_link(study, name), capital(entry.title or about.get("title", "")), entry.unit,
            about["licence"]["name"] if about else "–", sample(found) if found else "–",
            predicted(found) if found else "–", f"{found.train:,}" if found else "–", error, over)
