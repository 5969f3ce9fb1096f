"""Every score once: how it is compared, and how a page says it."""

from __future__ import annotations

from dataclasses import dataclass

#: The control of a comparison with guessing.
TRIVIAL = "trivial predictor"


@dataclass(frozen=True)
class Metric:
    """How scores of one kind are compared, and the words for them.

    Attributes:
        name: after a change, in a sentence: “12 % lower *test error*”.
        scale: `log ratio`, `difference` or `share`, see `findings.scales`.
        margin: kind of margin, see `findings.rule.Rule.margin`.
        lower: whether lower scores are better.
        endpoint: whether the score depends on the endpoint.
        judged: whether one direction is better; of a measure that nobody judges, a positive effect is a larger value.
        more, less: what a score is that is above, or below, another.
        factor, unit: of a difference, in print: 100 and `points` for shares, else 1 and nothing.
        share: the name of what is counted, as a number from 0 to 1, where `name` says what is counted itself.
    """

    name: str
    scale: str
    margin: str
    lower: bool
    endpoint: bool
    judged: bool = True
    more: str = "higher"
    less: str = "lower"
    factor: int = 1
    unit: str = ""
    share: str = ""

    @property
    def score(self) -> str:
        """What is on an axis: “change of the *share of diverged seeds*”."""
        return self.share or self.name

    @property
    def turn(self) -> int:
        """The sign that makes a change of the score of an effect: −1 where lower is better."""
        return -1 if self.lower else 1


COUNT = {"more": "more", "less": "fewer"}
POINTS = {"factor": 100, "unit": "points"}
METRICS = {
    "error": Metric("test error", "log ratio", "ratio", True, True),
    "loss": Metric("test loss", "log ratio", "ratio", True, True),
    "calibration_error": Metric("calibration error", "difference", "calibration", True, True, **POINTS),
    "minority_recall": Metric("minority recall", "difference", "recall", False, True, **POINTS),
    "epochs_to_target": Metric("epochs to the target", "log ratio", "epochs", True, False, **COUNT),
    "divergence": Metric(
        "diverged seeds", "share", "divergence", True, False, **COUNT, **POINTS, share="share of diverged seeds"),
    "failure": Metric(
        "seeds that fail", "share", "divergence", True, True, **COUNT, **POINTS, share="share of failing seeds"),
    "largest_rate": Metric("largest usable learning rate", "log ratio", "measure", False, False),
    "parameters": Metric("parameters", "log ratio", "measure", True, False, **COUNT)}


def metric_of(name: str) -> Metric:
    """A named metric, else a measure: a numeric column, compared by its difference."""
    return METRICS.get(name) or Metric(name.replace("_", " "), "difference", "measure", False, True, judged=False)
