"""What was trained again beside what is stored: the same bits, or differences as chance makes them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
from scipy import stats

from pipeline.tables.stored import COLUMNS
from pipeline.cli.verify.sample import Stored, Unit

#: How often the joint test says that chance does not explain differences that it made.
FALSE_ALARMS = 0.01
#: Random turns of the signs, for the test of a shift.
TURNS = 3_999
LEAST = 1e-12


def differing(unit: Unit, records: Mapping, stored: Stored) -> dict[str, list[str]]:
    """Key → what of a unit's runs is not what is stored, to the bit, in any table that has them.

    The rows and curves are made as the stage makes them: so the choice of the rate is compared, too.
    """
    found = {}
    for *place, seed in unit.places:
        rows, curves = stored.arms[tuple(place)].rows([seed], records)
        runs, lines = (table[(table[["variant", "data", "seed"]] == [*place[1:], seed]).all(axis=1)]
                       for table in stored.tables[place[0]])
        before = {row["key"]: row for row in runs.to_dict("records")}
        for row in rows:
            names = [name for name in COLUMNS if not _same(row[name], before[row["key"]][name])]
            if row["chosen"] and not pd.DataFrame(curves, columns=lines.columns).equals(lines.reset_index(drop=True)):
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


def _kept(runs: pd.DataFrame) -> tuple[pd.DataFrame, pd.Series]:
    """The log losses of kept runs, a column an arm and a row a seed; and their deviation over the seeds of each arm."""
    kept = runs[runs["chosen"]]
    logs = kept.assign(log=[math.log(loss(row)) for row in kept.to_dict("records")]).pivot_table(
        index="seed", columns=["experiment", "variant", "data"], values="log")
    return logs, logs.std().clip(lower=LEAST)


def noise(plans: Iterable[dict], runs: pd.DataFrame) -> dict[str, np.ndarray]:
    """Data set → differences of log losses between equal networks from other starts, a seed each.

    Each divided by the spread of the network's seeds, so that they stand for other networks too.
    """
    (logs, spread), found = _kept(runs), {}
    for plan in plans:
        firsts = {}
        for arm in sorted(plan["arms"], key=lambda arm: arm["train"]["repetition"]):
            place = plan["experiment"], arm["variant"], arm["data"]
            first = firsts.setdefault(str([arm["network"], arm["data"], arm["train"] | {"repetition": 0}]), place)
            if arm["train"]["repetition"] and {first, place} <= {*logs.columns}:
                found.setdefault(arm["data"], []).append((logs[place] - logs[first]).dropna() / spread[first])
    return {name: np.concatenate(values) for name, values in found.items()}


def scaled(changes: Mapping[tuple, float], runs: pd.DataFrame) -> dict[tuple, float]:
    """Changes by place (experiment, variant, data set, seed), each divided by the spread of its arm's seeds."""
    spread = _kept(runs)[1]
    return {place: value / spread[place[:3]] for place, value in changes.items()}


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
    return float(stats.mannwhitneyu(np.abs(values), np.abs(reference), alternative="greater", method="asymptotic").pvalue)


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
                     "p_shift": shift(mine), "p_excess": excess(mine, held)})
    table = pd.DataFrame(rows)
    table["p"] = np.minimum(1, 2 * len(table) * table[["p_shift", "p_excess"]].min(axis=1))
    table["explained"] = table["p"] > FALSE_ALARMS
    return table
