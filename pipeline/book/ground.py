"""Where the book's words about scores, variants and changes come from; all of it is to be the specs'.

Each definition here stands in for one of `pipeline.spec`: `metric_of` for that of spec/metrics.py, `recipe`
for `Experiment.of` and `.changes`, `values_of` for `Params.variants`, `measuring` for `Params.controls`,
`TABLES` for spec/tables.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.spec import metrics, tables
from pipeline.spec.params import Experiment, Params

#: Words for more and for less of a score, where they are not “higher” and “lower”.
_COUNTED = {"epochs_to_target", "divergence", "failure", "parameters"}
#: A score's name where its amount is meant, if that is another.
_QUANTITIES = {"divergence": "share of diverged seeds", "failure": "share of failing seeds"}
_POINTS = {"calibration_error", "minority_recall", "divergence", "failure"}


@dataclass(frozen=True)
class Metric:
    """A score and how to speak of it.

    Attributes:
        name: words for a sentence.
        quantity: the name of its amount, for axes.
        scale: `log ratio`, `difference`, `share` or `median`.
        margin: kind of margin; `measure`: it has none.
        lower: whether lower scores are better; a positive effect is a better score.
        judged: whether one direction is better at all; else a positive effect is a larger value.
        unit, factor: of a difference of scores as it is shown.
        more, less: words that say which of two scores is larger.
    """

    name: str
    quantity: str
    scale: str
    margin: str
    lower: bool
    judged: bool
    unit: str
    factor: int
    more: str
    less: str

    @property
    def turn(self) -> int:
        """The sign that turns an effect into a change of the score."""
        return -1 if self.lower else 1

    @property
    def better(self) -> str:
        """The word for a score with a positive effect."""
        return self.less if self.lower else self.more

    @property
    def worse(self) -> str:
        """The word for a score with a negative effect."""
        return self.more if self.lower else self.less


def metric_of(name: str) -> Metric:
    """A named metric, else a measure: a numeric column, compared by its difference."""
    found, points = metrics.metric_of(name), name in _POINTS
    return Metric(found.name, _QUANTITIES.get(name, found.name), found.scale, found.margin, found.lower,
                  name in metrics.METRICS, "points" if points else "", 100 if points else 1,
                  *(("more", "fewer") if name in _COUNTED else ("higher", "lower")))


TABLES = {
    "data_sets": ["data", "blind"], "decisive": ["kind", "comparisons", "decisive"],
    "places": ["experiment", "place", "number", "data", "effect", "low", "high", "margin", "label", "sign",
               "stands", "m"]} | tables.TABLES


def recipe(experiment: Experiment) -> tuple[str | None, Sequence]:
    """The experiment that another one changes, and the elementary changes; none for a full list."""
    return getattr(experiment, "of", None), getattr(experiment, "changes", ())


def values_of(params: Params, name: str) -> Mapping[str, float | str]:
    """What a variant, `experiment[label]`, sets: argument → value; nothing for an experiment."""
    experiment, _, label = name.rstrip("]").partition("[")
    for variant, values in getattr(params, "variants", lambda name: {})(experiment).items():
        if variant == label:
            return values
    pairs = (pair.partition("=") for pair in label.split(",") if "=" in pair)
    return {key: float(value) if key == "train_fraction" else value for key, _, value in pairs}


def measuring(params: Params) -> set[str]:
    """The experiments that only measure the rule."""
    section = params.verdicts
    return {*getattr(section, "repeated", ()), *getattr(section, "half_data", ())}
