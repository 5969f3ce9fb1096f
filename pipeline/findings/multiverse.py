"""A finding under every other choice that could have been made: does it keep its sign, and its word?"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from pipeline.findings import compare, controls, scales, words
from pipeline.findings.arms import Comparison, GUESSING, OTHER
from pipeline.findings.average import Mean, Sample, Spread, together, units
from pipeline.findings.estimate import Estimate
from pipeline.findings.finding import ALL, Average, Finding
from pipeline.findings.rates import RULES
from pipeline.findings.study import Study
from pipeline.tables.schemas import MULTIVERSE_COLUMNS

RATIO, MEAN_RATIO, DIFFERENCE, RANKS = "ratio of means", "mean of ratios", "difference", "ranks"
EVERY_SET, NO_LOW, NO_HIGH = "every set", "without low errors", "without errors near guessing"
WEIGHTS = ("equal", "precision")


@dataclass(frozen=True)
class Choice:
    """Which runs are compared, and how on one data set.

    Attributes:
        rate: the rule of the learning rate.
        comparison: at the endpoint that is chosen.
        scale: of an effect.
    """

    rate: object
    comparison: Comparison
    scale: str

    def effect(self, data: str, study: Study):
        """The effect on a data set."""
        return compare.effect(self.comparison, data, study, self.rate, self._scale(data, study))

    def _scale(self, data: str, study: Study):
        about = self.comparison.about
        if self.scale == MEAN_RATIO:
            return scales.MeanOfRatios(self._least(data, study))
        if self.scale == RANKS:
            return scales.Ranks(lower=about.lower)
        if self.scale == DIFFERENCE and _has_ratios(self.comparison):
            return scales.Difference(lower=True, unit=self._guess(data, study))
        return compare.scale_of(self.comparison.metric)

    def _runs(self, data: str, study: Study):
        return compare.scored(self.comparison.pairs[0][1], data, self.comparison, study, self.rate)

    def _guess(self, data: str, study: Study) -> float:
        """What differences are divided by, so that sets can be averaged: the trivial predictor's score, if it has one."""
        runs, name = self._runs(data, study).runs[0], f"trivial_{self.comparison.metric}"
        return runs.share(name) if name in runs else 1.0

    def _least(self, data: str, study: Study) -> float:
        """The least score that a logarithm is taken of: half an error of a test split of classes."""
        runs = self._runs(data, study).runs[0]
        classes = self.comparison.metric == "error" and np.isfinite(runs["best_calibration_error"]).any()
        return 0.5 / runs.share("test_size") if classes else 1e-12

    def margin(self, finding: Finding, study: Study) -> float:
        """δ on the choice's scale; NaN on ranks, which have none.

        A difference matters where it is that share of the control's mean score.
        """
        if self.scale == RANKS:
            return np.nan
        if self.scale != DIFFERENCE or not _has_ratios(self.comparison):
            return finding.delta
        shares = [self._runs(data, study).control.mean() / self._guess(data, study) for data in finding.effects]
        return float(np.expm1(finding.delta) * np.mean(shares))


def _has_ratios(comparison: Comparison) -> bool:
    return comparison.about.scale == "log ratio" and comparison.metric not in ("largest_rate", "parameters")


def choices(comparison: Comparison) -> list[Choice]:
    """The choices that there are for a comparison; the first is the one that was made.

    What the probe measured, and epochs to the target, are known at each seed's own rate alone.
    """
    fixed = comparison.probe or comparison.metric in ("epochs_to_target", "largest_rate")
    ends = [comparison.endpoint]
    if comparison.about.endpoint and not comparison.probe:
        ends.append(OTHER[comparison.endpoint])
    kinds = [RATIO, MEAN_RATIO, DIFFERENCE, RANKS] if _has_ratios(comparison) else [DIFFERENCE, RANKS]
    return [Choice(rate, replace(comparison, endpoint=end), kind)
            for rate in (RULES[:1] if fixed else RULES) for end in ends for kind in kinds]


@dataclass(frozen=True, eq=False)
class Analysed:
    """A finding's units under every choice.

    Attributes:
        sample: their effects `(choices, units)`.
        margin: δ of each choice `(choices,)`.
        low, high: which units have a control with a low error, or with one near guessing `(units,)`.
    """

    choices: Sequence[Choice]
    finding: Finding
    sample: Sample
    margin: np.ndarray
    low: np.ndarray
    high: np.ndarray


def analyse(finding: Finding, study: Study) -> Analysed:
    """A finding's units under every choice."""
    every = choices(finding.question.comparison)
    samples = [units({data: one.effect(data, study) for data in finding.effects}, study.params).sample() for one in every]
    stacked = Sample(*(np.array([getattr(one, name) for one in samples]) for name in ("y", "s", "freedom")))
    low, high = _levels(finding, study)
    return Analysed(every, finding, stacked, np.array([one.margin(finding, study) for one in every]), low, high)


def _levels(finding: Finding, study: Study) -> tuple[np.ndarray, np.ndarray]:
    comparison, rule = finding.question.comparison, study.rule
    pair = comparison.pairs[0][1]
    if comparison.probe:
        return (np.zeros(len(finding.units.names), bool),) * 2
    arm = pair.treatment if pair.control == GUESSING else pair.control
    found = [np.mean([controls.levels(arm, pair.data or data, study) for data in sets], axis=0) for sets in finding.units.sets]
    error, trivial = np.array(found).T
    return error < rule.low_error, error > rule.high_error * trivial


@dataclass(frozen=True, eq=False)
class Curve:
    """An average under every choice, those of weights and sets included; arrays `(choices, weights, sets)`.

    Attributes:
        sets: the names of the last axis.
        mean, low, high: the averages with their intervals; NaN where too few units are left.
    """

    average: Average
    analysed: Analysed
    sets: Sequence[str]
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray

    def shares(self, study: Study) -> dict[str, float]:
        """The shares of all analyses, margins included, that keep the sign and the word of the one that was made.

        On ranks, which have no margin, a word is kept that says the same of the direction: that way, or no way.
        """
        rule, delta = study.rule, self.analysed.margin[:, None, None]
        ranks, delta = ~np.isfinite(delta), np.nan_to_num(delta)
        known, ways = np.isfinite(self.mean), (self.low > 0) * 1 - (self.high < 0) * 1
        kept = []
        for factor in (rule.narrower_margin, 1.0, rule.wider_margin):
            said = words.choose(self.low, self.high, factor * delta)
            own = words.choose(self.low[0, 0, 0], self.high[0, 0, 0], delta[0, 0, 0])
            kept.append(np.where(ranks, ways == ways[0, 0, 0], said == str(own))[known].mean())
        return {"analyses": 3 * int(known.sum()), "same_word": float(np.mean(kept)),
                "same_sign": float((np.sign(self.mean) == np.sign(self.mean[0, 0, 0]))[known].mean())}

    def table(self) -> pd.DataFrame:
        """`MULTIVERSE_COLUMNS`, one row an analysis, but for the margins that are only narrower or wider."""
        shape = self.mean.shape
        every = self.analysed.choices
        parts = {"rate": [one.rate.name for one in every], "endpoint": [one.comparison.endpoint for one in every],
                 "scale": [one.scale for one in every], "margin": np.round(self.analysed.margin, 4)}
        table = pd.DataFrame({name: np.repeat(np.array(part), shape[1] * shape[2]) for name, part in parts.items()})
        table["weights"] = np.tile(np.repeat(np.array(WEIGHTS), shape[2]), shape[0])
        table["sets"] = np.tile(np.array(self.sets), shape[0] * shape[1])
        for name in ("mean", "low", "high"):
            table[name] = np.round(getattr(self, name).reshape(-1), 4)
        table = table.assign(id=self.average.finding.question.id, stratum=self.average.stratum)
        return table[np.isfinite(table["mean"])][MULTIVERSE_COLUMNS]


def curve(one: Average, analysed: Analysed, study: Study) -> Curve:
    """An average under every choice."""
    names, masks = _subsets(one, analysed)
    found = []
    for precision in (False, True):
        # DerSimonian and Laird's spread, as it has a closed form.
        mean = Mean(family=one.family, precision=precision, spread=Spread("DL"))
        with np.errstate(divide="ignore", invalid="ignore"):
            found.append(together([mean(part) for part in _parts(one, analysed, masks)]))
    value, error, freedom = (np.stack([getattr(each, name) for each in found], axis=1) for name in ("value", "error", "freedom"))
    bad = ~np.isfinite(error)
    low, high = Estimate(value, error, freedom).bounds(study.rule.tail)
    return Curve(one, analysed, names, *(np.where(bad, np.nan, part) for part in (value, low, high)))


def _subsets(one: Average, analysed: Analysed) -> tuple[list[str], np.ndarray]:
    """The choices of sets, and which units count in each `(sets, units)`."""
    units = analysed.finding.units
    mine = np.array([one.stratum in (ALL, name) for name in units.strata])
    found = {EVERY_SET: mine}
    for name, bad in ((NO_LOW, analysed.low), (NO_HIGH, analysed.high)):
        if (mine & bad).any():
            found[name] = mine & ~bad
    for i in np.flatnonzero(mine) if mine.sum() > 1 else ():
        found[f"without {units.names[i]}"] = mine & (np.arange(len(mine)) != i)
    return list(found), np.array(list(found.values()), float)


def _parts(one: Average, analysed: Analysed, masks: np.ndarray) -> list[Sample]:
    """The units of each stratum under every choice of runs and of sets `(choices, sets, units)`."""
    strata, sample, parts = np.array(analysed.finding.units.strata), analysed.sample, []
    for name in dict.fromkeys(strata[masks[0] > 0]):
        mine = strata == name
        shape = (len(sample.y), len(masks), int(mine.sum()))
        parts.append(Sample(*(np.broadcast_to(part[:, None, mine], shape) for part in (sample.y, sample.s, sample.freedom)),
                            kept=masks[None][:, :, mine]))
    return parts
