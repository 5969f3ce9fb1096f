"""What stages hand to each other: every stored table, its file and its columns, once."""

from dataclasses import dataclass
from pathlib import Path

from pipeline.tables.run_record import MEASURES

_RUN = ["experiment", "variant", "data", "seed"]
#: A run's learning rate; `chosen`: whether its seed keeps it; `stopped`: the epochs that were run; `hit_limit`: whether the
#: limit of epochs ended it, and it had not stopped learning.
_CHOICE = ["learning_rate", "chosen", "stopped", "hit_limit"]
_OF_LAYERS = ["mean", "variance", "moment_distance", "skewness", "kurtosis", "zero_share",
              "saturated_share", "slope", "correlation", "gradient_norm", "gradient_imbalance",
              "gradient_over_time", "gamma"]
DOSE_COLUMNS = ["experiment", "key", "dose", "data", "seeds", "mean", "low", "high"]
#: The simple predictors that a network is compared with.
SIMPLE = ["persistence", "seasonal", "linear", "forest", "boosted"]
#: Their test errors: error rates, or roots of the mean squared error of standardised
#: targets; `seeds`: of how many study seeds they are the mean; NaN where there is no such predictor.
BASELINE_COLUMNS = ["data", "seeds", "trivial", *SIMPLE, "key"]


#: Of every disturbance of a run. `moment`: seconds after there was what was killed and a stage; `stage`: which was under
#: way; `message`: the run's own last word; `clear`: it is one, and no traceback; `whole`: every file that was there
#: was one of the undisturbed run; `went_on`: the next run did; `equal`: at the end all files were those.
DISTURBANCE_COLUMNS = ["round", "kind", "moment", "stage", "message", "clear", "whole", "went_on", "equal"]

#: What a step took, or weighs, in an invented study: its `value` in `unit`; of seconds, `work` is what all cores did
#: together, and `limit` the most that the value may be.
GROWTH_COLUMNS = ["step", "experiments", "sets", "unit", "value", "work", "limit"]


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


#: Of runs, one row a seed and learning rate; of curves, one an epoch of the chosen runs; of layers, one a layer of every
#: network, whose `shape` is that of its output. Curves are long, and nobody compares them line by line.
STORED = {
    "runs": Table("results/runs/{experiment}/runs.csv", (*_RUN, *_CHOICE, *MEASURES, "key")),
    "curves": Table("results/runs/{experiment}/curves.csv.gz", (*_RUN, "learning_rate", "epoch", "train_loss", "validation_loss")),
    "layers": Table("results/runs/{experiment}/layers.csv", ("variant", "data", "layer", "class", "shape", "parameters")),
    "measures": Table("results/probe/{experiment}/measures.csv", (
        *_RUN, *_CHOICE, "diverged", "best_error", "trivial_error", "test_size",
        *(name + when for name in _OF_LAYERS for when in ("", "_at_start")), "drift",
        *(name + when for name in ("constant", "inference_gap") for when in ("", "_at_first_epoch")))),
    **_tables(
        "results/mechanics",
        checks=["check", "statement", "expected", "found", "tolerance", "holds"],
        applications=["family", "network", "bn_layers", "before_activation", "after_activation", "neither", "without_bias",
                      "with_bias"],
        old_code=["thread", "feature", "works", "happens", "repair"])}
#: What a claim predicts, a constant of the rule is, a data set belongs to, as it `stood` when runs were first stored;
#: `after_runs`: whether all runs of a claim were stored before it was written. Rows are added, and never changed.
STORED |= _tables("results", predictions=["kind", "name", "stood", "after_runs"])
STORED |= _tables("results/baselines", baselines=BASELINE_COLUMNS)
STORED |= {"disturbances": Table("results/torture/disturbances.csv", tuple(DISTURBANCE_COLUMNS)),
           "scale": Table("results/scale/measured.csv", tuple(GROWTH_COLUMNS))}


# What the stage `findings` stores

#: Of every arm and data set: at which learning rate most seeds are scored, and how many at either end of the grid.
EDGE_COLUMNS = ["experiment", "variant", "data", "rates", "least", "greatest", "rate", "share", "at_least", "at_greatest", "edge"]
#: Whoever asked for a comparison (an experiment against its `versus`, a claim, a control), and the finding that answers,
#: turned round where `turn` is -1.
ASKED_COLUMNS = ["treatment", "control", "minus_treatment", "minus_control", "minus_data", "metric", "endpoint", "kind",
                 "role", "by", "id", "turn"]
#: One row a finding and stratum, and one for `all` where there are several. `effect`: natural logarithm of a ratio, or
#: a difference; positive = the treatment is better (of a measure that nobody judges: larger). `change`: that of the
#: score, in per cent or in its unit. `scope`: whether it speaks of data like these, or of the sets that were tried;
#: `better`, `worse`: on how many units that is clear by itself; `p_mean`: P(μ > 0); `p_better`, `p_within`, `p_worse`:
#: for another set; `apart`: the first stratum less the second; `of_half`: as a share of what half the data costs.
FINDING_COLUMNS = [
    "id", "title", "kind", "stratum", "treatment", "control", "minus_treatment", "minus_control", "minus_data", "slope",
    "metric", "endpoint", "scale", "probe", "role", "scope", "units", "sets", "effect", "error", "freedom", "low", "high",
    "margin", "change", "change_low", "change_high", "tau", "i2", "better", "worse", "range_low", "range_high", "caught",
    "p_mean", "p_better", "p_within", "p_worse", "apart", "apart_low", "apart_high", "p", "q", "of_half", "analyses",
    "same_sign", "same_word", "word", "sentence"]
SET_COLUMNS = [
    "id", "data", "unit", "stratum", "own", "seeds", "y", "s", "freedom", "low", "high", "margin", "word", "competent",
    "control_mean", "treatment_mean", "trivial_error", "diverged_control", "limit_control", "edge_control",
    "diverged_treatment", "limit_treatment", "edge_treatment"]
UNIT_OF_FINDING_COLUMNS = ["id", "stratum", "unit", "sets", "seeds", "y", "s", "freedom", "low", "high"]
#: Of a finding in a stratum, the average over the data sets alone whose controls are competent, of two units or more.
COMPETENT_COLUMNS = ["id", "stratum", "units", "sets", "effect", "error", "freedom", "low", "high"]
READING_COLUMNS = ["slug", "topic", "reading", "reads", "sentence", "region", "quantifier", "by", "scope", "analogue", "primary"]
#: What a reading rests on. `word` is the finding's, which `turn` -1 turns round; `says`: what it says of the claim.
PART_COLUMNS = ["slug", "called", "id", "stratum", "data", "turn", "word", "says", "proven"]
#: A finding under every other choice; the margin is that of the scale, NaN on ranks.
MULTIVERSE_COLUMNS = ["id", "stratum", "rate", "endpoint", "scale", "weights", "sets", "mean", "low", "high", "margin"]
RELIABILITY_COLUMNS = ["event", "from", "to", "whole", "predictions", "predicted", "happened", "low", "high", "off",
                       "brier", "guessing"]
ERROR_RATE_COLUMNS = ["subject", "kind", "stratum", "findings", "truth", "spread", "says", "share", "wrong", "q", "low",
                      "high", "noise", "expected"]
#: `best_simple`: the simple predictor of the least error on the same seeds; `competent`: the control is nearly as good.
DATA_SET_CONTROL_COLUMNS = ["data", "kind", "stratum", "unit", "control", "error", "trivial_error", "of_trivial",
                            "best_simple", "simple_error", "competent", "half", "half_low", "half_high", "reacts"]
FINDING_PLACE_COLUMNS = ["experiment", "place", "number", "id", "stratum", "effect", "low", "high", "stands",
                         "may_be_best", "may_be_worst"]
FOUND = _tables(
    "results/findings",
    findings=FINDING_COLUMNS, sets=SET_COLUMNS, units=UNIT_OF_FINDING_COLUMNS, competent=COMPETENT_COLUMNS, asked=ASKED_COLUMNS,
    readings=READING_COLUMNS, parts=PART_COLUMNS, reliability=RELIABILITY_COLUMNS, error_rates=ERROR_RATE_COLUMNS,
    edges=EDGE_COLUMNS, data_sets=DATA_SET_CONTROL_COLUMNS, places=FINDING_PLACE_COLUMNS, doses=DOSE_COLUMNS)
# Of `predictions`, what stands today otherwise than it stood.
FOUND |= _tables("results/findings", changes=["kind", "name", "key", "stood", "stands"])
FOUND |= {"multiverse": Table("results/findings/multiverse.csv.gz", tuple(MULTIVERSE_COLUMNS))}
