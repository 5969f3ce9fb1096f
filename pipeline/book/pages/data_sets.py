"""All data sets at a glance."""

from collections.abc import Iterable
from functools import partial

import numpy as np

from pipeline.book.data_set import read, shape
from pipeline.book.escape import code
from pipeline.book.markdown import table
from pipeline.book.rows import records
from pipeline.book.study import Study
from pipeline.book.words.data_set import predicted, sample
from pipeline.book.words.numbers import capital, count, number

#: Whose error stands in the overview.
SIMPLE = {"control": "control", "persistence": "persistence", "linear": "linear model", "forest": "forest"}


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
    simple = {key: words for key, words in SIMPLE.items() if any(key in hard for hard in map(partial(_hardness, study), names))}
    parts = [f"## The family {family}\n", f"{capital(count(len(names), 'data set'))} of {count(units, 'unit')}.\n"]
    for stratum in dict.fromkeys(study.params.data[name].stratum for name in names):
        mine = [name for name in names if study.params.data[name].stratum == stratum]
        header = ["data set", "unit", "licence", "one sample", "predicted", "training samples", *simple.values()]
        parts += [f"### {capital(stratum)}\n" if stratum else "",
                  table(header, [_row(study, name, simple) for name in mine])]
    if simple:
        parts.append(f"{capital(', '.join(simple.values()))}: the test error over the trivial predictor's, which "
                     "always says the most frequent class, or the mean.\n")
    return parts


def _row(study: Study, name: str, simple: Iterable[str]) -> tuple:
    entry, about = study.params.data[name], study.described.get(name, {})
    found = shape(read(study.files[name])) if name in study.files else None
    hard = _hardness(study, name)
    title = capital(entry.title or about.get("title", "")) or name
    return (f"[{title}](/data_sets/{name}.md) {code(name)}", entry.unit, about["licence"]["name"] if about else "–",
            *((sample(found), predicted(found), f"{found.train:,}") if found else ("–",) * 3),
            *(hard.get(key, "–") for key in simple))


def _hardness(study: Study, name: str) -> dict[str, str]:
    """The error of the study's control, and of simple predictors, over the trivial one's."""
    found = {}
    mine = records(study.data_sets[study.data_sets["data"] == name])
    if mine:
        found["control"] = number(mine[0]["of_trivial"], ".2f")
    simple = study.tables.get("baselines")
    if simple is not None and len(simple := simple[simple["data"] == name]):
        means = simple[["trivial", "persistence", "linear", "forest"]].mean()
        found |= {key: number(means[key] / means["trivial"], ".2f") for key in SIMPLE if key in means.index
                  and np.isfinite(means[key])}
    return found
