"""Training speed, side by side on the same data: `fit`, `fit` with XLA, and our trainer."""

from __future__ import annotations

import os
import sys
import threading
import time

import keras
import numpy as np

from pipeline.data.splits import Split
from pipeline.train.trainer import Trainer, batch_order

STEPS, CHANNELS, SIZE, BATCH, EPOCHS = 21, 20, 1280, 32, 20
REPEATS = 3
#: The network of the thread's question, with its layers' own Keras classes.
LAYERS = [
    {"word": "conv", "class": "Conv1D",
     "arguments": {"filters": 10, "kernel_size": 3, "padding": "causal", "activation": "relu"}},
    {"word": "lstm", "class": "LSTM", "arguments": {"units": 15}},
    {"word": "bn", "class": "BatchNormalization", "arguments": {}},
]


def keras_network() -> keras.Model:
    """The same network as a user would write it."""
    layers = [getattr(keras.layers, i["class"])(**i["arguments"]) for i in LAYERS]
    return keras.Sequential([keras.Input((STEPS, CHANNELS)), *layers, keras.layers.Dense(1)])


def shortest(way) -> float:
    """The least seconds that `way()` takes of `REPEATS` times."""
    spent = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        way()
        spent.append(time.perf_counter() - began)
    return min(spent)


def fit(x, y, **compiled) -> float:
    """Milliseconds a step of `model.fit`, after a first epoch that traces and compiles."""
    network = keras_network()
    network.compile(optimizer="adam", loss="mean_squared_error", **compiled)
    network.fit(x, y, batch_size=BATCH, epochs=1, verbose=0)
    seconds = shortest(lambda: network.fit(x, y, batch_size=BATCH, epochs=EPOCHS, verbose=0))
    return seconds / (EPOCHS * (len(x) // BATCH)) * 1e3


def ours(x, y, threads: int) -> float:
    """Milliseconds a step of our trainer, all of a run included; `threads` runs side by side.

    A run also measures a validation split after every epoch, which `fit` here does not.
    """
    held = slice(0, 2 * BATCH)
    split = Split(x, y, x[held], y[held], x[held], y[held], "regression", 0)
    order = batch_order(len(x), BATCH, EPOCHS, 0)
    trainers = [Trainer({"layers": LAYERS, "head": []}, x.shape[1:], 0, "Adam")
                for _ in range(threads)]
    start = trainers[0].start(0, 0)
    for trainer in trainers:
        trainer.run(start, split, order, 0.001)

    def side_by_side():
        workers = [threading.Thread(target=t.run, args=(start, split, order, 0.001))
                   for t in trainers]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()

    return shortest(side_by_side) / (threads * order.shape[0] * order.shape[1]) * 1e3


def main() -> int:
    """Print time a step and the ratios to `model.fit`."""
    generator = np.random.default_rng(0)
    x = generator.normal(size=(SIZE, STEPS, CHANNELS)).astype(np.float32)
    y = generator.normal(size=(SIZE, 1)).astype(np.float32)
    cores = os.cpu_count() or 1
    batches = SIZE // BATCH
    ways = {
        "model.fit, as written": lambda: fit(x, y),
        "model.fit, XLA, an epoch an execution":
            lambda: fit(x, y, jit_compile=True, steps_per_execution=batches),
        "our trainer, one thread": lambda: ours(x, y, 1),
        f"our trainer, {cores} threads": lambda: ours(x, y, cores),
    }
    print(f"{SIZE} windows of {STEPS} x {CHANNELS}, batch {BATCH}, {EPOCHS} epochs, {cores} cores; "
          f"the best of {REPEATS}\n")
    print(f"{'':40}{'ms a step and seed':>20}{'times as fast':>16}")
    slowest = None
    for name, way in ways.items():
        spent = way()
        slowest = slowest or spent
        print(f"{name:40}{spent:20.2f}{slowest / spent:16.1f}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
