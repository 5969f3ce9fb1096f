"""All experiments at a glance."""

from __future__ import annotations

from pipeline.book.figures.heat_map import heat_map, heat_map_alt
from pipeline.book.markdown import image
from pipeline.book.picture import Picture
from pipeline.book.study import Study
from pipeline.book.words.numbers import capital, count


def write(study: Study) -> dict[str, str | Picture]:
    """All experiments by group, and the picture of all comparisons with a `versus`."""
    picture = Picture("heat_map", study.comparisons, heat_map, heat_map_alt)
    drawn = bool(len(picture.rows))
    lines = [f"- [{capital(group.replace('_', ' '))}](/experiments/{group}.md): "
             f"{count(len(names), 'experiment')}" for group, names in groups(study).items()]
    text = "\n".join([
        "# All experiments\n",
        "An experiment is a list of layers; its order is the network's order. Each is shown with its "
        "exact lines of `params.yaml` and its result against what it is compared with, by the data "
        "that it runs on:\n", *lines, "",
        "## Everything at a glance\n",
        "Each row is a network with one change, under the network that it is compared with. "
        "Blue: the change lowered the test error. Orange: it raised it.\n",
        image(study, picture) if drawn else ""])
    return {"experiments.md": text} | ({"figures/heat_map": picture} if drawn else {})


def groups(study: Study) -> dict[str, list[str]]:
    """The names of experiments by the group of the first data set that each runs on."""
    found: dict[str, list[str]] = {}
    for name in study.params.experiments:
        first = study.params.data_sets(name)[0]
        found.setdefault(study.params.data[first].group, []).append(name)
    return found
