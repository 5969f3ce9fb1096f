"""The page of a reader's own data set: what was read, simple predictors, every network ranked, what to do."""

from pipeline.book import data_set
from pipeline.book.escape import code
from pipeline.book.markdown import experiment_link, table
from pipeline.book.pages.data_set import class_names, sizes, task, used
from pipeline.book.ranked import (
    advice, beaten, elsewhere, in_study, like, plain_error, ranked, simple, summary, warnings)
from pipeline.book.study import Study
from pipeline.config.data_files import listed
from pipeline.config.schema import PARAMS
from pipeline.findings.numbers import capital, number, share, span
from pipeline.tables.stored import records


def write(study: Study) -> dict[str, str]:
    """A page for each own data set; none without any."""
    return {f"own/{name}.md": page(study, name) for name in study.params.own}


def page(study: Study, name: str) -> str:
    """What was read of the file, every network that was tried on it, ranked; what to do; and how far to trust that."""
    entry = study.params.data[name]
    classes = {data: bool(arm["task"]["classes"]) for data, arm in study.arms_of_data.items()}
    changes = ranked(study.tables, name, study.params.plain(name), like(name, classes, study.params))
    known = records(study.baselines[study.baselines["data"] == name])
    baselines = known[0] if known else None
    first = beaten(changes, baselines, entry)
    parts = [f"(own-{name})=\n# {entry.title or capital(name.replace('_', ' '))}\n", *([f"**{first}**\n"] if first else []),
             f"A data set of your own: {code(entry.file)}. It counts in no finding about other data. "
             f"Take its entry out of `{PARAMS}` and run `make book`, and this page is gone.\n", *_read(study, name)]
    if not changes:
        return "\n".join([*parts, "No result is stored yet; `make book` trains what is missing.\n"])
    said = warnings(changes, baselines)
    return "\n".join([
        *parts, *_simple(study, changes, baselines, classes.get(name, False)),
        "## What was tried\n",
        f"Each network beside the plain one, {experiment_link(study, changes[0].found['control'])}, on the same "
        f"{span([int(one.found['seeds']) for one in changes])} seeds; the change of the test "
        "error with its 95 % interval, less being better. Beside it the average over the study's own data sets of "
        "this kind, and where the study expects four of five other data sets.\n",
        table(["", "network", "test error here", "in a word", "in the study", "on another set", "what to do"],
              [(number, experiment_link(study, one.name), f"{one.found['treatment_mean']:.3g}, {one.amount}", f"**{one.here}**",
                in_study(one), elsewhere(one), advice(one)) for number, one in enumerate(changes, 1)]),
        "## What to do\n", *(f"{line}\n" for line in summary(changes)),
        *([":::{warning}\n" + "\n\n".join(said) + "\n:::\n"] if said else [])])


def _read(study: Study, name: str) -> list[str]:
    """What of the file is used, and how; nothing where its arrays are not there."""
    if name not in study.files:
        return []
    arrays, entry = data_set.read(study.files[name]), study.params.data[name]
    found, inputs = data_set.shape(arrays), [str(one) for one in arrays["about_inputs"]]
    classes = [str(one) for one in class_names(arrays)] if found.classes else []
    said = [f"{task(entry, found, ())} {used(arrays)}", f"A split has {sizes(found)} samples to train, to validate and to test on."]
    said += [f"{what}: {', '.join(map(code, some))}." for what, some in (
        ("Inputs", inputs), ("No inputs", listed(entry.leave_out)), ("Classes", classes)) if some]
    return ["## What was read\n", *(f"- {line}" for line in said), ""]


def _simple(study: Study, changes: list, baselines: dict | None, classes: bool) -> list[str]:
    """The plain network's error beside those of simple predictors, the least first."""
    if baselines is None:
        return []
    measure = ("error rates" if classes else "roots of the mean squared error, in deviations of the target")
    errors = {capital(words): error for words, error in simple(baselines).items()} | {
        "guessing": baselines["trivial"], experiment_link(study, changes[0].found["control"]): plain_error(changes)}
    return ["## Beside simple predictors\n",
            f"Test errors ({measure}); of simple predictors the mean of {int(baselines['seeds'])} seeds.\n",
            table(["predictor", "test error", "of guessing"], [
                (name, number(errors[name], ".3g"), share(errors[name] / baselines["trivial"]))
                for name in sorted(errors, key=errors.get)])]
