"""The rule's own error rates: what it says where nothing was changed, and in studies whose truth is known.

A simulated study draws the seeds of every unit again, the same ones for all findings, so that findings which share a
control, or a data set, err together as they do in the study.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from statsmodels.stats.proportion import proportion_confint

from pipeline.findings import words
from pipeline.findings.average import Mean, Sample, Spread, Units, together
from pipeline.findings.claims import Read
from pipeline.findings.estimate import Estimate, false_discovery
from pipeline.findings.finding import Average
from pipeline.findings.regions import CODES, REGIONS, together as combined
from pipeline.findings.rule import Rule
from pipeline.tables.schemas import ERROR_RATE_COLUMNS

#: True averages, as multiples of the margin.
TRUTHS = (0.0, 0.5, 1.0, 2.0)
#: Finding and stratum.
Key = tuple[str, str]


@dataclass(frozen=True)
class Simulation:
    """How studies are simulated.

    Attributes:
        studies: how many of each truth.
        seed: of the only source of randomness.
    """

    studies: int = 1000
    seed: int = 1

    def __call__(self, averages: Mapping[Key, Average], spread: bool) -> dict[Key, list[Sample]]:
        """Measured effects `(studies, units)` of each stratum of each average, where all true averages are 0.

        The noise of unit k is the mean of its seeds' contributions, drawn with replacement, and brought to their
        unbiased spread; with `spread` it has also a true effect drawn from the observed ones, brought to mean 0 and
        to the spread τ, so that it is as skewed as they are.
        """
        rng, drawn = np.random.default_rng([self.seed, int(spread)]), {}
        return {key: [self._sample(one.units.of(name), spread, rng, drawn) for name in dict.fromkeys(one.units.strata)]
                for key, one in averages.items()}

    def _sample(self, units: Units, spread: bool, rng: np.random.Generator, drawn: dict[tuple, np.ndarray]) -> Sample:
        """The units of a stratum; `drawn` holds what all findings share: a unit's seeds, and the one whose true effect it has."""
        y, sample, k = [], units.sample(), len(units.names)
        for name, effect in zip(units.names, units.effects, strict=True):
            n = len(effect.w)
            if (name, n) not in drawn:
                drawn[name, n] = rng.multinomial(n, np.full(n, 1 / n), self.studies) / n
            y.append(drawn[name, n] @ (effect.w - effect.w.mean()) * float(np.sqrt(n / (n - 1))))
        found = np.stack(y, axis=1)
        if spread and k > 1:
            places = list(zip(units.strata, units.names, strict=True))
            drawn |= {place: rng.random(self.studies) for place in places if place not in drawn}
            donors = np.stack([np.floor(drawn[place] * k).astype(int) for place in places], axis=1)
            centred, sd = sample.y - sample.y.mean(), sample.y.std()
            found = found + (centred * (np.sqrt(Spread()(sample)) / sd if sd else 0.0))[donors]
        return Sample(found, *(np.broadcast_to(part, found.shape) for part in (sample.s, sample.freedom)))


def simulated(averages: Mapping[Key, Average], readings: Iterable[Read], rule: Rule,
              simulation: Simulation = Simulation()) -> pd.DataFrame:
    """How often each word is said and each claim read so, and how often that is wrong, where the truth is known.

    Args:
        averages: by finding and stratum, those that speak of data like these.
        readings: the claims; those whose parts are all among the averages are read again in every study.

    Returns:
        `ERROR_RATE_COLUMNS`. `truth`: the true average of every finding, in margins; `spread`: whether the true effects
        of units differ; without any average, no row. The shares of a truth and a subject sum to 1. Of a word `wrong` says whether it is, of the
        truth; of claims, the share of all readings that are. `q`: the share of directions with q up to the level.
    """
    rows, known = [], [one for one in readings if one.parts and not one.why and
                       all((part.id, part.stratum) in averages for part in one.parts)]
    for spread in (False, True) if averages else ():
        drawn = simulation(averages, spread)
        for truth in TRUTHS:
            found = {key: together([Mean()(Sample(one.y + truth * averages[key].finding.delta, one.s, one.freedom))
                                    for one in samples]) for key, samples in drawn.items()}
            about = {"truth": truth, "spread": spread}
            rows += [about | row for row in _said(found, averages, truth, rule)]
            rows += [about | row for row in _read(found, known, truth, rule)]
    return pd.DataFrame(rows, columns=ERROR_RATE_COLUMNS)


def _said(found: Mapping[Key, Estimate], averages: Mapping[Key, Average], truth: float, rule: Rule) -> list[dict]:
    """Rows about words, for each kind and stratum, and about their q values."""
    keys = list(found)
    low, high = (np.stack(part, axis=1) for part in zip(*(found[key].bounds(rule.tail) for key in keys), strict=True))
    delta = np.array([averages[key].finding.delta for key in keys])
    said = words.choose(low, high, delta)
    p = np.stack([2 * np.minimum(found[key].above(), found[key].below()) for key in keys], axis=1)
    sure = false_discovery(np.minimum(p, 1.0)) <= rule.q_level
    directed = (low > 0) | (high < 0)
    places = [(averages[key].finding.question.kind, averages[key].stratum) for key in keys]
    rows = []
    for place in dict.fromkeys(places):
        mine = np.array([one == place for one in places])
        for word in words.Word:
            hit = said[:, mine] == str(word)
            rows.append({"subject": "words", "kind": place[0], "stratum": place[1], "findings": int(mine.sum()),
                         "says": str(word), "share": hit.mean(), "wrong": float(words.denied(word, truth, 1.0)),
                         "q": (hit & sure[:, mine] & directed[:, mine]).mean()})
    false = high < 0 if truth else directed
    rows.append({"subject": "a false direction with q up to the level", "kind": "", "stratum": "", "findings": len(keys),
                 "says": "in any finding", "share": (false & sure).any(axis=1).mean(), "wrong": 1.0, "q": np.nan})
    return rows


def _read(found: Mapping[Key, Estimate], readings: Sequence[Read], truth: float, rule: Rule) -> list[dict]:
    """Rows about claims, by quantifier."""
    rows: list[dict] = []
    for quantifier in dict.fromkeys(one.claim.predicts.quantifier for one in readings):
        mine = [one for one in readings if one.claim.predicts.quantifier == quantifier]
        both = [_codes(one, found, truth, rule) for one in mine]
        codes, bad = (np.stack(part, axis=1) for part in zip(*both, strict=True))
        rows += [{"subject": "claims", "kind": quantifier, "stratum": "", "findings": len(mine), "says": str(name),
                  "share": (codes == code).mean(), "wrong": (bad & (codes == code)).mean(), "q": np.nan}
                 for code, name in CODES.items()]
    return rows


def _codes(read: Read, found: Mapping[Key, Estimate], truth: float, rule: Rule) -> tuple[np.ndarray, np.ndarray]:
    """What a claim reads in each study, and whether that is wrong `(studies,)`."""
    region, claim = REGIONS[read.claim.predicts.region], read.claim
    chances, right, wrong = [], [], []
    for part in read.parts:
        one = found[part.id, part.stratum]
        chances.append(region.chances(one if part.turn > 0 else -one, part.delta, rule.tail))
        mean = part.turn * truth * part.delta
        right.append(region.right(mean, part.delta))
        wrong.append(region.wrong(mean, part.delta))
    yes, no = (np.stack(part, axis=-1) for part in zip(*chances, strict=True))
    codes = combined(claim.predicts.quantifier, yes, no, rule.tail)
    may_agree, may_disagree = _allowed(claim.predicts.quantifier, right, wrong)
    mixed = ((yes < rule.tail) & ~np.array(right) | (no < rule.tail) & ~np.array(wrong)).any(axis=-1)
    return codes, np.select([codes == 1, codes == -1, codes == 2], [not may_agree, not may_disagree, mixed], False)


def _allowed(quantifier: str, right: Sequence[bool], wrong: Sequence[bool]) -> tuple[bool, bool]:
    """Whether to agree, and to disagree, would be right of the whole."""
    if quantifier == "some":
        return any(right), all(wrong)
    return all(right), any(wrong) if quantifier == "each" else all(wrong)


def repetitions(sets: pd.DataFrame, role: str, rule: Rule) -> list[dict]:
    """On how many data sets the rule finds a difference where nothing was changed (A/A), or half the data was taken.

    Args:
        sets: those of the findings with that role, a row a data set.

    Returns:
        Rows of `ERROR_RATE_COLUMNS`: `share` with its exact interval, `low` to `high` (C. J. Clopper and E. S. Pearson,
        Biometrika 26, 1934); `noise`: sd(y) beside `expected`, the root of the mean s² (of A/A a ratio well above 1
        means that s is too small).
    """
    if sets.empty:
        return []
    hits, n = int(((sets["low"] > 0) | (sets["high"] < 0)).sum()), len(sets)
    low, high = proportion_confint(hits, n, alpha=1 - rule.confidence, method="beta")
    return [{"subject": role, "kind": "", "stratum": "", "findings": n, "truth": 0.0 if role == "A/A" else np.nan,
             "spread": False, "says": "a direction on a data set", "share": hits / n,
             "wrong": 1.0 if role == "A/A" else np.nan, "q": np.nan, "low": low, "high": high,
             "noise": float(sets["y"].std(ddof=1)) if n > 1 else np.nan,
             "expected": float(np.sqrt((sets["s"] ** 2).mean()))}]
