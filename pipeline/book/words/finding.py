"""A row of the findings in the cells of a table; every number and word of it is the finding's own."""

import math
from collections.abc import Mapping

from pipeline.book.escape import badge
from pipeline.book.study import Study
from pipeline.config.metrics import metric_of
from pipeline.config.readings import Claim
from pipeline.findings import words
from pipeline.findings.numbers import MISSING, interval, share
from pipeline.findings.regions import REGIONS

#: The colour of each reading's badge.
BADGES = {"agrees": "primary", "true": "primary", "disagrees": "warning", "false": "warning", "mixed": "info",
          "cannot tell": "secondary", "being measured": "light", "not measured": "light"}
QUANTIFIERS = {"one": "", "some": ", on one of them at least", "each": ", on each of them"}


def kind_of(study: Study, row: Mapping) -> str:
    """The kind of data of a finding: its family, or `synthetic`."""
    return row["kind"] if row["kind"] in study.families else "synthetic"


def change(row: Mapping) -> str:
    """The change of the score with its interval: `+6.2 % (+2.8 to +9.7 %)`."""
    return interval([row[name] for name in ("effect", "low", "high")], metric_of(row["metric"]))


def word(study: Study, row: Mapping) -> str:
    """A finding's word, and whether it could be luck."""
    luck = words.luck({**row, "comparisons": study.comparisons, "q_level": study.rule.q_level})
    return f"{row['word']}; {luck.partition(' among')[0]}" if luck else row["word"]


def another(row: Mapping) -> str:
    """Where the change falls on another set."""
    return words.elsewhere(row).removeprefix("on yours, probably ") or MISSING


def chances(row: Mapping) -> str:
    """How probably another set gains, hardly changes, and loses, by the margin."""
    found = [row[name] for name in ("p_better", "p_within", "p_worse")]
    return " / ".join(map(share, found)) if all(map(math.isfinite, found)) else MISSING


def clear(row: Mapping) -> str:
    """On how many sources the change is clearly for the better, and for the worse."""
    return f"{int(row['better'])} / {int(row['worse'])} of {int(row['units'])}"


def reading(row: Mapping) -> str:
    """What a claim reads, as a badge, and behind it where it reads what."""
    return badge(BADGES.get(row["reading"], "light"), row["reading"])


def prediction(claim: Claim) -> str:
    """What is predicted, and by whom."""
    if claim.predicts is None:
        return "an identity, which holds or does not"
    about = "" if claim.metric == "error" else f" {metric_of(claim.metric).score}:"
    who = "the thread" if claim.predicts.by == "thread" else "us, as the thread predicts nothing"
    return f"{about} {REGIONS[claim.predicts.region].says}{QUANTIFIERS[claim.predicts.quantifier]} (by {who})".strip()
