"""All experiments at a glance."""

from pipeline.book.markdown import experiment_link
from pipeline.book.study import Study
from pipeline.book.words.numbers import capital, count

#: No page has more experiments: when one changes, all that stand beside it are written again.
MOST = 100


def write(study: Study) -> dict[str, str]:
    """All experiments by group."""
    lines = [f"- [{capital(title)}](/experiments/{page}.md): {count(len(names), 'experiment')}"
             for page, (title, names) in group_pages(study).items()]
    waiting = [experiment_link(study, name) for name in study.params.experiments if name in study.being_measured]
    return {"experiments.md": "\n".join([
        "# All experiments\n",
        "An experiment is a list of layers; its order is the network's order. Each is shown with its "
        "exact lines of `params.yaml` and its findings against what it is compared with, by the data "
        "that it runs on. The lab records stand below each group in the contents:\n", *lines, "",
        f"Being measured, and without a result yet: {', '.join(waiting)}.\n" if waiting else ""])}


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
