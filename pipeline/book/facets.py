"""What a reader of the guide picks by: the network, its activation, the target, the samples."""

from __future__ import annotations

from pipeline.book.study import Study
from pipeline.book.words.network import activations, kind
from pipeline.spec.claims import base

#: The name of a choice → what a reader sees above it.
FACETS = {"network": "Your network", "activation": "Its activation", "target": "It predicts",
          "samples": "Training samples", "topic": "You ask about"}
SIZES = ((300, "fewer than 300"), (700, "300 to 700"), (float("inf"), "more than 700"))


def facets(study: Study, name: str, data: str) -> dict[str, str]:
    """What a reader picks an experiment's, or a variant's, comparison on a data set by."""
    experiment = study.params.experiments[base(name)]
    found = {"network": kind(study.params, base(name))}
    for activation in activations(study.params, base(name))[:1]:
        found["activation"] = activation
    if arm := study.arms_of_data.get(data):
        found["target"] = "a class" if arm["task"]["classes"] else "a number"
    if data in study.sizes:
        swept = study.params.variants(base(name)).get(name.partition("[")[2].removesuffix("]"), {})
        share = swept.get("train_fraction", experiment.train_fraction or 1)
        count = study.sizes[data] * share
        found["samples"] = next(words for limit, words in SIZES if count < limit)
    return found
