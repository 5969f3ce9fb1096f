"""A chapter's answers, in the words that the verdicts choose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from pipeline.book.study import Study
from pipeline.spec.claims import Claim


@dataclass(frozen=True)
class Answer:
    """An answer: its claim, its row of the verdicts, its comparisons (none of an identity), its words."""

    claim: Claim
    row: Mapping[str, Any]
    cells: pd.DataFrame
    sentence: str


def answers(study: Study, topic: str) -> list[Answer]:
    """The answers of a chapter; one whose claim is not declared is left out."""
    claims = {claim.slug: claim for claim in study.claims}
    return [Answer(claim, study.verdict(claim), study.claim_cells(claim),
                   entry.get(study.outcome(claim), "This is not measured yet."))
            for entry in study.answers.get(topic, {}).get("answers", ())
            if (claim := claims.get(entry["claim"]))]
