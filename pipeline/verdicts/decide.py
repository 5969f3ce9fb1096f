"""Cells → the verdict of a claim, and whether other choices would change it."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence

import pandas as pd

from pipeline.spec.base import ConfigError, nearest
from pipeline.spec.claims import CLAIMS, Claim
from pipeline.spec.metrics import metric_of
from pipeline.spec.tables import DIFFERENCE, NO_EFFECT, OPPOSITE, VERDICT_COLUMNS
from pipeline.verdicts.arms import Measured
from pipeline.verdicts.cells import cells
from pipeline.verdicts.rule import Rule

CHANGES = ("margin halved", "margin doubled", "default learning rate", "other endpoint")


def needed(informative: int, rule: Rule = Rule()) -> int:
    """k = max(ceil(D / 2), min(2, D)): the cells that `generally` asks for."""
    # Rounded first: 0.55 * 100 is a little more than 55 and must not need a 56th cell.
    return max(math.ceil(round(informative * rule.majority, 9)),
               min(rule.least_cells, informative))


def decide(informative: int, favour: int, against: int, quantifier: str,
           rule: Rule = Rule()) -> str:
    """The verdict of D informative cells, F of them for and A against a claim.

    Raises:
        ValueError: impossible counts or an unknown quantifier.
    """
    if min(informative, favour, against) < 0 or favour + against > informative:
        raise ValueError("counts must not be negative, and F + A at most D. "
                         f"Received: D={informative}, F={favour}, A={against}")
    k = needed(informative, rule)
    tests = {"generally": (against == 0 and favour >= k, favour == 0 and against >= k,
                           favour >= 1 and against >= 1),
             "some": (favour >= 1, against == informative, False),
             "always": (favour == informative, against >= 1, False)}
    if quantifier not in tests:
        raise ValueError(f"quantifier must be one of {', '.join(tests)}. Received: {quantifier!r}")
    if informative:
        for verdict, holds in zip(("supported", "contradicted", "mixed"), tests[quantifier],
                                  strict=True):
            if holds:
                return verdict
    return "undecided"


def _way(region: str, against: pd.DataFrame) -> str:
    """Which way a claim is contradicted, by most of the cells against it."""
    if region == "equivalent":
        return DIFFERENCE
    if region == "differs":
        return NO_EFFECT
    if region == "positive":
        # The whole interval lies at or below 0.
        return OPPOSITE
    reverse = "better" if region in ("worse", "not_better") else "worse"
    return OPPOSITE if 2 * (against["label"] == reverse).sum() > len(against) else NO_EFFECT


def verdicts(claims: Sequence[Claim], cells: pd.DataFrame, rule: Rule = Rule(), *,
             checks: Mapping[str, bool] | None = None,
             robustness: pd.DataFrame | None = None) -> pd.DataFrame:
    """One row per claim: its verdict and what it rests on.

    Args:
        claims: in the order of the rows.
        cells: their table from `cells`.
        rule: the constants.
        checks: whether each exact check holds, by name.
        robustness: table from `robustness`; without it nothing is marked fragile.

    Returns:
        `VERDICT_COLUMNS`. `verdict` is supported, contradicted, mixed, undecided, true or
        false; `reads` is how to print it; D, F, A and k count cells (0 for an identity);
        `scope` names the informative data sets; `fragile`: some robustness verdict turned round.

    Raises:
        ConfigError: a claim names an exact check that does not exist.
    """
    rows = [_identity(claim, checks or {}) if claim.checks else
            _decided(claim, cells[cells["claim"] == claim.slug], rule, robustness) for claim in claims]
    return pd.DataFrame(rows, columns=VERDICT_COLUMNS)


def _blank(claim: Claim) -> dict:
    return dict.fromkeys(VERDICT_COLUMNS, "") | {
        "slug": claim.slug, "D": 0, "F": 0, "A": 0, "k": 0, "fragile": False}


def _identity(claim: Claim, checks: Mapping[str, bool]) -> dict:
    """The row of a claim that exact checks decide."""
    for i, check in enumerate(claim.checks):
        if check not in checks:
            raise ConfigError(
                f"{CLAIMS}: {claim.slug}.checks[{i}]: found '{check}'; allowed: "
                f"{', '.join(checks) or 'none was stored'}{nearest(check, checks)}")
    verdict = "true" if all(bool(checks[check]) for check in claim.checks) else "false"
    return _blank(claim) | {"verdict": verdict, "reads": verdict}


def _decided(claim: Claim, cells: pd.DataFrame, rule: Rule, robustness: pd.DataFrame | None) -> dict:
    """The row of a claim that its cells decide."""
    counted = cells[cells["position"] != "uninformative"]
    against = counted[counted["position"] == "against"]
    d, f, a = len(counted), int((counted["position"] == "for").sum()), len(against)
    verdict = decide(d, f, a, claim.predicts.quantifier, rule)
    sets = list(dict.fromkeys(counted["data"]))
    return _blank(claim) | {
        "verdict": verdict, "D": d, "F": f, "A": a, "k": needed(d, rule), "scope": ", ".join(sets),
        "way": _way(claim.predicts.region, against) if verdict == "contradicted" else "",
        "reads": _reads(claim, verdict, sets if d == 1 else []),
        "fragile": _fragile(claim, verdict, robustness)}


def _fragile(claim: Claim, verdict: str, robustness: pd.DataFrame | None) -> bool:
    """Whether another choice would have turned the verdict round."""
    turned = {"supported": "contradicted", "contradicted": "supported"}.get(verdict)
    if robustness is None or not turned:
        return False
    return bool((robustness.loc[robustness["claim"] == claim.slug, "verdict"] == turned).any())


def _reads(claim: Claim, verdict: str, only: list[str]) -> str:
    if claim.analogue:
        verdict = {"supported": "replicated in our analogue",
                   "contradicted": "not replicated in our analogue"}.get(verdict, verdict)
    return f"{verdict} on {only[0]}" if only else verdict


def robustness(claims: Sequence[Claim], measured: Measured, rule: Rule, *,
               blind: Collection[str] = ()) -> pd.DataFrame:
    """Every claim decided again under each of `CHANGES`.

    Returns:
        Columns `claim`, `change`, `verdict`; '' where a change does not apply: an identity, a
        claim without a margin, a metric without endpoints, the probe's claims.
    """
    compared = [claim for claim in claims if not claim.checks and not claim.probe]
    margin = [claim for claim in compared
              if not claim.baseline and metric_of(claim.metric).margin != "measure"]
    ends = [claim for claim in compared if metric_of(claim.metric).endpoint
            and {f"best_{claim.metric}", f"last_{claim.metric}"} <= set(measured.runs.columns)]
    settings = dict(zip(CHANGES, (
        (margin, {"margin_factor": rule.margin_halved}),
        (margin, {"margin_factor": rule.margin_doubled}),
        (compared, {"rate": "default"}), (ends, {"endpoint": "other"})), strict=True))
    found = {}
    for change, (some, setting) in settings.items():
        table = verdicts(some, cells(some, measured, rule, blind=blind, **setting), rule)
        found |= {(slug, change): verdict for slug, verdict in
                  zip(table["slug"], table["verdict"], strict=True)}
    return pd.DataFrame([{"claim": claim.slug, "change": change,
                          "verdict": found.get((claim.slug, change), "")}
                         for claim in claims for change in CHANGES],
                        columns=["claim", "change", "verdict"])
