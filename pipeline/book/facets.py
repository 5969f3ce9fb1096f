"""What a reader of the guide picks by: the network, and what the data are like."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.book.study import Study
from pipeline.book.words.network import kind
from pipeline.config.claims import Claim

#: The name of a choice → what a reader sees above it; the first two choose questions, the others data sets.
FACETS = {"topic": "You ask about", "network": "Your network", "target": "It predicts",
          "channels": "Channels, or columns", "length": "Steps of a sample", "samples": "Training samples"}
#: Of each number, what is below it and what that is called.
CHANNELS = ((2, "1"), (10, "2 to 9"), (float("inf"), "10 or more"))
LENGTHS = ((25, "up to 24"), (101, "25 to 100"), (float("inf"), "more than 100"))
SAMPLES = ((1000, "fewer than 1,000"), (3001, "1,000 to 3,000"), (float("inf"), "more than 3,000"))


def asked(study: Study, claim: Claim) -> dict[str, str]:
    """What a reader picks a question by."""
    return {"topic": study.question(claim.topic), "network": kind(study.params, claim.experiments[0])}


def facets(study: Study, data: str) -> dict[str, str]:
    """What a reader picks a data set by; what nothing stored says is left out."""
    found = {}
    if arm := study.arms_of_data.get(data):
        found["target"] = "a class" if arm["task"]["classes"] else "a number"
        shape = arm["shape"]
        found["channels"] = _bin(shape[-1], CHANNELS)
        if len(shape) == 2:
            found["length"] = _bin(shape[0], LENGTHS)
    if data in study.sizes:
        found["samples"] = _bin(study.sizes[data], SAMPLES)
    return found


def choices() -> dict[str, list[str]]:
    """The values of each choice that is a number's, in their order."""
    return {"channels": [name for _, name in CHANNELS], "length": [name for _, name in LENGTHS],
            "samples": [name for _, name in SAMPLES]}


def _bin(number: float, bins: Sequence[tuple[float, str]]) -> str:
    return next(name for limit, name in bins if number < limit)
