"""Small tables of runs and claims, made for tests."""

import numpy as np
import pandas as pd

from pipeline.spec.claims import Claim
from pipeline.verdicts.arms import Measured
from pipeline.verdicts.cells import cells
from pipeline.verdicts.rule import Rule

RULE = Rule()


def arm(experiment, data, level=1.0, *, seeds=30, variant="", noise=0.05, diverged=0,
        trivial=10.0, task="regression", test_size=1000, rate=0.01, chosen=True, default=True,
        last=None, **columns):
    """Runs of one arm on one data set; seeds share a part of their error."""
    text = f"{experiment}{variant}{data}{rate}"
    own = np.random.default_rng(sum(map(ord, text)) * 977 + len(text))
    shared = np.random.default_rng(sum(map(ord, data))).normal(0, 0.2, 500)[:seeds]
    error = level * np.exp(shared + own.normal(0, noise, seeds))
    later = error if last is None else error * last / level
    classes = task == "classes"
    table = pd.DataFrame({
        "experiment": experiment, "variant": variant, "data": data, "seed": range(seeds),
        "purpose": "study", "learning_rate": rate, "chosen": chosen, "default": default,
        "diverged": np.arange(seeds) < diverged, "parameters": 100,
        "best_error": error, "best_loss": 2 * error if classes else error,
        "last_error": later, "last_loss": 2 * later if classes else later,
        "best_calibration_error": 0.1 + 0.02 * own.normal(size=seeds) if classes else np.nan,
        "best_minority_recall": 0.5 + 0.02 * own.normal(size=seeds) if classes else np.nan,
        "best_validation_loss": error, "trivial_error": trivial, "trivial_loss": 2 * trivial
        if classes else trivial, "test_size": test_size, "task": task})
    table.loc[table["diverged"], ["best_error", "best_loss", "last_error", "last_loss"]] = np.nan
    return table.assign(**columns)


def together(*arms):
    return pd.concat(arms, ignore_index=True)


def claim(region="better", quantifier="generally", treatment="new", control="old", **extra):
    content = {"slug": "a_claim", "rows": ["A1"], "who": "Q", "says": "It helps.", "topic": "test",
               "predicts": {"by": "ours", "region": region, "quantifier": quantifier}}
    if not {"contrasts", "baseline", "checks"} & set(extra):
        extra["contrasts"] = [{"treatment": treatment, "control": control}]
    return Claim(**(content | extra))


def measured(runs, curves=None, **more):
    """What verdicts rest on; which data sets have classes, the column `task` says."""
    classes = runs.loc[runs["task"] == "classes", "data"] if "task" in runs else ()
    return Measured(runs, curves, set(classes), **more)


def cells_of(claims, runs, curves=None, *, probed=None, sweeps=None, **options):
    """The cells of claims."""
    return cells(claims, measured(runs, curves, probed=probed, sweeps=sweeps), RULE, **options)


def one(spec, runs, curves=None, **options):
    """The only cell of a claim."""
    table = cells_of([spec], runs, curves, **options)
    assert len(table) == 1
    return table.iloc[0]


def curves(experiment, data, losses, rate=0.01):
    """Curves from validation losses `(seeds, epochs)`."""
    return pd.DataFrame([
        (experiment, "", data, seed, rate, epoch + 1, loss, loss)
        for seed, row in enumerate(losses) for epoch, loss in enumerate(row)],
        columns=["experiment", "variant", "data", "seed", "learning_rate", "epoch", "train_loss",
                 "validation_loss"])


def falling(start, seeds=30, epochs=40, floor=1.0):
    """Validation losses that reach `floor` after `start` epochs, later on some seeds."""
    losses = np.full((seeds, epochs), floor)
    for seed in range(seeds):
        losses[seed, :start + seed % 3] = 5.0
    return losses
