"""Networks, and data of no meaning, that tests train."""

from __future__ import annotations

import numpy as np

from pipeline.data.split import Split
from pipeline.network.resolve import resolve

TRAINING = {"epochs": 3, "batch_size": 8, "optimizer": "Adam", "learning_rates": [0.003, 0.01, 0.03],
            "patience": 0, "scaling": "standard", "train_fraction": 1.0, "repetition": 0}


def network(*layers, head=()):
    return {part: [resolve(item, {}, part) for item in items]
            for part, items in (("layers", layers), ("head", head))}


def random_split(shape, classes, size=24, seed=0):
    generator = np.random.default_rng(seed)
    parts = []
    for _ in range(3):
        x = generator.standard_normal((size, *shape)).astype(np.float32)
        score = x.reshape(size, -1)[:, :1] + 0.3 * generator.standard_normal((size, 1))
        parts += [x, (score[:, 0] > 0.3).astype(np.int32) if classes else score.astype(np.float32)]
    return Split(*parts, task="classes" if classes else "regression", classes=classes)
