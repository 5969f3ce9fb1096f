"""The method: the rule and what it was measured to do."""

from __future__ import annotations

import math

from pipeline.book.markdown import experiment_link, table
from pipeline.book.study import Study
from pipeline.book.words import capital, count, sentence, signed
from pipeline.verdicts.error_rates import blind_sets, decisive


def gap_sentence(study: Study) -> str:
    """What was dropped of the series with gaps."""
    return "\n".join(
        f"In **{name}**, {counts['weeks_missing']} of {counts['weeks']} weeks are missing, and the "
        f"{counts['windows_dropped']} windows that touch one of them are dropped.\n"
        for name, counts in study.gaps.items())


def rule_table(study: Study) -> str:
    """The rule's constants, as the code has them."""
    return table(["constant", "value", "what it is"], [
        (f"`{row['name']}`", f"{row['value']:g}", capital(row["says"]))
        for row in study.rule.table().to_dict("records")])


def data_table(study: Study) -> str:
    """The data sets: what they are, the shape of a sample, the number of seeds."""
    about = {}
    for plan in study.plans.values():
        for arm in plan["arms"]:
            about.setdefault(arm["data"], arm)
    tested = study.params
    rows = []
    for name, data in tested.data.items():
        arm = about.get(name)
        train = tested.train.model_dump() | {
            k: v for k, v in data.train.model_dump().items() if v is not None}
        rows.append((name, capital(data.title or data.source),
                     " × ".join(map(str, arm["shape"])) if arm else "–",
                     "–" if not arm else
                     f"{arm['classes']} classes" if arm["classes"] else "a number",
                     data.seeds, train["epochs"], train["batch_size"]))
    return table(["data set", "what it is", "one sample", "target", "seeds", "epochs", "batch"],
                 rows)


def arm_table(study: Study) -> str:
    """The arms that measure the rule itself."""
    return table(["kind", "experiment", "data set", "found", "label"], [
        (cell["kind"], experiment_link(study, cell["treatment"]), cell["data"],
         sentence(cell, study.rule),
         cell["label"] if cell["position"] != "uninformative" else "–")
        for cell in study.arms.to_dict("records")])


def arm_sentence(study: Study) -> str:
    """The share of decisive labels where nothing differs, and the data sets that see nothing."""
    share = decisive(study.arms)
    if not math.isfinite(share):
        return "No such arm is stored yet.\n"
    same = study.arms[(study.arms["kind"] == "A/A") & (study.arms["position"] != "uninformative")]
    found = int(same["label"].isin(["better", "worse"]).sum())
    text = (f"Of {count(len(same), 'comparison')} of a network with itself, {found} "
            f"({100 * share:.0f} %) were labelled better or worse.")
    blind = sorted(blind_sets(study.arms))
    if blind:
        text += (f" On {', '.join(blind)}, a network trained on half the data was not found worse: "
                 "there, “no difference” is never concluded.")
    elif (study.arms["kind"] == "half the data").any():
        text += " On every data set, a network trained on half the data was found worse."
    return text + "\n"


def simulated_table(study: Study) -> str:
    """Outcomes of simulated studies whose truth is known."""
    return table(["truth", "of", "outcome", "share", "is it wrong?"], [
        (row["scenario"], row["unit"], row["outcome"], f"{100 * row['share']:.1f} %",
         "wrong" if row["wrong"] else "")
        for row in study.simulated.to_dict("records")])


def detectable_table(study: Study) -> str:
    """Per data set, the smallest change of the test error that would have been found."""
    cells = study.studied
    cells = cells[(cells["position"] != "uninformative") & cells["detectable"].notna()]
    rows = []
    for data, mine in cells.groupby("data", sort=False):
        low, middle, high = (signed(100 * math.expm1(-v), " %") for v in
                             (mine["detectable"].min(), mine["detectable"].median(),
                              mine["detectable"].max()))
        rows.append((data, len(mine), low, middle, high))
    return table(["data set", "comparisons", "least", "median", "greatest"], rows)
