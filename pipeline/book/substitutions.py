"""The numbers that hand-written pages put into their sentences, as `{{ name }}`."""

from collections import Counter

from pipeline.book.study import Study
from pipeline.book.words.finding import BADGES
from pipeline.config.schema import study_seeds
from pipeline.findings.rule import Rule

#: The data sets of the first study that are real; it drew all others.
REAL = frozenset({"vowels", "co2", "cancer", "power", "digits"})


def substitutions(study: Study) -> dict[str, int | float]:
    """What is counted, what is set, and the rule's constants, by name."""
    return counts(study) | settings(study) | constants(study.rule)


def counts(study: Study) -> dict[str, int]:
    """Claims by what they read; findings, experiments, data sets, runs."""
    found = Counter(study.reading(claim)["reading"] for claim in study.claims)
    theirs = [bool(data.family) for data in study.params.data.values() if not data.own]
    return {"claims": len(study.claims), "findings": len(study.found), "comparisons": study.comparisons,
            "experiments": len(study.params.experiments),
            "data_sets": len(theirs), "real_sets": sum(theirs), "synthetic_sets": theirs.count(False),
            "runs": study.runs,
            **{f"exactly_{name}" if name in ("true", "false") else name.replace(" ", "_"): found[name]
               for name in BADGES}}


def settings(study: Study) -> dict[str, int]:
    """What params.yaml and the code of the seeds set."""
    return {"patience": study.params.train.patience, "first_seed": study_seeds(1)[0],
            "rates": len(study.params.train.learning_rates), "probe_seeds": study.params.probe.seeds}


def constants(rule: Rule) -> dict[str, int | float]:
    """The rule's constants, in the units in which sentences say them: mostly per cent, or points."""
    percent = {"confidence": rule.confidence, "miss": 1 - rule.confidence, "margin": rule.ratio_margin - 1,
               "epochs_margin": rule.epochs_margin - 1, "share_margin": rule.share_margin, "calibration_margin": rule.calibration_margin,
               "range_share": rule.range_share, "failed_share": rule.failed_share, "usable_share": rule.usable_share}
    return {name: _plain(100 * value) for name, value in percent.items()} | {
        "target_factor": rule.target_factor, "least_units": rule.least_units, "q_level": rule.q_level}


def _plain(value: float) -> int | float:
    """A number without the digits that counting in binary adds."""
    rounded = round(value, 6)
    return int(rounded) if rounded == int(rounded) else rounded
