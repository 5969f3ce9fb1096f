"""All experiments at a glance, and the pages of their groups."""

from collections.abc import Sequence

from pipeline.book.escape import fenced, plain
from pipeline.book.markdown import claim_link, data_link, experiment_link, findings_table, record_link
from pipeline.book.study import Study
from pipeline.book.words.network import chain, changed
from pipeline.findings.numbers import capital, count

#: No page has more experiments: when one changes, all that stand beside it are written again.
MOST = 100


def write(study: Study) -> dict[str, str]:
    """Every group's page, and all at a glance."""
    return {"experiments.md": overview(study)} | {
        f"experiments/{page}.md": "\n".join([f"# Experiments on {title}\n", *(entry(study, name) for name in names)])
        for page, (title, names) in group_pages(study).items()}


def overview(study: Study) -> str:
    """All experiments by group."""
    lines = [f"- [{capital(title)}](/experiments/{page}.md): {count(len(names), 'experiment')}"
             for page, (title, names) in group_pages(study).items()]
    waiting = [experiment_link(study, name) for name in study.params.experiments if name in study.being_measured]
    return "\n".join([
        "# All experiments\n",
        "An experiment is a list of layers; its order is the network's order. Each is shown with its "
        "exact lines of `params.yaml` and its findings against what it is compared with, by the data "
        "that it runs on. The lab records stand below each group in the contents:\n", *lines, "",
        f"Being measured, and without a result yet: {', '.join(waiting)}.\n" if waiting else ""])


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


def entry(study: Study, name: str) -> str:
    """An experiment: its network, its lines of params.yaml, its results, what rests on it."""
    experiment = study.params.experiments[name]
    text = f"Network: {chain(experiment)}. Data: {where(study, name)}."
    if experiment.versus:
        text += (f" Compared with {experiment_link(study, experiment.versus)}: "
                 f"{changed(study.params, name, experiment.versus)}.")
    used = [claim_link(c) for c in study.claims_on[name]]
    parts = [f"(experiment-{name})=\n## {experiment.title or plain(name)}\n",
             f"{experiment.note}\n" if experiment.note else "",
             text + "\n", fenced(study.lines.get(name, name), "yaml"), *_results(study, name),
             "Claims: " + "; ".join(used) + ".\n" if used else "",
             record_link(study, name, "Lab record: Keras code, curves, scores and rates") + "\n"
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
    if found := study.asked_by[name]:
        return [findings_table(study, found), _edges(study, name)]
    return ["No result is stored yet.\n" if study.params.experiments[name].versus else _edges(study, name)]


def _edges(study: Study, name: str) -> str:
    """On how many data sets the rate that most seeds are scored at lies at an edge of the grid."""
    mine = study.edges[study.edges["experiment"] == name]
    at = int((mine["edge"] != "").sum())
    return f"Its learning rate lies at an edge of the grid on {at} of {len(mine)} data sets.\n" if len(mine) else ""
