"""What stages hand to each other: every stored table, its file and its columns, once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

#: The control of a claim that compares experiments with guessing.
TRIVIAL = "trivial predictor"
OPPOSITE, NO_EFFECT, DIFFERENCE = (
    "the opposite effect", "no effect of that size", "a difference")
DECIDED = ("supported", "contradicted", "mixed", "undecided", "true", "false")

_RUN = ["experiment", "variant", "data", "seed"]
#: A run's learning rate, whether its seed keeps it, its epochs, and whether more would have followed.
_CHOICE = ["learning_rate", "chosen", "stopped", "hit_limit"]
_SCORES = ["validation_loss", "train_loss", "error", "loss", "calibration_error", "minority_recall"]
_OF_LAYERS = ["mean", "variance", "moment_distance", "skewness", "kurtosis", "zero_share",
              "saturated_share", "slope", "correlation", "gradient_norm", "gradient_imbalance",
              "gradient_over_time", "gamma"]
CELL_COLUMNS = [
    "claim", "treatment", "control", "minus_treatment", "minus_control", "minus_data", "data", "metric",
    "endpoint", "region", "m", "seeds", "scale", "effect", "low", "high", "margin", "label",
    "position", "why", "sign", "control_mean", "treatment_mean", "diverged_treatment",
    "diverged_control", "detectable"]
VERDICT_COLUMNS = [
    "slug", "verdict", "way", "reads", "D", "F", "A", "k", "scope", "fragile"]
DOSE_COLUMNS = ["experiment", "key", "dose", "data", "seeds", "mean", "low", "high"]
PLACE_COLUMNS = [
    "experiment", "place", "number", "data", "m", "seeds", "effect", "low", "high", "margin", "label",
    "position", "why", "sign", "stands", "may_be_best", "may_be_worst", "apart"]


#: Test errors of simple predictors: error rates, or roots of the mean squared error of standardised
#: targets; `seeds`: of how many study seeds they are the mean; NaN where there is no such predictor.
BASELINE_COLUMNS = ["data", "seeds", "trivial", "persistence", "linear", "forest", "key"]


@dataclass(frozen=True)
class Table:
    """A stored table.

    Attributes:
        file: its path from the project's folder; `{experiment}` stands for an experiment's name.
        columns: in their order.
    """

    file: str
    columns: tuple[str, ...]

    def path(self, experiment: str = "") -> Path:
        """The file, of one experiment where each has its own."""
        return Path(self.file.format(experiment=experiment))


def _tables(folder: str, **columns: list[str]) -> dict[str, Table]:
    return {name: Table(f"{folder}/{name}.csv", tuple(own)) for name, own in columns.items()}


STORED = {
    "runs": Table("results/runs/{experiment}/runs.csv", (
        *_RUN, *_CHOICE, "diverged", "parameters",
        *(f"{endpoint}_{score}" for endpoint in ("best", "last") for score in ("epoch", *_SCORES)),
        "trivial_error", "trivial_loss", "trivial_validation_loss", "test_size", "key")),
    "curves": Table("results/runs/{experiment}/curves.csv.gz", (
        *_RUN, "learning_rate", "epoch", "train_loss", "validation_loss")),
    "layers": Table("results/runs/{experiment}/layers.csv", (
        "variant", "data", "layer", "class", "shape", "parameters")),
    "measures": Table("results/probe/{experiment}/measures.csv", (
        *_RUN, *_CHOICE, "diverged", "best_error", "trivial_error", "test_size",
        *(name + when for name in _OF_LAYERS for when in ("", "_at_start")), "drift",
        *(name + when for name in ("constant", "inference_gap") for when in ("", "_at_first_epoch")))),
    **_tables(
        "results/mechanics",
        checks=["check", "statement", "expected", "found", "tolerance", "holds"],
        applications=["family", "network", "bn_layers", "before_activation", "after_activation",
                      "neither", "without_bias", "with_bias"],
        old_code=["thread", "feature", "works", "happens", "repair"]),
    **_tables(
        "results/verdicts",
        cells=CELL_COLUMNS, comparisons=CELL_COLUMNS, arms=["kind", *CELL_COLUMNS],
        verdicts=VERDICT_COLUMNS, robustness=["claim", "change", "verdict"],
        simulated=["scenario", "unit", "outcome", "share", "wrong"], doses=DOSE_COLUMNS,
        data_sets=["data", "blind"], decisive=["kind", "comparisons", "decisive"],
        places=PLACE_COLUMNS)}
STORED |= _tables("results/baselines", baselines=BASELINE_COLUMNS)
