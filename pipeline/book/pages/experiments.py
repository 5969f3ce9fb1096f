"""All experiments, a page a group."""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.book.figures.heat_map import heat_map_alt
from pipeline.book.markdown import claim_link, experiment_link, image, record_link
from pipeline.book.pages.claims import cell_table, guards
from pipeline.book.study import Study
from pipeline.book.words import capital, chain, changed, count, short


def heat_map(study: Study) -> str:
    """The picture of all comparisons with a `versus`."""
    shown = study.studied
    return image(study, "heat_map", heat_map_alt(shown), shown) if len(shown) else ""


def experiment_groups(study: Study) -> dict[str, list[str]]:
    """The names of experiments by the group of the first data set that each runs on."""
    groups: dict[str, list[str]] = {}
    for name in study.params.experiments:
        first = study.params.data_sets(name)[0]
        groups.setdefault(study.params.data[first].group, []).append(name)
    return groups


def experiments(study: Study) -> str:
    """All experiments at a glance, and where each stands."""
    lines = [f"- [{capital(group.replace('_', ' '))}](/experiments/{group}.md): "
             f"{count(len(names), 'experiment')}" for group, names in experiment_groups(study).items()]
    return "\n".join([
        "# All experiments\n",
        "An experiment is a list of layers; its order is the network's order. Each is shown with its "
        "exact lines of `params.yaml` and its result against what it is compared with, by the data "
        "that it runs on:\n", *lines, "",
        "## Everything at a glance\n",
        "Each row is a network with one change, under the network that it is compared with. "
        "Blue: the change lowered the test error. Orange: it raised it.\n", heat_map(study)])


def experiment_group(study: Study, group: str, names: Iterable[str]) -> str:
    """The page of the experiments whose first data set is of a group."""
    title = f"# Experiments on {group.replace('_', ' ')}\n"
    return "\n".join([title, *(_experiment(study, name) for name in names)])


def _experiment(study: Study, name: str) -> str:
    experiment = study.params.experiments[name]
    cells = study.experiment_cells(name)
    parts = [f"(experiment-{name})=\n## {experiment.title or name}\n"]
    if experiment.note:
        parts.append(f"{experiment.note}\n")
    text = f"Network: {chain(experiment)}. Data sets: {', '.join(study.params.data_sets(name))}."
    if experiment.versus:
        text += (f" Compared with {experiment_link(study, experiment.versus)}: "
                 f"{changed(study.params, name, experiment.versus)}.")
    parts += [text + "\n", f"```yaml\n{study.lines.get(name, name)}\n```\n"]
    if len(cells):
        parts += [cell_table(study, cells), guards(cells)]
    elif experiment.versus:
        parts.append("No result is stored yet.\n")
    used = [claim_link(c, short(c.slug)) for c in study.claims if name in c.experiments]
    if used:
        parts.append("Claims: " + "; ".join(used) + ".\n")
    if name in study.records:
        parts.append(record_link(study, name, "Lab record: curves, scores and rates") + "\n")
    return "\n".join(part for part in parts if part)
