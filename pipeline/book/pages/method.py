"""The method: the rule as the code has it, the data sets, and what the rule was measured to do."""

from __future__ import annotations

import math
from collections.abc import Iterable

import pandas as pd

from pipeline.book import changes
from pipeline.book.markdown import experiment_link, table
from pipeline.book.rows import records
from pipeline.book.study import Study
from pipeline.book.words.numbers import capital, count, signed, span
from pipeline.verdicts import claims as rule_of_claims
from pipeline.verdicts import words
from pipeline.verdicts.many import wrong_words

#: When each word is said: where the interval of the average lies. The first that fits is taken.
INTERVALS = {
    words.CLEARLY_HELPS: "above the margin",
    words.HELPS_A_LITTLE: "above 0, below the margin",
    words.HELPS: "above 0, and the margin lies inside",
    words.CLEARLY_HARMS: "below minus the margin",
    words.HARMS_A_LITTLE: "below 0, above minus the margin",
    words.HARMS: "below 0, and minus the margin lies inside",
    words.NO_DIFFERENCE: "within the margin on both sides, and so does the range for another data set",
    words.NONE_ON_AVERAGE: "within the margin on both sides",
    words.NO_BENEFIT: "below the margin",
    words.NO_HARM: "above minus the margin",
    words.OPEN: "anywhere else"}
#: What a simulated case is.
CASE = ["family", "spread", "truth"]
#: Words that a study says most of the time, in print, at most.
SHOWN = 3


def write(study: Study) -> dict[str, str]:
    """The pieces of the method's page."""
    pieces = {"constants": constants(study), "words": interval_words(), "claims": claim_table(),
              "wrong": wrong(study), "families": families(study), "data_sets": data_sets(study),
              "detectable": detectable(study), "itself": itself(study),
              "half": half(study), "simulated": simulated(study)}
    return {f"generated/method/{name}.md": text or "Nothing is stored yet.\n" for name, text in pieces.items()}


def constants(study: Study) -> str:
    """The rule's constants, as the code has them."""
    return table(["constant", "value", "what it is"], [
        (f"`{row['name']}`", f"{row['value']:.4g}", capital(row["says"]))
        for row in records(study.rule.table())]) + changes.of_rule(study)


def interval_words() -> str:
    """The words for an average, in the order in which they are tried."""
    return table(["the interval of the average lies", "it says"],
                 [(INTERVALS[word], f"**{word}**") for word in words.WORDS])


def claim_table() -> str:
    """What each word makes of each prediction, as it decides."""
    found = rule_of_claims.table()
    return table(list(found.columns), [[value.replace("_", " ") or "–" for value in row]
                                       for row in found.itertuples(index=False)])


def wrong(study: Study) -> str:
    """How many words may be wrong at most, beside how often simulated ones are."""
    decided = study.verdicts[study.verdicts["p"].notna() & (study.verdicts["verdict"] != "")]
    number = decided["slug"].nunique()
    if not number:
        return ""
    text = (f"{count(number, 'claim')} have a word or a verdict by intervals. At most "
            f"{wrong_words(number, study.rule):.1f} of these are to be expected wrong, were every effect as "
            "unfortunate as can be: a word is wrong only if its interval misses.")
    if len(study.simulated):
        rates = _wrong_rates(study.simulated)
        worst = rates.loc[rates["wrong"].idxmax()]
        text += (f" In simulated studies a word was wrong in {100 * rates['wrong'].mean():.1f} % of cases on average, "
                 f"and in {100 * worst['wrong']:.1f} % in the worst one ({worst['family']}, a true average of "
                 f"{_margins(worst['truth'])}, {_spread(worst['spread'])}).")
    return text + "\n"


def families(study: Study) -> str:
    """How many data sets and units each family has, and on how many seeds they are measured."""
    lines = []
    for family, strata in study.families.items():
        parts = []
        for stratum, names in strata.items():
            units = {study.params.data[name].unit or name for name in names}
            fewer = f" in {len(units)} units" if len(units) < len(names) else ""
            parts.append(f"{count(len(names), stratum.removesuffix('s') or 'data set')}{fewer}")
        seeds = [study.params.data[name].seeds for names in strata.values() for name in names]
        lines.append(f"- **{family}**: {' and '.join(parts)}, {span(seeds)} seeds each")
    return "\n".join(lines) + "\n" if lines else ""


def data_sets(study: Study) -> str:
    """The data sets: what they are, the shape of a sample, the number of seeds."""
    return table(["data set", "family", "what it is", "one sample", "target", "seeds", "epochs at most", "batch"],
                 [_data_row(study, name) for name in study.params.data])


def _data_row(study: Study, name: str) -> tuple:
    data, arm = study.params.data[name], study.arms_of_data.get(name)
    train = study.params.train.model_dump() | {
        key: value for key, value in data.train.model_dump().items() if value is not None}
    shape, target = "–", "–"
    if arm:
        shape = " × ".join(map(str, arm["shape"]))
        target = f"{arm['task']['classes']} classes" if arm["task"]["classes"] else "a number"
    family = ", ".join(filter(None, [data.family, data.stratum, f"unit {data.unit}" if data.unit not in ("", name) else ""]))
    return (name, family or "–", capital(data.title or data.origin), shape, target, data.seeds,
            train["epochs"], train["batch_size"])


def detectable(study: Study) -> str:
    """Per family, the smallest average that would have been found."""
    if not len(study.simulated):
        return ""
    found = study.simulated.drop_duplicates("family")
    return table(["family", "comparisons", "units", "smallest change of the error that would be found"], [
        (row["family"], int(row["comparisons"]), int(row["units"]),
         signed(100 * math.expm1(-row["smallest"]), " %")) for row in records(found)])


def itself(study: Study) -> str:
    """What the arms find where nothing differs, and where half the data is taken away."""
    return table(["arm", "network", "family", "data sets", "called better or worse", "interval of that share",
                  "noise of the effects", "as the seeds let expect", "the average"], [
        (row["kind"], experiment_link(study, row["control"]), row["family"] or "–", int(row["comparisons"]),
         f"{int(row['decisive'])} ({_share(row['share'])})", f"{_share(row['low'])} to {_share(row['high'])}",
         _number(row["noise"]), _number(row["expected"]), row["word"] or "–")
        for row in records(study.decisive)])


def half(study: Study) -> str:
    """On which data sets half the data says little, and which controls hardly beat guessing."""
    sets = study.data_sets
    if not len(sets):
        return ""
    dull = _names(sets.loc[~sets["sensitive"].astype(bool), "data"])
    text = ("On every data set, half the data raises the control's error by more than the margin." if not dull else
            f"On {dull}, half the data does not raise the control's error by more than the margin; what shows no effect there is "
            "not taken as a proof that there is none.")
    marked = _names(sets.loc[sets["marked"].astype(bool), "data"])
    return text + (f" Marked, as the control hardly beats the trivial predictor: {marked}." if marked else
                   " No data set is marked: every control beats the trivial predictor clearly.") + "\n"


def simulated(study: Study) -> str:
    """What simulated studies say whose true average is known, and how often that is wrong."""
    if not len(study.simulated):
        return ""
    rows = []
    for (family, spread, truth), mine in study.simulated.groupby(CASE, sort=False):
        most = mine.sort_values("share", ascending=False, kind="stable").head(SHOWN)
        rows.append((family, _margins(truth), _spread(spread),
                     ", ".join(f"{row['word']} {_share(row['share'])}" for row in records(most)),
                     f"{100 * mine.loc[mine['wrong'].astype(bool), 'share'].sum():.1f} %"))
    return table(["family", "true average", "data sets", "says most often", "wrong"], rows)


def _wrong_rates(found: pd.DataFrame) -> pd.DataFrame:
    """The share of wrong words of every simulated case."""
    shares = found.assign(wrong=found["share"].where(found["wrong"].astype(bool), 0.0))
    return shares.groupby(CASE, sort=False, as_index=False)["wrong"].sum()


def _margins(truth: float) -> str:
    return "0" if not truth else f"{truth:g} margin{'s' if truth > 1 else ''}"


def _spread(spread: bool) -> str:
    return "spread as measured" if spread else "all alike"


def _share(value: float) -> str:
    return f"{100 * value:.0f} %"


def _number(value: float) -> str:
    return f"{value:.3f}" if math.isfinite(value) else "–"


def _names(names: Iterable[str]) -> str:
    return ", ".join(sorted(set(names)))
