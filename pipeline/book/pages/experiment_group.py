"""The page of the experiments whose first data set is of a group."""

from collections.abc import Sequence

from pipeline.book.blocks import findings_table
from pipeline.book.escape import fenced, plain
from pipeline.book.markdown import claim_link, data_link, experiment_link, record_link
from pipeline.book.pages.experiments import group_pages
from pipeline.book.study import Study
from pipeline.book.words.network import chain, changed, put_in
from pipeline.book.words.numbers import count


def write(study: Study) -> dict[str, str]:
    """Every group's page."""
    return {f"experiments/{page}.md": "\n".join([f"# Experiments on {title}\n", *(entry(study, name) for name in names)])
            for page, (title, names) in group_pages(study).items()}


def entry(study: Study, name: str) -> str:
    """An experiment: its network, its lines of params.yaml, its results, what rests on it."""
    experiment = study.params.experiments[name]
    text = f"Network: {chain(experiment)}. Data: {where(study, name)}."
    if experiment.versus:
        text += (f" Compared with {experiment_link(study, experiment.versus)}: "
                 f"{changed(study.params, name, experiment.versus)}.")
    used = [claim_link(c) for c in study.claims_on(name)]
    parts = [f"(experiment-{name})=\n## {experiment.title or plain(name)}\n",
             f"{experiment.note}\n" if experiment.note else "",
             text + "\n", fenced(study.lines.get(name, name), "yaml"), *_results(study, name),
             "Claims: " + "; ".join(used) + ".\n" if used else "",
             record_link(study, name, "Lab record: curves, scores and rates") + "\n"
             if name in study.records else ""]
    return "\n".join(part for part in parts if part)


def where(study: Study, name: str) -> str:
    """The families whose every data set an experiment runs on, and its other data sets."""
    names, parts = study.params.data_sets(name), []
    for family, strata in study.families.items():
        whole = [one for sets in strata.values() for one in sets]
        if set(whole) <= set(names):
            parts.append(f"the {count(len(whole), 'data set')} of the family [{family}](/data_sets.md)")
            names = [one for one in names if one not in whole]
    return ", ".join([*parts, *(data_link(study, one) for one in names)])


def _results(study: Study, name: str) -> Sequence[str]:
    if name in study.being_measured:
        own = [f"[{one}](#own-{one})" for one in study.params.data_sets(name) if one in study.params.own]
        return [f"*Being measured*: on the study's data sets it is not trained yet. On your own: {', '.join(own)}.\n"
                if own else "*Being measured*: it is not trained yet, and has no result and no lab record.\n"]
    if found := study.asked_by(name):
        return [findings_table(study, found), _edges(study, name)]
    return ["No result is stored yet.\n" if study.params.experiments[name].versus else _edges(study, name)]


def _edges(study: Study, name: str) -> str:
    """On how many data sets the rate that most seeds are scored at lies at an edge of the grid."""
    mine = study.edges[study.edges["experiment"] == name]
    return f"Its learning rate lies at an edge of the grid on {int((mine['edge'] != '').sum())} of {len(mine)} data sets.\n" if len(
        mine) else ""
