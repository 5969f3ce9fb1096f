"""What a claim predicts, and what findings say of that."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from pipeline.findings.estimate import Estimate


class Reading(StrEnum):
    """What a claim reads."""

    AGREES = "agrees"
    DISAGREES = "disagrees"
    MIXED = "mixed"
    CANNOT_TELL = "cannot tell"
    TRUE = "true"
    FALSE = "false"
    WAITING = "being measured"


#: What a part says, and what parts say together where they differ.
CODES = {1: Reading.AGREES, -1: Reading.DISAGREES, 0: Reading.CANNOT_TELL, 2: Reading.MIXED}


@dataclass(frozen=True)
class Region:
    """What a claim predicts of an effect μ, with the margin δ.

    Between where the sentence is plainly true and where it is plainly false lies what does not matter: an effect
    between 0 and δ is better, though not in a way that matters. There either answer would do; outside of it each is
    wrong with a chance of at most the tail.

    Attributes:
        says: in words.
        agrees, disagrees: the one-sided p value with which an estimate proves, or denies, it.
        right, wrong: whether to agree, or to disagree, would be right if μ were known.
        denial: whether to disagree goes first where both are proven.
    """

    says: str
    agrees: Callable[[Estimate, float], np.ndarray]
    disagrees: Callable[[Estimate, float], np.ndarray]
    right: Callable[[float, float], bool]
    wrong: Callable[[float, float], bool]
    denial: bool = False

    def chances(self, one: Estimate, delta: float, tail: float) -> tuple[np.ndarray, np.ndarray]:
        """p of to agree and to disagree, of which at most one is below the tail."""
        yes, no = self.agrees(one, delta), self.disagrees(one, delta)
        if self.denial:
            return np.where(no < tail, 1.0, yes), no
        return yes, np.where(yes < tail, 1.0, no)


def _inside(one: Estimate, delta: float):
    return np.maximum(one.above(-delta), one.below(delta))


def _beyond(one: Estimate, delta: float):
    return np.minimum(one.above(delta), one.below(-delta))


REGIONS = {
    "better": Region("better", lambda e, d: e.above(), lambda e, d: e.below(d), lambda m, d: m > 0, lambda m, d: m < d),
    "worse": Region("worse", lambda e, d: e.below(), lambda e, d: e.above(-d), lambda m, d: m < 0, lambda m, d: m > -d),
    "much_worse": Region("worse by enough to matter", lambda e, d: e.below(-d), lambda e, d: e.above(-d),
                         lambda m, d: m < -d, lambda m, d: m > -d),
    "positive": Region("better, by however little", lambda e, d: e.above(), lambda e, d: e.below(), lambda m, d: m > 0,
                       lambda m, d: m < 0),
    "useless": Region("worse, or no better by enough to matter", lambda e, d: e.below(d), lambda e, d: e.above(),
                      lambda m, d: m < d, lambda m, d: m > 0, denial=True),
    "not_worse": Region("not worse by enough to matter", lambda e, d: e.above(-d), lambda e, d: e.below(),
                        lambda m, d: m > -d, lambda m, d: m < 0),
    "not_better": Region("not better by enough to matter", lambda e, d: e.below(d), lambda e, d: e.above(),
                         lambda m, d: m < d, lambda m, d: m > 0),
    "equivalent": Region("no difference that matters", _inside, _beyond, lambda m, d: abs(m) < d, lambda m, d: abs(m) > d),
    "differs": Region("different", lambda e, d: np.minimum(e.above(), e.below()), _inside, lambda m, d: m != 0,
                      lambda m, d: abs(m) < d),
}
REGIONS |= {"more": REGIONS["better"], "less": REGIONS["worse"]}


def together(quantifier: str, yes: np.ndarray, no: np.ndarray, tail: float) -> np.ndarray:
    """What parts say together `(...)`: a key of `CODES`.

    `one`: each on its own; they agree or disagree only if all do. `some`, the union: at least one is proven, with
    Holm's correction, of which the least p value decides; to disagree all must. `each`, the intersection: all are
    proven, which needs no correction (R. L. Berger, Technometrics 24, 1982); one that is proven to the contrary, with
    Holm's, is enough to disagree.

    Args:
        yes, no: p values of to agree and to disagree `(..., parts)`.
    """
    parts = yes.shape[-1]
    all_yes, all_no = (yes < tail).all(axis=-1), (no < tail).all(axis=-1)
    some_yes, some_no = (parts * p.min(axis=-1) < tail for p in (yes, no))
    if quantifier == "some":
        return np.select([some_yes, all_no], [1, -1], default=0)
    if quantifier == "each":
        return np.select([all_yes, some_no], [1, -1], default=0)
    none = (yes >= tail).all(axis=-1) & (no >= tail).all(axis=-1)
    return np.select([all_yes, all_no, none], [1, -1, 0], default=2)
