"""The page of a real data set: what it is, what it looks like, how hard it is, where it comes from; and all at a glance."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from pipeline.book.data_set import Shape, class_names, read, rows, shape
from pipeline.book.escape import code, raw
from pipeline.book.figures.data_set import data_set, data_set_alt
from pipeline.book.markdown import experiment_link, image, render, table
from pipeline.book.picture import Picture
from pipeline.book.ranked import SIMPLE
from pipeline.book.study import Study
from pipeline.findings.numbers import capital, count, number, span
from pipeline.tables.stored import records

#: The columns of the table of baselines, in words.
BASELINES = {"trivial": "the trivial predictor", **SIMPLE}
#: How it was established under which licence a data set stands.
HOW = {"seen": "the owner's own words were read",
       "quoted": "others quote the owner; the owner's own words were not read",
       "law": "by law there is no copyright"}
#: An address in an `inert` text; a backslash belongs to what follows it.
URL = re.compile(r"https?://(?:\\[^\s<>]|[^\s,;)<>\\])*(?:\\[^\s<>]|[^\s,;).:'<>\\])")
#: More names of channels than these would be no sentence.
NAMES = 12


def write(study: Study) -> dict[str, str | Picture]:
    """Every real data set's page and its picture, and all at a glance."""
    files: dict[str, str | Picture] = {}
    for name in study.real:
        arrays = read(study.files[name]) if name in study.files else None
        drawn = picture(study, name, arrays) if arrays else None
        files[f"data_sets/{name}.md"] = page(study, name, arrays, drawn)
        if drawn:
            files[f"figures/{drawn.name}"] = drawn
    return files | overview(study)


def picture(study: Study, name: str, arrays: Mapping[str, np.ndarray]) -> Picture:
    """Some samples of a data set, and how its targets are spread."""
    return Picture(f"data-{name}", rows(arrays), data_set, data_set_alt)


def page(study: Study, name: str, arrays: Mapping[str, np.ndarray] | None, drawn: Picture | None) -> str:
    """All that is known of a data set."""
    entry, about, made = study.params.data[name], study.described.get(name, {}), {"asked": "", "parts": "", "classes": ""}
    if arrays:
        found, names = shape(arrays), [str(one) for one in arrays.get("about_inputs", ())]
        made = {"asked": task(entry, found, names if 1 < len(names) <= NAMES else ()), "parts": sizes(found),
                "classes": ", ".join(class_names(arrays)) if found.classes else ""}
    done = [about.get("done", "").strip(), used(arrays) if arrays else ""]
    return render(
        "data_set", name=name, title=capital(entry.title or about.get("title") or name), entry=entry, about=about, **made,
        drawn=image(study, drawn) if drawn else "", hard=hardness(study, name), done="\n\n".join(filter(None, done)), how=HOW,
        code=code, linked=linked)


def predictors(study: Study, name: str) -> dict[str, float]:
    """Simple predictor → its mean test error on a data set, of those that are measured there."""
    return study.baselines.loc[study.baselines["data"] == name, list(BASELINES)].astype(float).mean().dropna().to_dict()


def hardness(study: Study, name: str) -> str:
    """The error of the study's control beside simple predictors, and over the trivial one's."""
    mine = records(study.data_sets[study.data_sets["data"] == name])
    simple = predictors(study, name) or ({"trivial": mine[0]["trivial_error"]} if mine else {})
    found = [(BASELINES[key], error, error / simple["trivial"]) for key, error in simple.items()] + [
        (f"the study's control, {experiment_link(study, row['control'])}{', competent' * bool(row['competent'])}", row["error"],
         row["of_trivial"]) for row in mine]
    dull = mine and not any(row["reacts"] for row in mine)
    return "## How hard it is\n\n" * bool(found) + table(["predictor", "test error", "over the trivial predictor's"], [
        (words, number(error, ".3g"), number(ratio, ".2f")) for words, error, ratio in found]) + (
            "\nHalf the data makes no difference here: this set reacts to little.\n" if dull else "")


def linked(text: str) -> str:
    """A text with its addresses as links."""
    return URL.sub(lambda found: f"<{raw(found[0])}>", text)


def sample(shape: Shape) -> str:
    """One sample: "24 steps × 7 channels", "28 × 28 pixels"."""
    channels = f"{shape.channels} channel{'s' * (shape.channels != 1)}"
    if shape.kind == "table":
        return count(shape.channels, "column")
    if shape.kind == "images":
        pixels = f"{shape.steps[0]} × {shape.steps[1]} pixels"
        return pixels if shape.channels == 1 else f"{pixels} × {channels}"
    return f"{span(shape.steps)} steps × {channels}"


def predicted(shape: Shape) -> str:
    """What is predicted."""
    return f"{shape.classes} classes" if shape.classes else "a number"


def sizes(shape: Shape) -> str:
    """The parts of a split: "960 / 480 / 960"."""
    return " / ".join(f"{number:,}" for number in (shape.train, shape.validation, shape.test))


def task(entry: Any, shape: Shape, names: Sequence[str]) -> str:
    """What is asked of a network, in a sentence or two."""
    if shape.kind == "series":
        horizon, step = getattr(entry, "horizon", 0), shape.steps[0]
        target = " and ".join(map(code, entry.targets))
        what = f"the class of {target}" if shape.classes else target
        text = f"Predict {what} {count(horizon, 'step')} after a window of {step} steps"
    elif shape.kind == "table":
        text = f"Predict {'one of ' + predicted(shape) if shape.classes else 'a number'} from a row"
    else:
        whole = "an image" if shape.kind == "images" else "a recording"
        text = f"Tell {'which of ' + predicted(shape) if shape.classes else 'the number that'} {whole} has"
    return f"{text}: {sample(shape)}" + (f" ({', '.join(map(code, names))})." if names else ".")


def used(arrays: Mapping[str, np.ndarray]) -> str:
    """How much of its file a data set uses: what was dropped, and what was drawn."""
    found = {name.removeprefix("about_"): arrays[name] for name in arrays if name.startswith("about_")}
    things = "recordings" if "recordings" in found else "rows"
    if things not in found:
        return ""
    name = "images" if np.ndim(arrays.get("x", 0)) == 4 else things
    text = f"The file has {int(found[things]):,} {name}; " + {
        "all": "all are used", "drawn": "a fixed random part of them is used",
        "latest": "the latest of them are used", "whole groups": "whole groups of them are used"}[
            str(found["used"])]
    parts = [f"{int(found[name]):,} {words}" for name, words in (
        ("missing", "with a missing value were left out"), ("duplicates", "duplicates were left out"),
        ("averaged", "longer ones were averaged")) if int(found.get(name, 0))]
    if "windows" in found:
        dropped, whole = int(found["windows_dropped"]), int(found["windows"])
        parts.append(f"of {whole:,} windows, " + (f"the {dropped:,} that touch a missing value are left out"
                                                  if dropped else "none touches a missing value"))
    return "; ".join([text, *parts]) + "."


#: Whose error stands in the overview.
SHORT = {"control": "control", "persistence": "persistence", "seasonal": "season before", "linear": "linear model",
         "forest": "forest", "boosted": "boosting"}


def overview(study: Study) -> dict[str, str]:
    """The families with their sets, then the sets that stand for themselves."""
    parts = [part for family, strata in study.families.items() for part in _family(study, family, strata)]
    if others := [name for name in study.params.data if name not in study.real]:
        entries = [(name, study.params.data[name]) for name in others]
        parts += ["## Sets that stand for themselves\n", table(["data set", "what it is", "group", "seeds"], [
            (name, capital(one.title or one.origin), one.group.replace("_", " "), one.seeds) for name, one in entries])]
    return {"generated/data_sets.md": "\n".join(parts)}


def _family(study: Study, family: str, strata: Mapping[str, Sequence[str]]) -> list[str]:
    """The table of a family: by stratum, each set with what it is and how hard it is."""
    names = [name for some in strata.values() for name in some]
    units, known = {study.params.data[name].unit for name in names}, {key for name in names for key in _hardness(study, name)}
    simple = {key: words for key, words in SHORT.items() if key in known}
    parts = [f"## The family {family}\n", f"{capital(count(len(names), 'data set'))} of {count(len(units), 'unit')}.\n"]
    for stratum, mine in strata.items():
        header = ["data set", "unit", "licence", "one sample", "predicted", "training samples", *simple.values()]
        parts += [f"### {capital(stratum)}\n" if stratum else "",
                  table(header, [_overview_row(study, name, simple) for name in mine])]
    return parts + [f"{capital(', '.join(simple.values()))}: the test error over the trivial predictor's, which always says the "
                    "most frequent class, or the mean.\n"] * bool(simple)


def _overview_row(study: Study, name: str, simple: Iterable[str]) -> tuple:
    entry, about = study.params.data[name], study.described.get(name, {})
    found = shape(read(study.files[name])) if name in study.files else None
    hard = _hardness(study, name)
    title = capital(entry.title or about.get("title", "")) or name
    return (f"[{title}](/data_sets/{name}.md) {code(name)}", entry.unit, about["licence"]["name"] if about else "–",
            *((sample(found), predicted(found), f"{found.train:,}") if found else ("–",) * 3),
            *(hard.get(key, "–") for key in simple))


def _hardness(study: Study, name: str) -> dict[str, str]:
    """The error of the study's control, and of simple predictors, over the trivial one's."""
    mine, simple = study.data_sets.loc[study.data_sets["data"] == name, "of_trivial"].tolist(), predictors(study, name)
    found = dict(control=mine[0]) if mine else {}
    found |= {key: error / simple["trivial"] for key, error in simple.items() if key in SHORT}
    return {key: number(ratio, ".2f") for key, ratio in found.items()}
