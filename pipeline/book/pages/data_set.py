"""The page of a real data set: what it is, what it looks like, how hard it is, where it comes from."""

from collections.abc import Mapping

import numpy as np

from pipeline.book.data_set import class_names, read, rows, shape
from pipeline.book.escape import code
from pipeline.book.figures.data_set import data_set, data_set_alt
from pipeline.book.markdown import experiment_link, image, table
from pipeline.book.picture import Picture
from pipeline.book.rows import records
from pipeline.book.study import Study
from pipeline.book.words.data_set import HOW, linked, sizes, task, used
from pipeline.book.words.numbers import capital, number

#: The columns of the table of baselines, in words.
BASELINES = {"trivial": "the trivial predictor", "persistence": "persistence: the last known value",
             "linear": "a linear model", "forest": "a random forest"}
#: More names of channels than these would be no sentence.
NAMES = 12


def write(study: Study) -> dict[str, str | Picture]:
    """Every real data set's page and its picture."""
    files: dict[str, str | Picture] = {}
    for name in study.real:
        arrays = read(study.files[name]) if name in study.files else None
        drawn = picture(study, name, arrays) if arrays else None
        files[f"data_sets/{name}.md"] = page(study, name, arrays, drawn)
        if drawn:
            files[f"figures/{drawn.name}"] = drawn
    return files


def picture(study: Study, name: str, arrays: Mapping[str, np.ndarray]) -> Picture:
    """Some samples of a data set, and how its targets are spread."""
    return Picture(f"data-{name}", rows(arrays), data_set, data_set_alt)


def page(study: Study, name: str, arrays: Mapping[str, np.ndarray] | None, drawn: Picture | None) -> str:
    """All that is known of a data set."""
    entry, about = study.params.data[name], study.described.get(name, {})
    place = f"family *{entry.family}*" + (f", {entry.stratum}" if entry.stratum else "")
    parts = [f"(data-{name})=\n# {capital(entry.title or about.get('title') or name)}\n",
             f"{code(name)}, of the {place}; unit: {entry.unit}.\n"]
    if arrays:
        found = shape(arrays)
        names = [str(one) for one in arrays.get("about_inputs", ())]
        parts += [task(entry, found, names if 1 < len(names) <= NAMES else ()) + f" A split has {sizes(found)} "
                  "samples to train, to validate and to test on.\n",
                  f"Classes: {', '.join(class_names(arrays))}.\n" if found.classes else "", image(study, drawn)]
    parts += [hardness(study, name), _origin(about), _done(arrays, about), _cautions(about),
              "[All data sets](/data_sets.md) · [How their effects are averaged](/method.md)\n"]
    return "\n".join(part for part in parts if part)


def hardness(study: Study, name: str) -> str:
    """The error of the study's control beside simple predictors, and over the trivial one's."""
    simple = study.tables.get("baselines")
    mine = records(study.data_sets[study.data_sets["data"] == name])
    found = []
    if simple is not None and len(simple := simple[simple["data"] == name]):
        means = simple[list(BASELINES)].mean()
        found = [(words, means[key], means[key] / means["trivial"]) for key, words in BASELINES.items()
                 if np.isfinite(means[key])]
    elif mine:
        found = [(BASELINES["trivial"], mine[0]["trivial_error"], 1.0)]
    found += [(f"the study's control, {experiment_link(study, row['control'])}", row["error"], row["of_trivial"]) for row in mine]
    if not found:
        return ""
    dull = ("\nHalf the data makes no difference here: this set reacts to little.\n"
            if mine and not any(row["reacts"] for row in mine) else "")
    return ("## How hard it is\n\n" + table(["predictor", "test error", "over the trivial predictor's"], [
        (words, number(error, ".3g"), number(ratio, ".2f")) for words, error, ratio in found]) + dull)


def _origin(about: Mapping) -> str:
    if not about:
        return ""
    licence = about["licence"]
    lines = [f"- **Made by** {linked(about['origin'])}", f"- **Taken from** the Python package {about['package']}"
             + (f", its file {code(about['member'])}" if "member" in about else ""),
             f"- **Licence**: {licence['name']}; {HOW[licence['how']]} ({linked(licence['source'])})",
             f"- **To cite**: {linked(about['citation'])}"]
    return "## Where it comes from\n\n" + "\n".join(lines) + "\n"


def _done(arrays: Mapping[str, np.ndarray] | None, about: Mapping) -> str:
    parts = [about.get("done", ""), used(arrays) if arrays else ""]
    text = "\n\n".join(part.strip() for part in parts if part)
    return f"## What was done to it\n\n{text}\n" if text else ""


def _cautions(about: Mapping) -> str:
    lines = [f"- {linked(one)}" for one in about.get("cautions", ())]
    return "## To bear in mind\n\n" + "\n".join(lines) + "\n" if lines else ""
