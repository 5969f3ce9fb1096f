"""What was trained again beside what is stored: the same bits, or differences as chance makes them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
from scipy import stats

from pipeline.tables.stored import COLUMNS
from pipeline.train.arm import Arm, DataSet
from pipeline.cli.verify.sample import Tables, Unit, arm

#: How often the joint test says that chance does not explain differences that it made.
FALSE_ALARMS = 0.01
#: Random turns of the signs, for the test of a shift.
TURNS = 3_999
LEAST = 1e-12


def differing(unit: Unit, records: Mapping, plans: Mapping[str, dict], data: Mapping[str, DataSet],
              tables: Mapping[str, Tables]) -> dict[str, list[str]]:
    """Key → what of a unit's runs is not what is stored, to the bit, in any table that has them.

    The rows and curves are made as the stage makes them: so the choice of the rate is compared, too.
    """
    found = {}
    for place in unit.places:
        one = Arm(plans[place[0]], arm(place, plans), data[place[2]])
        rows, curves = one.rows([place[3]], records)
        runs, lines = (table[(table[["variant", "data", "seed"]] == list(place[1:])).all(axis=1)]
                       for table in tables[place[0]])
        stored = {row["key"]: row for row in runs.to_dict("records")}
        for row in rows:
            names = [name for name in COLUMNS if not _same(row[name], stored[row["key"]][name])]
            if row["chosen"] and not pd.DataFrame(curves, columns=lines.columns).equals(
                    lines.reset_index(drop=True)):
                names.append("curves")
            if names:
                found[row["key"]] = sorted({*found.get(row["key"], ()), *names})
    return found


def _same(a, b) -> bool:
    return a == b or (a != a and b != b)


def loss(run: Mapping) -> float:
    """A run's test loss at its best epoch; of one that diverged, the trivial predictor's."""
    found = run["trivial_loss"] if run["diverged"] or not math.isfinite(run["best_loss"]) else run["best_loss"]
    return max(found, LEAST)


def change(new: Mapping, old: Mapping) -> float:
    """The logarithm of the ratio of two runs' losses."""
    return math.log(loss(new) / loss(old))


def _kept(runs: pd.DataFrame) -> pd.DataFrame:
    """The log losses of kept runs, a column an arm and a row a seed."""
    kept = runs[runs["chosen"]]
    return kept.assign(log=[math.log(loss(row)) for row in kept.to_dict("records")]).pivot_table(
        index="seed", columns=["experiment", "variant", "data"], values="log")


def noise(plans: Iterable[dict], runs: pd.DataFrame) -> dict[str, np.ndarray]:
    """Data set → differences of log losses between equal networks from other starts, a seed each.

    Each divided by the spread of the network's seeds, so that they stand for other networks too.

    Args:
        runs: rows of the tables of runs.
    """
    logs, found = _kept(runs), {}
    for plan in plans:
        base = {(str(arm["network"]), arm["data"], arm["train"]["train_fraction"]): arm["variant"]
                for arm in plan["arms"] if arm["train"]["repetition"] == 0}
        for arm in plan["arms"]:
            if arm["train"]["repetition"] == 0:
                continue
            first = base.get((str(arm["network"]), arm["data"], arm["train"]["train_fraction"]))
            one, two = ((plan["experiment"], name, arm["data"]) for name in (first, arm["variant"]))
            if {one, two} <= {*logs.columns}:
                turned = ((logs[two] - logs[one]).dropna() / spread(logs, one)).to_numpy()
                found[arm["data"]] = np.concatenate([found.get(arm["data"], turned[:0]), turned])
    return found


def spread(logs: pd.DataFrame, arm: tuple) -> float:
    """The standard deviation of an arm's log losses over seeds."""
    return max(float(logs[arm].std()), LEAST)


def scaled(changes: Mapping[tuple, float], runs: pd.DataFrame) -> dict[tuple, float]:
    """Changes by place, each divided by the spread of its arm's seeds.

    Args:
        changes: place (experiment, variant, data set, seed) → change of the kept run's log loss.
    """
    logs = _kept(runs)
    return {place: value / spread(logs, place[:3]) for place, value in changes.items()}


def shift(values: np.ndarray) -> float:
    """p that the mean is 0, where each sign is a toss of a coin: of which machine is which."""
    values = values[values != 0]
    if not len(values):
        return 1.0
    signs = np.random.default_rng(0).choice([-1, 1], (TURNS, len(values)))
    as_far = np.abs(signs @ values) >= abs(values.sum()) * (1 - 1e-9)
    return float((1 + as_far.sum()) / (1 + TURNS))


def excess(values: np.ndarray, reference: np.ndarray) -> float:
    """p that sizes are no larger than those of the reference (Mann and Whitney's test, one-sided)."""
    if not len(values) or not len(reference):
        return 1.0
    return float(stats.mannwhitneyu(np.abs(values), np.abs(reference), alternative="greater",
                                    method="asymptotic").pvalue)


def explained(values: Mapping[str, np.ndarray], reference: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """Family → whether chance explains its changes: they favour no side, and are no larger than A/A ones.

    Two tests a family; jointly, by Bonferroni's inequality, they are wrong at most `FALSE_ALARMS` of
    the time. `explained` says whether p, which counts all tests, is above that.

    Args:
        values, reference: scaled changes by family, and the A/A differences.
    """
    rows = []
    for family, mine in values.items():
        held = reference.get(family, np.zeros(0))
        rows.append({"family": family, "seeds": len(mine), "references": len(held), "mean": float(np.mean(mine)),
                     "p_shift": shift(np.asarray(mine)), "p_excess": excess(np.asarray(mine), held)})
    table = pd.DataFrame(rows)
    table["p"] = np.minimum(1, 2 * len(table) * table[["p_shift", "p_excess"]].min(axis=1))
    table["explained"] = table["p"] > FALSE_ALARMS
    return table
