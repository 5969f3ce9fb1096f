"""What a worker does: it trains the runs of a job, here or on another machine."""

import contextlib
import functools
import hashlib
import json
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from pipeline.config.experiments import WAYS
from pipeline.config.task import Task
from pipeline.tables.store import Store
from pipeline.train import layers
from pipeline.train.arm import Arm, DataSet, canonical
from pipeline.train.host import check_versions, host

PACKAGE = Path(__file__).parent.parent
#: What the worker of another machine must have to the byte: all that training runs through.
ROOMS = ("config", "data", "network", "tables", "train")
#: So many compiled networks a worker keeps.
KEPT = 3


class OtherCode(RuntimeError):
    """A worker whose project is not the one that asks."""


@functools.cache
def code() -> str:
    """A digest of the files that training runs through, as they were when it was first asked for: what runs."""
    result = hashlib.sha256()
    for room in ROOMS:
        for path in sorted((PACKAGE / room).rglob("*.py")) or [PACKAGE / room]:
            result.update(f"{path.relative_to(PACKAGE)}\n".encode() + path.read_bytes())
    return result.hexdigest()[:16]


def check_code(wanted: str) -> None:
    """Refuse a worker whose numbers would be those of other code.

    Raises:
        OtherCode: what training runs through is not the same to the byte.
    """
    if code() != wanted:
        raise OtherCode(f"the code of {', '.join(ROOMS)} in {PACKAGE} is not that of the project that asks; "
                        "check out the same commit there, and start the worker again")


@dataclass(frozen=True)
class Job:
    """Runs of one arm, for one worker.

    Attributes:
        plan: of the arm's experiment, but for its arms.
        runs: key, seed and learning rate of each.
        code: what `code` gives where the job comes from.
    """

    plan: dict
    arm: dict
    runs: tuple[tuple[str, int, float], ...]
    code: str = field(default_factory=code)

    @property
    def network(self) -> str:
        """All that the compiled network depends on, as text."""
        train = self.arm["train"]
        return canonical([self.arm["network"], self.arm["shape"], self.arm["task"], train["optimizer"],
                          {name: train.get(name) for name in WAYS}, self.plan.get("modules", {})])

    @property
    def name(self) -> str:
        """Experiment, variant and data set, for messages."""
        variant = f"[{self.arm['variant']}]" if self.arm["variant"] else ""
        return f"{self.plan['experiment']}{variant} on {self.arm['data']}"


@functools.lru_cache(maxsize=KEPT)
def _trainer(network: str):
    """The compiled network of jobs, kept for the next one that needs it."""
    from pipeline.train.trainer import Trainer

    spec, shape, task, optimizer, ways, _ = json.loads(network)
    return Trainer(spec, tuple(shape), Task.of({"task": task}), optimizer, ways)


#: A worker that has several threads for jobs runs one job at a time: Keras builds in one thread.
_ALONE = threading.Lock()


def work(job: Job, arrays: Mapping[str, np.ndarray], threads: int = 1, store: str | None = None) -> dict:
    """Train a job's runs; what a worker calls.

    Args:
        arrays: of the job's data set.
        threads: how many runs side by side; their numbers do not depend on it.
        store: the folder of a store on this machine, which keeps each run as soon as it is finished.

    Returns:
        `records` by key, the `seconds` that they took, the `host`, and the `layers` of the network.

    Raises:
        WrongVersion, OtherCode: this worker would give other numbers.
        ConfigError: it has not the layer classes of one's own that the plan names.
    """
    check_versions(job.plan["versions"])
    check_code(job.code)
    with _ALONE:
        if "modules" in job.plan:
            # Only where it is needed, because it loads TensorFlow.
            from pipeline.network.own import require

            require(job.plan["modules"], f"plan/{job.plan['experiment']}.json")
        # Only now, because it loads TensorFlow; that is no part of what training takes.
        from pipeline.train import trainer as _

        began = time.perf_counter()
        trainer = _trainer(job.network)
        arm = Arm(job.plan, job.arm, DataSet(arrays))
        with contextlib.closing(Store(store)) if store else contextlib.nullcontext() as kept:
            records = _train(job, arm, trainer, threads, kept)
        return {"records": records, "seconds": time.perf_counter() - began, "host": host(), "layers": layers.rows(trainer.model)}


def _train(job: Job, arm: Arm, trainer, threads: int, store: Store | None) -> dict[str, dict]:
    """The records of a job's runs by key, so many side by side, each stored as soon as it is finished."""
    from pipeline.train.trainer import batch_order

    starts: dict[int, list] = {}

    def run(key: str, seed: int, rate: float) -> dict:
        split = arm.split(seed)
        order = batch_order(len(split.x_train), arm.train.batch_size, arm.train.epochs, seed, arm.train.repetition)
        record = trainer.run(starts[seed], split, order, rate, arm.train.patience)
        if store is not None:
            store.put(key, record)
        return record

    with ThreadPoolExecutor(threads) as pool:
        waiting = {}
        for key, seed, rate in job.runs:
            # Networks are built in this thread: Keras' state is not made for several.
            if seed not in starts:
                starts[seed] = trainer.start(seed, arm.train.repetition)
            waiting[key] = pool.submit(run, key, seed, rate)
        try:
            return {key: future.result() for key, future in waiting.items()}
        except BaseException:
            pool.shutdown(cancel_futures=True)  # What has not begun would fail likewise.
            raise
