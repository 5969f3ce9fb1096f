"""All experiments at a glance."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipeline.book.figures.heat_map import AVERAGE, heat_map, heat_map_alt
from pipeline.book.markdown import experiment_link, image
from pipeline.book.picture import Picture
from pipeline.book.study import Study
from pipeline.book.words.numbers import capital, count

#: No page has more experiments: when one changes, all that stand beside it are written again.
MOST = 100


def write(study: Study) -> dict[str, str | Picture]:
    """All experiments by group, and the picture of all comparisons with a `versus`."""
    rows = glance(study)
    picture = Picture("heat_map", rows, heat_map, heat_map_alt)
    lines = [f"- [{capital(title)}](/experiments/{page}.md): {count(len(names), 'experiment')}"
             for page, (title, names) in group_pages(study).items()]
    waiting = [experiment_link(study, name) for name in study.params.experiments if name in study.being_measured]
    text = "\n".join([
        "# All experiments\n",
        "An experiment is a list of layers; its order is the network's order. Each is shown with its "
        "exact lines of `params.yaml` and its result against what it is compared with, by the data "
        "that it runs on. The lab records stand below each group in the contents:\n", *lines, "",
        f"Being measured, and without a result yet: {', '.join(waiting)}.\n" if waiting else "",
        *(["## Everything at a glance\n",
           "Each row is a network with one change, under the network that it is compared with. "
           "Blue: the change lowered the test error. Orange: it raised it.\n", image(study, picture)]
          if len(rows) else [])])
    return {"experiments.md": text} | ({"figures/heat_map": picture} if len(rows) else {})


def glance(study: Study) -> pd.DataFrame:
    """The effects of all experiments on the test error, by data set, and behind them their averages."""
    effects = study.effects
    effects = effects[(effects["claim"] == "") & (effects["metric"] == "error") & (effects["scale"] == "log ratio")
                      & np.isfinite(effects["y"].astype(float))]
    averages = study.averages
    # Where strata differ there is no average of all.
    averages = averages[(averages["claim"] == "") & (averages["metric"] == "error") & (averages["family"] != "")
                        & (averages["group"] == "")]
    found = np.select([averages["low"].astype(float) > 0, averages["high"].astype(float) < 0], ["better", "worse"], "")
    columns = ["treatment", "control", "family", "data", "scale", "y", "low", "high", "found"]
    behind = averages.assign(data=AVERAGE, y=averages["mean"], found=found, scale="log ratio")
    parts = [part[columns] for part in (effects, behind) if len(part)]
    return pd.concat(parts, ignore_index=True) if parts else effects[columns]


def groups(study: Study) -> dict[str, list[str]]:
    """The names of experiments by the group of the first data set that each runs on."""
    found: dict[str, list[str]] = {}
    for name in study.params.experiments:
        first = study.params.data_sets(name)[0]
        found.setdefault(study.params.data[first].group, []).append(name)
    return found


def group_pages(study: Study) -> dict[str, tuple[str, list[str]]]:
    """Page below `experiments/` → its title, and the names of its experiments: a group, or of a large one a part."""
    found = {}
    for group, names in groups(study).items():
        title = group.replace("_", " ")
        for start in range(0, len(names), MOST):
            some = names[start:start + MOST]
            page, of = (group, "") if len(some) == len(names) else (
                f"{group}-{start // MOST + 1}", f", {start + 1} to {start + len(some)} of {len(names)}")
            found[page] = title + of, some
    return found
