"""The missing runs of the whole study as one queue; `dvc repro` then finds them in the store."""

from __future__ import annotations

import functools
import hashlib
import json
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from filelock import FileLock
from tqdm import tqdm

from pipeline.tables.stored import Store, write_text
from pipeline.config.schema import study_seeds
from pipeline.config.task import Task
from pipeline.train.place import place
from pipeline.train.runs import _Arm, canonical, check_versions, choose, to_train

PACKAGE = Path(__file__).parent.parent
#: What the worker of another machine must have to the byte: all that training runs through.
ROOMS = ("config", "data", "network", "tables", "train")
#: Jobs that each worker shall have at least: an arm is cut for that, but no further, as each worker
#: that takes a piece compiles the network.
JOBS_A_WORKER = 4
#: So many compiled networks a worker keeps.
KEPT = 3


class OtherCode(RuntimeError):
    """A worker whose project is not the one that asks."""


def code() -> str:
    """A digest of the files that training runs through."""
    result = hashlib.sha256()
    for room in ROOMS:
        for path in sorted((PACKAGE / room).rglob("*.py")) or [PACKAGE / room]:
            result.update(f"{path.relative_to(PACKAGE)}\n".encode() + path.read_bytes())
    return result.hexdigest()[:16]


@functools.cache
def loaded() -> str:
    """`code` as it was at this process's first job: a file that is changed later is not what runs."""
    return code()


def check_code(wanted: str) -> None:
    """Refuse a worker whose numbers would be those of other code.

    Raises:
        OtherCode: what training runs through is not the same to the byte.
    """
    if loaded() != wanted:
        raise OtherCode(f"the code of {', '.join(ROOMS)} in {PACKAGE} is not that of the project that asks; "
                        "check out the same commit there, and start the worker again")


@dataclass(frozen=True)
class Job:
    """Runs of one arm, for one worker.

    Attributes:
        plan: of the arm's experiment, but for its arms; `runs` is how many these need on the study's data.
        runs: key, seed and learning rate of each.
        code: what `code` gives where the job comes from.
    """

    plan: dict
    arm: dict
    runs: tuple[tuple[str, int, float], ...]
    code: str = field(default_factory=loaded)

    @property
    def network(self) -> str:
        """All that the compiled network depends on, as text."""
        return canonical([self.arm["network"], self.arm["shape"], self.arm["task"],
                          self.arm["train"]["optimizer"], self.plan.get("modules", {})])


class Finished(dict):
    """The records of finished runs by key; kept in a store, too, if there is one here."""

    def __init__(self, store: Store | None = None):
        super().__init__()
        self.store = store

    def put(self, key: str, record: dict) -> None:
        self[key] = record
        if self.store is not None:
            self.store.put(key, record)


@functools.lru_cache(maxsize=KEPT)
def _trainer(network: str):
    """The compiled network of jobs, kept for the next one that needs it."""
    # Only now, because it loads TensorFlow.
    from pipeline.train.trainer import Trainer

    spec, shape, task, optimizer, _ = json.loads(network)
    return Trainer(spec, tuple(shape), Task.of({"task": task}), optimizer)


#: A worker that has several threads for jobs runs one job at a time: Keras builds in one thread.
_ALONE = threading.Lock()


def work(job: Job, arrays: Mapping, threads: int = 1, store: str | None = None) -> dict:
    """Train a job's runs; what a worker calls.

    Args:
        arrays: of the job's data set.
        threads: how many runs side by side; their numbers do not depend on it.
        store: the folder of a store on this machine, that keeps each run as soon as it is finished.

    Returns:
        `records` by key, the `seconds` that they took, and the `place` where.

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
        began, finished = time.perf_counter(), Finished(Store(store) if store else None)
        arm = _Arm(job.plan, job.arm, arrays, finished, threads, lambda: None)
        arm._trainer = _trainer(job.network)
        arm._train(list(job.runs))
        return {"records": dict(finished), "seconds": time.perf_counter() - began, "place": place()}


# --- what is missing ---------------------------------------------------------------------------

def read_plans(folder: Path = Path("plan")) -> list[dict]:
    """What of every plan is to be trained, in the order of their names; none of which nothing is."""
    plans = [to_train(json.loads(path.read_text(encoding="utf-8"))) for path in sorted(Path(folder).glob("*.json"))]
    return [plan for plan in plans if plan["arms"]]


def _missing(plan: dict, arm: dict, arrays: Mapping, store: Store, taken: set[str]) -> Iterator[tuple]:
    """Key, seed and rate of the runs that an arm needs and that no store and no job has yet."""
    one = _Arm(plan, arm, arrays, store, 1, None)
    for seed in study_seeds(plan["data"][arm["data"]]["seeds"]):
        keys = {rate: one.key(seed, rate) for rate in sorted(one.train.learning_rates)}
        held = {rate: store.get(key) for rate, key in keys.items()}
        absent = [rate for rate, record in held.items() if record is None]
        if not absent and "train_curve" not in held[kept := choose(held)]:
            absent = [kept]  # Stored as one that was not chosen, and so without its curves.
        for rate in absent:
            if keys[rate] not in taken:
                taken.add(keys[rate])
                yield keys[rate], seed, rate


def _cut(job: Job, pieces: int) -> Iterator[Job]:
    """A job in at most so many parts, all rates of a seed in the same one."""
    seeds = list(dict.fromkeys(seed for _, seed, _ in job.runs))
    size = -(-len(seeds) // pieces)
    for start in range(0, len(seeds), size):
        mine = {*seeds[start:start + size]}
        yield replace(job, runs=tuple(run for run in job.runs if run[1] in mine))


def ordered(found: Iterable[Job], workers: int) -> list[Job]:
    """Jobs, those of one network together, and enough of them for so many workers."""
    found = list(found)
    order = {network: number for number, network in enumerate(dict.fromkeys(job.network for job in found))}
    found.sort(key=lambda job: order[job.network])
    pieces = -(-JOBS_A_WORKER * workers // max(1, len(found)))
    return [piece for job in found for piece in _cut(job, pieces)]


def jobs(plans: Iterable[dict], data: Mapping[str, Mapping], store: Store) -> Iterator[Job]:
    """The jobs of all runs that plans need and that are not stored, one an arm.

    Args:
        data: data set → its arrays.
    """
    taken = set()
    for plan in plans:
        about = {name: value for name, value in plan.items() if name != "arms"} | {"runs": sum(
            len(arm["train"]["learning_rates"]) * plan["data"][arm["data"]]["seeds"] for arm in plan["arms"]
            if not plan["data"][arm["data"]].get("own"))}
        for arm in plan["arms"]:
            runs = tuple(_missing(plan, arm, data[arm["data"]], store, taken))
            if runs:
                yield Job(about, arm, runs)


# --- all of them -------------------------------------------------------------------------------

class Timings:
    """What training took, an experiment, and where: on this no result depends."""

    def __init__(self):
        self._rows: list[dict] = []

    def add(self, job: Job, done: Mapping) -> None:
        if job.plan["data"][job.arm["data"]].get("own"):
            return  # What a reader's own data took is no part of what the study took.
        self._rows.append({"experiment": job.plan["experiment"], "seconds": done["seconds"],
                           "trained": len(done["records"]), "runs": job.plan["runs"], **done["place"],
                           **job.plan["versions"]})

    def write(self, folder: Path = Path("timings")) -> None:
        """One file an experiment, as its stage writes it; `seconds` of all workers, as if one after another."""
        for name in dict.fromkeys(row["experiment"] for row in self._rows):
            mine = [row for row in self._rows if row["experiment"] == name]
            total = {"seconds": round(sum(row["seconds"] for row in mine), 1),
                     "trained": sum(row["trained"] for row in mine)}
            text = json.dumps({**{k: v for k, v in mine[-1].items() if k != "experiment"}, **total}, indent=1)
            write_text(Path(folder) / f"{name}.json", text + "\n")


def train_all(plans: Sequence[dict], data: Mapping[str, Mapping], store: Store, engine,
              stream=None) -> int:
    """Train all missing runs of plans, and keep each in the store; the number that was trained.

    A run that is chosen though it was stored without its curves shows only when its seed's other
    rates are there: so what is missing is asked for until nothing is.

    Args:
        engine: has `workers`, and gives `results(jobs, data, store)`, pairs of a job and what `work` returned.
        stream: where the bar is drawn; None draws none.

    Raises:
        WrongVersion, OtherCode: a worker would give other numbers, and no other one is left.
        RuntimeError: workers have ended, and others have not come in their place.
    """
    timings, trained = Timings(), 0
    store.folder.mkdir(parents=True, exist_ok=True)
    with FileLock(store.folder / "lock"), tqdm(
            total=0, unit="run", desc="the study", file=stream, disable=stream is None) as bar:
        try:
            while waiting := ordered(jobs(plans, data, store), engine.workers):
                bar.total += sum(len(job.runs) for job in waiting)
                bar.refresh()
                for job, done in engine.results(waiting, data, store):
                    for key, record in done["records"].items():
                        if store.get(key) != record:
                            store.put(key, record)
                    timings.add(job, done)
                    trained += len(job.runs)
                    bar.update(len(job.runs))
        finally:
            timings.write()
    return trained
