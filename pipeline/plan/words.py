"""The layers, arguments, optimisers and heads of params.yaml are such as Keras has, before there are data."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from pipeline.config.layer_list import classes
from pipeline.config.schema import PARAMS, Experiment, Params
from pipeline.train.runs import canonical


def check_words(params: Params, plans: Iterable[Path], path: Path = PARAMS) -> None:
    """Refuse what Keras does not have, and values of arguments that it refuses.

    Keras is loaded only for what no plan has: whatever stands in one was checked.

    Raises:
        ConfigError: with the place, and the nearest valid word.
    """
    known = {one for plan in plans for one in _planned(plan)}
    new = [name for name, one in params.experiments.items() if not set(_words(params, name, one)) <= known]
    optimizers = {place: spec for place, spec in _optimizers(params).items() if canonical(spec) not in known}
    if new or optimizers:
        _check(params, new, optimizers, path)


def _planned(plan: Path) -> Iterator[str]:
    """The layers and optimisers of a stored plan, each as text."""
    try:
        for arm in json.loads(plan.read_text(encoding="utf-8"))["arms"]:
            yield canonical(arm["train"]["optimizer"])
            yield from (canonical([item["class"], item["arguments"]])
                        for part in arm["network"].values() for item in part)
    except (ValueError, KeyError, TypeError):  # Made by an older version of this stage.
        return


def _words(params: Params, name: str, experiment: Experiment) -> Iterator[str]:
    """The layers of an experiment, its head's too, each as text."""
    for variant in params.sweep(name):
        yield from (canonical(pair) for pair in classes(variant.layers, params.layers))
    head = experiment.head or []
    yield from (canonical(pair) for pair in classes([{"Activation": head}] if isinstance(head, str) else head, params.layers))


def _optimizers(params: Params) -> dict:
    """Place → an optimiser that stands there."""
    found = {"train.optimizer": params.train.optimizer}
    found |= {f"data.{name}.train.optimizer": one.train.optimizer for name, one in params.data.items()}
    for name, one in params.experiments.items():
        found[f"experiments.{name}.optimizer"] = one.optimizer
        found |= {f"experiments.{name}.vary.optimizer[{number}]": spec
                  for number, spec in enumerate((one.vary or {}).get("optimizer", ()))}
    return {place: spec for place, spec in found.items() if spec is not None}


def _check(params: Params, names: list[str], optimizers: dict, path: Path) -> None:
    """Let Keras make the layers of experiments, and optimisers."""
    # Only now, because they load TensorFlow.
    from pipeline.network.model import create
    from pipeline.network.own import register
    from pipeline.network.optimizers import check_optimizer
    from pipeline.plan.resolve import head, layers_of

    register(params.modules, f"{path}: modules")
    for place, spec in optimizers.items():
        check_optimizer(spec, f"{path}: {place}")
    for name in names:
        place = f"{path}: experiments.{name}"
        for variant in params.sweep(name, place):
            layers_of(params, name, variant, place, made=True)
        for item in head(params.experiments[name], 0, params.layers, place):
            create(item, f"{place}.head")
