"""A data set in words: its shape, its task, its licence, how much of its file is used."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pipeline.book.data_set import Shape
from pipeline.book.escape import code, raw
from pipeline.book.words.numbers import count, span

#: How it was established under which licence a data set stands.
HOW = {"seen": "the owner's own words were read",
       "quoted": "others quote the owner; the owner's own words were not read",
       "law": "by law there is no copyright"}
#: An address in an `inert` text; a backslash belongs to what follows it.
URL = re.compile(r"https?://(?:\\[^\s<>]|[^\s,;)<>\\])*(?:\\[^\s<>]|[^\s,;).:'<>\\])")


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
