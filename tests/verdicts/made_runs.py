"""Small studies, made for tests: params, runs and claims."""

import zlib

import numpy as np
import pandas as pd

from pipeline.tables.stored import COLUMNS
from pipeline.config.claims import Claim
from pipeline.config.schema import parse
from pipeline.verdicts.arms import Measured
from pipeline.verdicts.rule import Rule
from pipeline.verdicts.scores import derive
from pipeline.verdicts.sweeps import sweeps

RULE = Rule()


def random(*words):
    """A source of randomness of its own for each list of words."""
    return np.random.default_rng(zlib.crc32(repr(words).encode()))


def arm(experiment, data, level=1.0, *, seeds=15, variant="", noise=0.05, diverged=(), trivial=10.0,
        rates=(0.01,), keep=None, others=1.3, last=1.0, classes=False, **columns):
    """Runs of one arm on one data set; seeds share a part of their error with those of other arms.

    Each seed keeps the rate number `keep` (the middle one, or one a seed); at the others its error is
    `others` times as large. At the last epoch it is `last` times as large.
    """
    shared = random(data).normal(0, 0.2, 500)[:seeds]
    error = level * np.exp(shared + random(experiment, variant, data).normal(0, noise, seeds))
    keep = np.broadcast_to((len(rates) - 1) // 2 if keep is None else keep, seeds)
    tables = []
    for i, rate in enumerate(rates):
        now = np.where(keep == i, error, others * error)
        tables.append(pd.DataFrame({
            "experiment": experiment, "variant": variant, "data": data, "seed": 3000 + np.arange(seeds),
            "learning_rate": rate, "chosen": keep == i, "stopped": 20, "hit_limit": False,
            "diverged": np.isin(np.arange(seeds), diverged), "parameters": 100,
            "best_error": now, "best_loss": 2 * now, "best_train_loss": now, "best_validation_loss": now,
            "last_error": last * now, "last_loss": 2 * last * now, "last_train_loss": now,
            "best_calibration_error": 0.1 * now if classes else np.nan,
            "best_minority_recall": 0.5 / now if classes else np.nan,
            "trivial_error": trivial, "trivial_loss": 2 * trivial, "trivial_validation_loss": trivial,
            "test_size": 1000, "key": "k"}))
    table = pd.concat(tables, ignore_index=True)
    lost = [f"{end}_{name}" for end in ("best", "last") for name in ("error", "loss", "train_loss")]
    table.loc[table["diverged"], [*lost, "best_validation_loss"]] = np.nan
    return table.assign(**columns).reindex(columns=list(dict.fromkeys([*COLUMNS, *columns])))


def together(*arms):
    return pd.concat(arms, ignore_index=True)


def family(count, name="tables", stratum="", first=0, **entry):
    """Entries of the data sets of a family, each a unit of its own."""
    return {f"{name}_{i}": {"group": name, "source": "forecast", "seeds": 15, "unit": f"u{name}_{i}",
                            **({"stratum": stratum} if stratum else {}), **entry}
            for i in range(first, first + count)}


def study(data, experiments, **sections):
    """A params.yaml; experiments are named with what of their entry is not the same for all."""
    entries = {name: {"layers": ["LSTM"], **entry} for name, entry in experiments.items()}
    return parse({"data": data, "layers": {}, "experiments": entries,
                  "train": {"epochs": 1, "batch_size": 8, "optimizer": "Adam", "learning_rates": [0.01]},
                  **sections})


def claim(region="better", quantifier="generally", treatment="new", control="old", **extra):
    content = {"slug": "a_claim", "rows": ["A1"], "who": "Q", "says": "It helps.", "topic": "test",
               "predicts": {"by": "ours", "region": region, "quantifier": quantifier}}
    if not {"contrasts", "baseline", "checks"} & set(extra):
        extra["contrasts"] = [{"treatment": treatment, "control": control}]
    return Claim(**(content | extra))


def measured(runs, params=None, **more):
    """What verdicts rest on."""
    return Measured(derive(runs, RULE), sweeps=sweeps(params) if params else None, **more)


def curves(experiment, data, losses, rate=0.01):
    """Curves from validation losses `(seeds, epochs)`; a run ends before the first that is missing."""
    return pd.DataFrame([
        (experiment, "", data, 3000 + seed, rate, epoch + 1, loss, loss)
        for seed, row in enumerate(losses) for epoch, loss in enumerate(row) if not np.isnan(loss)],
        columns=["experiment", "variant", "data", "seed", "learning_rate", "epoch", "train_loss",
                 "validation_loss"])
