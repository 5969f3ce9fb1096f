"""The numbers that hand-written pages put into their sentences, as `{{ name }}`."""

from __future__ import annotations

from collections import Counter

from pipeline.book.study import Study
from pipeline.book.words.claim import BADGES
from pipeline.config.schema import study_seeds
from pipeline.verdicts.rule import Rule


def substitutions(study: Study) -> dict[str, int | float]:
    """What is counted, what is set, and the rule's constants, by name."""
    return counts(study) | settings(study) | constants(study.rule)


def counts(study: Study) -> dict[str, int]:
    """Claims by their verdict, of strata that differ by each; experiments, data sets, runs."""
    found = Counter(verdict for claim in study.claims
                    for verdict in {row["verdict"] for row in study.verdict_rows(claim)})
    theirs = [bool(data.family) for data in study.params.data.values() if not data.own]
    return {"claims": len(study.claims), "experiments": len(study.params.experiments),
            "data_sets": len(theirs), "real_sets": sum(theirs), "synthetic_sets": theirs.count(False),
            "runs": study.runs,
            # Jinja reads “true” and “false” as values.
            **{f"exactly_{name}" if name in ("true", "false") else name.replace(" ", "_"): found[name]
               for name in BADGES}}


def settings(study: Study) -> dict[str, int]:
    """What params.yaml and the code of the seeds set."""
    return {"patience": study.params.train.patience, "first_seed": study_seeds(1)[0],
            "rates": len(study.params.train.learning_rates), "probe_seeds": study.params.probe.seeds}


def constants(rule: Rule) -> dict[str, int | float]:
    """The rule's constants, in the units in which sentences say them: mostly per cent, or points."""
    percent = {"confidence": rule.confidence, "miss": 1 - rule.confidence,
               "confidence_of_strata": 1 - (1 - rule.confidence) / 2, "strata_level": rule.strata_level,
               "margin": rule.ratio_margin - 1, "epochs_margin": rule.epochs_margin - 1,
               "share_margin": rule.share_margin, "calibration_margin": rule.calibration_margin,
               "range_share": rule.range_share, "marked_share": rule.marked_share, "power": rule.power}
    return {name: _plain(100 * value) for name, value in percent.items()} | {
        "target_factor": rule.target_factor, "least_units": rule.least_units, "q_level": rule.q_level}


def _plain(value: float) -> int | float:
    """A number without the digits that counting in binary adds."""
    rounded = round(value, 6)
    return int(rounded) if rounded == int(rounded) else rounded
