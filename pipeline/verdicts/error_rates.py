"""The rule's own error rates: arms that change nothing, and simulated studies."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping

import numpy as np
import pandas as pd

from pipeline.spec.params import MEASURING, Params, control_arms
from pipeline.spec.tables import CELL_COLUMNS
from pipeline.verdicts.arms import Measured
from pipeline.verdicts.cells import comparisons
from pipeline.verdicts.decide import decide
from pipeline.verdicts.effects import paired
from pipeline.verdicts.estimate import Estimate
from pipeline.verdicts.rule import LABELS, Rule, label_of, position_of


SAME, HALF = MEASURING


def measuring(params: Params) -> dict[str, dict[str, str]]:
    """The arms that measure the rule: kind → each, and the control that it is an arm of."""
    return {kind: {control_arms(control)[kind]: control for control in params.controls} for kind in MEASURING}


def arms(pairs: Mapping[str, Mapping[str, str]], measured: Measured, rule: Rule) -> pd.DataFrame:
    """The arms that measure the rule itself, by test error at the best epoch.

    Args:
        pairs: kind → treatment → control. `A/A`: the same network with other initial, batch and
            tuning seeds; `half the data`: trained on half of it.

    Returns:
        As `comparisons`, after a column `kind`.
    """
    tables = [comparisons(versus, measured, rule).assign(kind=kind) for kind, versus in pairs.items()]
    tables = [table for table in tables if len(table)]
    if not tables:
        return pd.DataFrame(columns=["kind", *CELL_COLUMNS])
    return pd.concat(tables, ignore_index=True)[["kind", *CELL_COLUMNS]]


def label_counts(arms: pd.DataFrame) -> pd.DataFrame:
    """How often a comparison was decisive, by kind.

    Returns:
        Columns `kind`, `comparisons` (those that can show something) and `decisive` (of those, the
        ones labelled better or worse).
    """
    shown = arms[arms["position"] != "uninformative"]
    rows = [(kind, len(mine), int(mine["label"].isin(["better", "worse"]).sum()))
            for kind, mine in shown.groupby("kind", sort=False)]
    return pd.DataFrame(rows, columns=["kind", "comparisons", "decisive"])


def decisive(arms: pd.DataFrame) -> float:
    """The share of informative A/A cells labelled better or worse, 0..1; NaN without any."""
    counts = label_counts(arms).set_index("kind")
    return float(counts["decisive"][SAME] / counts["comparisons"][SAME]) if SAME in counts.index else math.nan


def data_sets(arms: pd.DataFrame) -> pd.DataFrame:
    """The data sets on which a network was trained on half the data.

    Returns:
        Columns `data` and `blind`: whether some such network was not found worse there, so that
        “no difference” proves nothing.
    """
    half = arms[arms["kind"] == HALF]
    found = (half["label"] == "worse") & (half["position"] != "uninformative")
    blind = (~found).groupby(half["data"], sort=False).any()
    return pd.DataFrame({"data": blind.index, "blind": blind.to_numpy(bool)})


def blind_sets(arms: pd.DataFrame) -> frozenset[str]:
    """The data sets on which some network trained on half the data is not found worse."""
    sets = data_sets(arms)
    return frozenset(sets.loc[sets["blind"], "data"])


#: True effects per data set, as multiples of the margin ln(ratio_margin).
SCENARIOS = {"no effect": (0.0, 0.0, 0.0, 0.0),
             "an effect at the margin": (1.0, 1.0, 1.0, 1.0),
             "a real effect": (2.5, 2.5, 2.5, 2.5),
             "opposite effects": (2.5, 2.5, -2.5, -2.5)}
#: The right verdict on a claim of `better`, where it is not `contradicted`.
RIGHT = {"a real effect": "supported", "opposite effects": "mixed"}


def simulated(rule: Rule, seed: int, *, studies: int = 1000, seeds: int = 30) -> pd.DataFrame:
    """Error rates of the rule where the truth is known: four scenarios on four data sets.

    The simulated claim predicts `better`, `generally`. An outcome is wrong if it denies the
    scenario's truth; undecided never is.

    Args:
        rule: the constants.
        seed: of the only source of randomness.
        studies: number of simulated claims per scenario.
        seeds: number of seeds per cell.

    Returns:
        Columns `scenario`, `unit` (`interval`, `cell` or `claim`), `outcome`, `share` 0..1 and
        `wrong`; the shares of a scenario's unit sum to 1. `interval`: one interval of the four.
    """
    rows = []
    delta = math.log(rule.ratio_margin)
    for (scenario, multiples), child in zip(
            SCENARIOS.items(), np.random.SeedSequence(seed).spawn(len(SCENARIOS)), strict=True):
        truth = delta * np.array(multiples)
        control, treatment = draw_errors(truth, studies, seeds, np.random.default_rng(child))
        estimate = paired(control, treatment, "log ratio", rule.alpha, len(truth))
        rows += [(scenario, *row) for row in (
            *_intervals(estimate, truth), *_labels(estimate, truth, delta),
            *_verdicts(estimate, delta, RIGHT.get(scenario, "contradicted"), rule))]
    return pd.DataFrame(rows, columns=["scenario", "unit", "outcome", "share", "wrong"])


def _intervals(estimate: Estimate, truth: np.ndarray) -> list[tuple]:
    """How often an interval misses the true effect."""
    missed = float(((estimate.low > truth) | (estimate.high < truth)).mean())
    return [("interval", "missed", missed, True), ("interval", "covered", 1 - missed, False)]


def _labels(estimate: Estimate, truth: np.ndarray, delta: float) -> list[tuple]:
    """How often a cell has each label, and how often that denies the true effect."""
    labels, wrong = Counter(), Counter()
    for lows, highs in zip(estimate.low, estimate.high, strict=True):
        for low, high, true in zip(lows, highs, truth, strict=True):
            found = label_of(low, high, delta)
            labels[found] += 1
            wrong[found] += not _allows(found, true, delta)
    rows = []
    for found in LABELS:
        share, bad = (count[found] / estimate.low.size for count in (labels, wrong))
        # Opposite effects make a label right on some data sets and wrong on others.
        rows += [("cell", found, share - bad, False)] if share > bad else []
        rows += [("cell", found, bad, True)] if bad else []
    return rows


def _verdicts(estimate: Estimate, delta: float, right: str, rule: Rule) -> list[tuple]:
    """How often a claim of `better`, `generally`, has each verdict."""
    outcomes = Counter()
    for lows, highs in zip(estimate.low, estimate.high, strict=True):
        positions = Counter(position_of(low, high, delta, "better")
                            for low, high in zip(lows, highs, strict=True))
        outcomes[decide(len(lows), positions["for"], positions["against"], "generally", rule)] += 1
    return [("claim", verdict, count / len(estimate.low), verdict not in (right, "undecided"))
            for verdict, count in sorted(outcomes.items())]


def _allows(found: str, true: float, delta: float) -> bool:
    """Whether a label is compatible with a true effect."""
    return {"better": true > delta, "worse": true < -delta, "equivalent": abs(true) < delta,
            "undecided": True}[found]


def draw_errors(effects, studies: int, seeds: int, rng: np.random.Generator, *,
                shared: float = 0.2, own: float = 0.1):
    """Simulated paired errors whose true effects are known.

    Errors are log-normal: a part that both arms of a seed share (its data) and a part of each
    arm's own (its training), so that E[control] / E[treatment] = exp(effect).

    Args:
        effects: true effects `(sets,)`, logarithms of ratios.
        studies, seeds: numbers of independent studies, and of seeds in each.
        rng: the only source of randomness.
        shared, own: standard deviations of the logarithm's two parts.

    Returns:
        control, treatment: `(studies, sets, seeds)`.
    """
    effects = np.asarray(effects, float)
    shape = (studies, len(effects), seeds)
    common = rng.normal(0, shared, shape)
    control = np.exp(common + rng.normal(0, own, shape))
    treatment = np.exp(common + rng.normal(0, own, shape) - effects[None, :, None])
    return control, treatment
