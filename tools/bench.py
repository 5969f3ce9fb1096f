"""Training speed, side by side on the same data: `fit`, `fit` with XLA, and our trainer; and how soon training starts."""

import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np

from pipeline.data.split import Split
from pipeline.tables.store import STORE, Store
from pipeline.train.task import task_of
from pipeline.train.trainer import Trainer, batch_order

BATCH, EPOCHS, REPEATS = 32, 20, 5
#: What one experiment on one data set trains: each seed at each rate.
RATES, SEEDS = (0.0003, 0.001, 0.003, 0.01), 15


def _item(cls: str, **arguments) -> dict:
    return {"word": cls.lower(), "class": cls, "arguments": arguments}


@dataclass(frozen=True)
class Case:
    """A network as layers of Keras, on random data of a shape."""

    layers: list[dict]
    shape: tuple[int, ...]
    size: int
    classes: int = 0

    @property
    def head(self) -> list[dict]:
        return [_item("Activation", activation="softmax")] if self.classes else []

    @property
    def steps(self) -> int:
        """Of a run."""
        return EPOCHS * (self.size // BATCH)

    def split(self) -> Split:
        """Its validation and test split are of two batches each."""
        generator = np.random.default_rng(0)
        parts = []
        for size in (self.size, 2 * BATCH, 2 * BATCH):
            parts.append(generator.standard_normal((size, *self.shape)).astype(np.float32))
            parts.append(generator.integers(0, self.classes, size).astype(np.int32) if self.classes
                         else generator.standard_normal((size, 1)).astype(np.float32))
        return Split(*parts, "classes" if self.classes else "regression", self.classes)


_CONVOLVED = [_item("Conv2D", filters=12, kernel_size=3, padding="same"), _item("Activation", activation="relu")]
CASES = {
    "the thread's network": Case(
        [_item("Conv1D", filters=10, kernel_size=3, padding="causal", activation="relu"),
         _item("LSTM", units=15), _item("BatchNormalization")], (21, 20), 1280),
    "MLP, two layers of 64": Case(
        [_item("Dense", units=64, activation="relu")] * 2, (20,), 640),
    "Conv2D, 8 x 8 pixels": Case(
        [*_CONVOLVED, _item("MaxPooling2D"), *_CONVOLVED, _item("Flatten")], (8, 8, 1), 896, 10),
}


def keras_network(case: Case) -> keras.Model:
    """The network as a user would write it."""
    items = [*case.layers, _item("Dense", units=case.classes or 1), *case.head]
    return keras.Sequential([keras.Input(case.shape), *(
        getattr(keras.layers, item["class"])(**item["arguments"]) for item in items)])


def fitted(case: Case, split: Split, **compiled) -> Callable[[], None]:
    """A run of `model.fit`, after a first epoch that traces and compiles."""
    network = keras_network(case)
    loss = "sparse_categorical_crossentropy" if case.classes else "mean_squared_error"
    network.compile(optimizer="adam", loss=loss, **compiled)

    def fit(epochs=EPOCHS):
        network.fit(split.x_train, split.y_train, batch_size=BATCH, epochs=epochs, verbose=0)

    fit(1)
    return fit


def side_by_side(trainer: Trainer, split: Split, threads: int, runs: int) -> None:
    """`runs` runs, `threads` at once; a run also measures a validation split after each epoch."""
    def run(number):
        seed, rate = divmod(number, len(RATES))
        order = batch_order(len(split.x_train), BATCH, EPOCHS, seed)
        trainer.run(starts[seed], split, order, RATES[rate])

    starts = [trainer.start(seed, 0) for seed in range(-(-runs // len(RATES)))]
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(run, range(runs)))


def spent(way: Callable[[], None]) -> tuple[float, float]:
    """Seconds on the clock, and of all cores' work, that `way()` takes."""
    began = time.perf_counter(), time.process_time()
    way()
    return time.perf_counter() - began[0], time.process_time() - began[1]


def compare(name: str, case: Case, cores: int) -> None:
    """Print the medians of a network's ways, measured in turn, so that what disturbs disturbs all."""
    split = case.split()
    network = {"layers": case.layers, "head": case.head}
    trainer = Trainer(network, case.shape, task_of(split), "Adam")
    first, _ = spent(lambda: side_by_side(trainer, split, 1, 1))
    ways = {  # name: (way, runs)
        "model.fit, as written": (fitted(case, split), 1),
        "model.fit, XLA, an epoch an execution": (fitted(
            case, split, jit_compile=True, steps_per_execution=case.size // BATCH), 1),
        "our trainer, one thread": (lambda: side_by_side(trainer, split, 1, 2), 2),
        f"our trainer, {cores} threads": (lambda: side_by_side(trainer, split, cores, 2 * cores), 2 * cores),
    }
    found = {way: [] for way in ways}
    for _ in range(REPEATS):
        for way, (run, runs) in ways.items():
            found[way].append([seconds / (runs * case.steps) * 1e3 for seconds in spent(run)])
    print(f"\n{name}: {case.size} samples, {EPOCHS} epochs\n{'':40}"
          f"{'ms a step and run':>20}{'of all cores':>14}{'times as fast':>16}")
    base = None
    for way, measured in found.items():
        clock, work = (statistics.median(column) for column in zip(*measured))
        base = base or clock
        print(f"{way:40}{clock:20.3f}{work:14.3f}{base / clock:16.1f}", flush=True)

    def experiment():
        fresh = Trainer(network, case.shape, task_of(split), "Adam")
        side_by_side(fresh, split, cores, len(RATES) * SEEDS)

    seconds, _ = spent(experiment)
    print(f"compiling and one run: {first:.1f} s; {len(RATES)} rates x {SEEDS} seeds, compiling "
          f"included: {seconds:.1f} s ({base * case.steps * len(RATES) * SEEDS / 1e3:.0f} s of model.fit)")


# --- how soon training starts ------------------------------------------------------------------

#: What is measured of the queue, in the arguments of this command.
QUEUE = "queue"
#: The experiment whose network a new one has, and how it is new.
LIKE, NEW, OTHER_EPOCHS = "cnn_lstm", "new_experiment", 3


def clone(folder: Path) -> None:
    """A folder that has what a clone has of this project once `dvc repro plan` has run, and no store."""
    for name in ("plan", "results/runs"):
        (folder / name).mkdir(parents=True)
        for path in Path(name).iterdir():
            (folder / path).symlink_to(path.resolve())
    (folder / "data").symlink_to(Path("data").resolve())


def started(folder: Path, *arguments: str) -> subprocess.Popen:
    """The command that trains, in a folder."""
    return subprocess.Popen([sys.executable, "-m", "pipeline.train", *arguments], cwd=folder, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                            env=os.environ | {"PYTHONPATH": os.getcwd()})


def new_experiment() -> dict:
    """A plan whose runs nobody has trained: another number of epochs."""
    plan = json.loads((Path("plan") / f"{LIKE}.json").read_text(encoding="utf-8"))
    arm = plan["arms"][0]
    train = arm["train"] | {"epochs": OTHER_EPOCHS, "learning_rates": arm["train"]["learning_rates"][:1]}
    data = {arm["data"]: plan["data"][arm["data"]] | {"seeds": 2}}
    return plan | {"experiment": NEW, "arms": [arm | {"train": train}], "data": data}


def queue() -> None:
    """Print how long the queue takes where nothing is missing, and until the first run of a new experiment is stored."""
    print("\non a clone, without a store")
    with tempfile.TemporaryDirectory() as scratch:
        clone(Path(scratch))
        for name in ("nothing is missing, the first time", "nothing is missing, once more"):
            began = time.perf_counter()
            said = started(Path(scratch)).communicate()[0].strip()
            print(f"{name:40}{time.perf_counter() - began:20.1f} s ({said or 'it failed'})", flush=True)
    with tempfile.TemporaryDirectory() as scratch, contextlib.closing(Store(Path(scratch) / STORE)) as store:
        clone(Path(scratch))
        (Path(scratch) / "plan" / f"{NEW}.json").write_text(json.dumps(new_experiment()), encoding="utf-8")
        began = time.perf_counter()
        process = started(Path(scratch), NEW)
        while not store.count() and process.poll() is None:
            time.sleep(0.05)
        print(f"{'the first run of a new experiment':40}{time.perf_counter() - began:20.1f} s", flush=True)
        process.communicate()


def main() -> int:
    """Print time a step and the ratios to `model.fit`, and how soon training starts; or what is named of these."""
    cores = os.cpu_count() or 1
    print(f"batch {BATCH}, {cores} cores; medians of {REPEATS}; load {os.getloadavg()[0]:.1f}")
    for name, case in CASES.items():
        if not sys.argv[1:] or any(word in name for word in sys.argv[1:]):
            compare(name, case, cores)
    if not sys.argv[1:] or QUEUE in sys.argv[1:]:
        queue()
    return 0


if __name__ == "__main__":
    sys.exit(main())
