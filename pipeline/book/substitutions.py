"""The numbers that hand-written pages put into their sentences, as `{{ name }}`."""

from __future__ import annotations

from collections import Counter

from pipeline.book.study import Study
from pipeline.book.words.claim import BADGES


def substitutions(study: Study) -> dict[str, int]:
    """The counts by name: claims by their verdict, experiments, data sets, runs, and what is set."""
    found = Counter(study.verdict(claim)["verdict"] for claim in study.claims)
    return {"claims": len(study.claims), "experiments": len(study.params.experiments),
            "data_sets": len(study.params.data), "runs": study.runs,
            "patience": study.params.train.patience,
            "confidence": round(100 * study.rule.confidence),
            # Jinja reads “true” and “false” as values.
            **{f"exactly_{name}" if name in ("true", "false") else name.replace(" ", "_"): found[name]
               for name in BADGES}}
