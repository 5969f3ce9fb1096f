"""Every network is built, and takes one compiled step, before anything is trained."""

from __future__ import annotations

import numpy as np

from pipeline.data.splits import Split
from pipeline.network import model
from pipeline.spec.base import ConfigError
from pipeline.train.runs import canonical
from pipeline.train.task import Task
from pipeline.train.trainer import Trainer


def check(plan: dict, place: str) -> None:
    """Build every network of a plan on every shape, and run one compiled step of each layer list.

    Raises:
        ConfigError: Keras cannot connect the layers, or XLA cannot compile the network.
    """
    compiled = set()
    for arm in plan["arms"]:
        size, classes, shape = 4, arm["classes"], tuple(arm["shape"])
        try:
            built = model.build(arm["network"], shape, Task(classes).outputs, place=place)
        except ConfigError as error:
            raise ConfigError(f"{error} (on data set '{arm['data']}')") from None
        # Of the study's batch size, because a layer may ask for a multiple of something.
        batch = arm["train"]["batch_size"]
        layers = canonical([arm["network"]["layers"], arm["train"]["optimizer"], batch])
        if layers in compiled:
            continue
        compiled.add(layers)
        x = np.zeros((size, *shape), np.float32)
        y = np.arange(size, dtype=np.int32) % classes if classes else np.zeros((size, 1), np.float32)
        split = Split(x, y, x, y, x, y, "classes" if classes else "regression", classes)
        try:
            trainer = Trainer(arm["network"], shape, Task(classes), arm["train"]["optimizer"])
            trainer.run([v.numpy() for v in built.variables], split, np.zeros((1, 1, batch), np.int32), 0.001)
        except Exception as error:
            words = ", ".join(item["word"] for item in arm["network"]["layers"])
            raise ConfigError(f"{place}: on data set '{arm['data']}' the network [{words}] cannot be "
                              f"trained: {model.first_lines(error)}") from None


def networks(plan: dict) -> list:
    """What `check` looks at: plans that agree in it need one check between them."""
    return [plan["versions"], plan["code"].get("model"), plan["code"].get("layers"),
            [(arm["network"], arm["shape"], arm["classes"], arm["train"]["optimizer"],
              arm["train"]["batch_size"]) for arm in plan["arms"]]]
