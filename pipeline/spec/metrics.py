"""Every score once: its scale, its direction, its margin, its name."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Metric:
    """How scores of one kind are compared.

    Attributes:
        scale: `log ratio`, `difference`, `share` or `median`.
        margin: kind of margin, see `verdicts.rule.margin`.
        lower: whether lower scores are better.
        endpoint: whether the score depends on the endpoint.
        skill: whether it measures how well a network does its task, so that the guards for
            sets on which nothing can be shown apply.
        name: words for a sentence.
    """

    scale: str
    margin: str
    lower: bool
    endpoint: bool
    skill: bool
    name: str


METRICS = {
    "error": Metric("log ratio", "ratio", True, True, True, "test error"),
    "loss": Metric("log ratio", "ratio", True, True, True, "test loss"),
    "calibration_error": Metric(
        "difference", "calibration", True, True, True, "calibration error"),
    "minority_recall": Metric("difference", "recall", False, True, True, "minority recall"),
    "epochs_to_target": Metric("log ratio", "epochs", True, False, True, "epochs to the target"),
    "divergence": Metric("share", "divergence", True, False, False, "diverged seeds"),
    "failure": Metric("share", "divergence", True, True, False, "seeds that fail"),
    "largest_rate": Metric(
        "median", "measure", False, False, False, "largest usable learning rate"),
    "parameters": Metric("log ratio", "measure", True, False, False, "parameters"),
}


def metric_of(name: str) -> Metric:
    """A named metric, else a measure: a numeric column, compared by its difference."""
    return METRICS.get(name) or Metric(
        "difference", "measure", False, True, False, name.replace("_", " "))


#: Per metric: its name, the sign that turns an effect into a change of the score, and the factor
#: and unit of a difference.
SCORES = {
    "error": ("test error", -1, 1, ""),
    "loss": ("test loss", -1, 1, ""),
    "calibration_error": ("calibration error", -1, 100, "points"),
    "minority_recall": ("minority recall", 1, 100, "points"),
    "epochs_to_target": ("epochs to the target", -1, 1, ""),
    "divergence": ("share of diverged seeds", -1, 100, "points"),
    "failure": ("share of failing seeds", -1, 100, "points"),
    "largest_rate": ("largest usable learning rate", 1, 1, ""),
    "parameters": ("parameters", -1, 1, ""),
}
