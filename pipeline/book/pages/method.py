"""The method: the rule's constants, the data sets, and what the rule was measured to do."""

from __future__ import annotations

import math

from pipeline.book.markdown import experiment_link, table
from pipeline.book.study import Study
from pipeline.book.words.comparison import sentence
from pipeline.book.words.numbers import capital, count, signed


def write(study: Study) -> dict[str, str]:
    """The tables of the method's page."""
    pieces = {"constants": constants(study), "data_sets": data_sets(study), "gaps": gaps(study),
              "detectable": detectable(study), "itself": itself(study) + "\n" + arms(study),
              "simulated": simulated(study)}
    return {f"generated/method/{name}.md": text for name, text in pieces.items()}


def constants(study: Study) -> str:
    """The rule's constants, as the code has them."""
    return table(["constant", "value", "what it is"], [
        (f"`{row['name']}`", f"{row['value']:g}", capital(row["says"]))
        for row in study.rule.table().to_dict("records")])


def data_sets(study: Study) -> str:
    """The data sets: what they are, the shape of a sample, the number of seeds."""
    return table(["data set", "what it is", "one sample", "target", "seeds", "epochs", "batch"],
                 [_data_row(study, name) for name in study.params.data])


def _data_row(study: Study, name: str) -> tuple:
    data, arm = study.params.data[name], study.arms_of_data.get(name)
    train = study.params.train.model_dump() | {
        key: value for key, value in data.train.model_dump().items() if value is not None}
    shape, target = "–", "–"
    if arm:
        shape = " × ".join(map(str, arm["shape"]))
        target = f"{arm['task']['classes']} classes" if arm["task"]["classes"] else "a number"
    return (name, capital(data.title or data.origin), shape, target, data.seeds, train["epochs"],
            train["batch_size"])


def gaps(study: Study) -> str:
    """What was dropped of the series with gaps."""
    return "\n".join(
        f"In **{name}**, {counts['weeks_missing']} of {counts['weeks']} weeks are missing, and the "
        f"{counts['windows_dropped']} windows that touch one of them are dropped.\n"
        for name, counts in study.gaps.items())


def detectable(study: Study) -> str:
    """Per data set, the smallest change of the test error that would have been found."""
    cells = study.comparisons
    cells = cells[(cells["position"] != "uninformative") & cells["detectable"].notna()]
    rows = []
    for data, mine in cells.groupby("data", sort=False)["detectable"]:
        changes = (signed(100 * math.expm1(-v), " %") for v in (mine.min(), mine.median(), mine.max()))
        rows.append((data, len(mine), *changes))
    return table(["data set", "comparisons", "least", "median", "greatest"], rows)


def itself(study: Study) -> str:
    """The share of decisive labels where nothing differs, and the data sets that see nothing."""
    counts = study.decisive.set_index("kind")
    if "A/A" not in counts.index:
        return "No such arm is stored yet.\n"
    same, found = (int(counts.loc["A/A", name]) for name in ("comparisons", "decisive"))
    text = (f"Of {count(same, 'comparison')} of a network with itself, {found} "
            f"({100 * found / same:.0f} %) were labelled better or worse." if same else
            "No comparison of a network with itself can show anything.")
    if blind := sorted(study.blind):
        text += (f" On {', '.join(blind)}, a network trained on half the data was not found worse: "
                 "there, “no difference” is never concluded.")
    elif len(study.data_sets):
        text += " On every data set, a network trained on half the data was found worse."
    return text + "\n"


def arms(study: Study) -> str:
    """The arms that measure the rule itself."""
    return table(["kind", "experiment", "data set", "found", "label"], [
        (cell["kind"], experiment_link(study, cell["treatment"]), cell["data"],
         sentence(cell, study.rule),
         cell["label"] if cell["position"] != "uninformative" else "–")
        for cell in study.arms.to_dict("records")])


def simulated(study: Study) -> str:
    """Outcomes of simulated studies whose truth is known."""
    return table(["truth", "of", "outcome", "share", "is it wrong?"], [
        (row["scenario"], row["unit"], row["outcome"], f"{100 * row['share']:.1f} %",
         "wrong" if row["wrong"] else "")
        for row in study.simulated.to_dict("records")])
