"""The page of a reader's own data set."""

import math

from pipeline.book.escape import code
from pipeline.book.markdown import experiment_link, table
from pipeline.book.ranked import SIMPLE, advice, controls, elsewhere, in_study, like, ranked, summary, warnings
from pipeline.book.study import Study
from pipeline.config.schema import PARAMS
from pipeline.findings.numbers import capital, number, share
from pipeline.tables.stored import records


def write(study: Study) -> dict[str, str]:
    """A page for each own data set; none without any."""
    return {f"own/{name}.md": page(study, name) for name in study.params.own}


def page(study: Study, name: str) -> str:
    """Every change that was tried on it, ranked; what to do; and how far to trust that."""
    entry = study.params.data[name]
    classes = {data: bool(arm["task"]["classes"]) for data, arm in study.arms_of_data.items()}
    changes = ranked(study.tables, name, {name: like(name, classes, study.params)})
    head = [f"(own-{name})=\n# {entry.title or capital(name.replace('_', ' '))}\n",
            f"A data set of your own: {code(entry.file)}. It counts in no finding about other data. "
            f"Take its entry out of `{PARAMS}` and run `make book`, and this page is gone.\n"]
    if not changes:
        return "\n".join([*head, "No result is stored yet; `make book` trains what is missing.\n"])
    known = records(study.baselines[study.baselines["data"] == name])
    simple = known[0] if known else None
    said = warnings(changes, simple)
    seeds = sorted({int(one.found["seeds"]) for one in changes})
    return "\n".join([
        *head, "## What to do\n", *(f"{line}\n" for line in summary(changes)),
        *([":::{warning}\n" + "\n\n".join(said) + "\n:::\n"] if said else []),
        "## What was tried\n",
        f"Each change beside the network that it changes, on the same {_span(seeds)} seeds; the change of the test "
        "error with its 95 % interval, less being better. Beside it the average over the study's own data sets of "
        "this kind, and where the study expects four of five other data sets.\n",
        table(["", "change", "against", "test error here", "in a word", "in the study", "on another set", "what to do"],
              [(number, experiment_link(study, one.name), experiment_link(study, one.found["control"]),
                f"{one.found['treatment_mean']:.3g}, {one.amount}", f"**{one.here}**",
                in_study(one), elsewhere(one), advice(one, changes)) for number, one in enumerate(changes, 1)]),
        *_simple(study, controls(changes), simple, classes.get(name, False))])


def _simple(study: Study, errors: dict[str, float], simple: dict | None, classes: bool) -> list[str]:
    """The control's error beside those of simple predictors."""
    if simple is None:
        return []
    measure = ("error rates" if classes else "roots of the mean squared error, in deviations of the target")
    rows = [("guessing", simple["trivial"]), *((capital(words), simple[name]) for name, words in SIMPLE.items()),
            *((experiment_link(study, control), error) for control, error in errors.items())]
    return ["## Beside simple predictors\n",
            f"Test errors ({measure}); of simple predictors the mean of {int(simple['seeds'])} seeds.\n",
            table(["predictor", "test error", "of guessing"], [
                (name, number(error, ".3g"), share(error / simple["trivial"])) for name, error in rows
                if math.isfinite(error)])]


def _span(seeds: list[int]) -> str:
    return f"{seeds[0]}" if len(seeds) == 1 else f"{seeds[0]} to {seeds[-1]}"
