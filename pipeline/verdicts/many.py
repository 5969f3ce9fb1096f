"""Many claims at once: q values, and how many words may be wrong."""

from __future__ import annotations

import numpy as np
from statsmodels.stats.multitest import multipletests

from pipeline.verdicts.rule import Rule


def q_values(p) -> np.ndarray:
    """Benjamini and Hochberg's q of every claim: qᵢ = min over j ≥ i of p₍ⱼ₎ m / j.

    Advice at q ≤ 0.05 is wrong in at most one of twenty cases on average, for independent or
    positively dependent claims (Y. Benjamini and Y. Hochberg, J. R. Stat. Soc. B 57, 1995; the
    direction included: Y. Benjamini and D. Yekutieli, J. Am. Stat. Assoc. 100, 2005).

    Args:
        p: `(claims,)`, undecided ones too; NaN for identities, which do not count.
    """
    p = np.asarray(p, float)
    q, known = np.full(len(p), np.nan), np.isfinite(p)
    if known.any():
        q[known] = multipletests(p[known], method="fdr_bh")[1]
    return q


def wrong_words(claims: int, rule: Rule) -> float:
    """The most wrong words to expect among claims, decided or not.

    A word of an average is wrong only if its interval misses, so each has a chance of at most
    1 - confidence, whatever the other claims do; sums of chances need no independence.
    """
    return (1 - rule.confidence) * claims
