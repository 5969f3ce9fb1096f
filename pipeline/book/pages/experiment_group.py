"""The page of the experiments whose first data set is of a group."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.book.blocks import cell_table, guards, place_picture
from pipeline.book.markdown import claim_link, experiment_link, fenced, image, record_link
from pipeline.book.pages.experiments import groups
from pipeline.book.picture import Picture
from pipeline.book.study import Study
from pipeline.book.words.claim import short
from pipeline.book.words.network import chain, changed, put_in
from pipeline.book.words.places import place_words


def write(study: Study) -> dict[str, str | Picture]:
    """Every group's page, and the figures of its experiments that try every place."""
    files: dict[str, str | Picture] = {}
    for group, names in groups(study).items():
        title = f"# Experiments on {group.replace('_', ' ')}\n"
        files[f"experiments/{group}.md"] = "\n".join([title, *(entry(study, name) for name in names)])
        files |= {f"figures/{picture.name}": picture for name in names
                  if (picture := place_picture(study, name))}
    return files


def entry(study: Study, name: str) -> str:
    """An experiment: its network, its lines of params.yaml, its results, what rests on it."""
    experiment = study.params.experiments[name]
    text = f"Network: {chain(experiment)}. Data sets: {', '.join(study.params.data_sets(name))}."
    if experiment.versus:
        text += (f" Compared with {experiment_link(study, experiment.versus)}: "
                 f"{changed(study.params, name, experiment.versus)}.")
    used = [claim_link(c, short(c.slug)) for c in study.claims if name in c.experiments]
    parts = [f"(experiment-{name})=\n## {experiment.title or name}\n",
             f"{experiment.note}\n" if experiment.note else "",
             text + "\n", fenced(study.lines.get(name, name), "yaml"), *_results(study, name),
             "Claims: " + "; ".join(used) + ".\n" if used else "",
             record_link(study, name, "Lab record: curves, scores and rates") + "\n"
             if name in study.records else ""]
    return "\n".join(part for part in parts if part)


def _results(study: Study, name: str) -> Sequence[str]:
    cells = study.experiment_cells(name)
    if picture := place_picture(study, name):
        return [place_words(put_in(study.params.experiments[name]), picture.rows, study.rule), image(study, picture),
                ":::{dropdown} All numbers, each place by itself\n" + cell_table(study, cells) + ":::\n"
                if len(cells) else "", guards(cells)]
    if len(cells):
        return [cell_table(study, cells), guards(cells)]
    return ["No result is stored yet.\n"] if study.params.experiments[name].versus else []
