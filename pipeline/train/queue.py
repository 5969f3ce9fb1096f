"""The one way to train: the runs that plans need and that are not stored, as a queue of jobs."""

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from filelock import FileLock
from tqdm import tqdm

from pipeline.tables import run_record
from pipeline.tables.run_record import CURVES
from pipeline.tables.store import Store
from pipeline.train.arm import Arm, DataSet, select_rate, to_train
from pipeline.train.worker import Job

#: Jobs that each of several workers shall have at least: an arm is cut for that, but no further, as each worker
#: that takes a piece compiles the network. One worker has pieces of so few runs that one is done every few seconds.
JOBS_A_WORKER, RUNS_A_PIECE = 4, 32
#: Beside the store: held by whoever trains.
LOCK = "lock"
#: Experiment, variant and data set → the layers of the network, as `pipeline.train.layers.rows` gives them.
Layers = dict[tuple[str, str, str], list[dict]]


def read_plans(folder: Path = Path("plan")) -> list[dict]:
    """What of every plan is to be trained, in the order of their names; none of which nothing is."""
    plans = [to_train(json.loads(path.read_text(encoding="utf-8"))) for path in sorted(Path(folder).glob("*.json"))]
    return [plan for plan in plans if plan["arms"]]


# --- what is missing ---------------------------------------------------------------------------

def jobs(plans: Iterable[dict], data: Mapping[str, DataSet], store: Store) -> list[Job]:
    """The jobs of all runs that plans need and that are not stored, one an arm; each run is in one of them."""
    found, taken = [], set()
    for plan in plans:
        about = {name: value for name, value in plan.items() if name != "arms"}
        for arm in plan["arms"]:
            runs = tuple(run for run in _missing(Arm(plan, arm, data[arm["data"]]), store) if run[0] not in taken)
            taken |= {key for key, *_ in runs}
            if runs:
                found.append(Job(about, arm, runs))
    return found


def _missing(arm: Arm, store: Store) -> Iterator[tuple[str, int, float]]:
    """Key, seed and rate of the runs that an arm needs and that are not stored."""
    keys = {seed: arm.keys(seed) for seed in arm.seeds}
    stored = store.find(key for mine in keys.values() for key in mine.values())
    for seed, mine in keys.items():
        absent = [rate for rate, key in mine.items() if key not in stored]
        if not absent:
            kept = select_rate({rate: stored[key] for rate, key in mine.items()})
            # Stored as one that was not chosen, and so without its curves.
            absent = [] if CURVES[0] in stored[mine[kept]] else [kept]
        yield from ((mine[rate], seed, rate) for rate in absent)


def ordered(found: Sequence[Job], workers: int) -> list[Job]:
    """Jobs, those of one network together, and enough of them for so many workers."""
    order = {network: number for number, network in enumerate(dict.fromkeys(job.network for job in found))}
    most = sum(len(job.runs) for job in found) // (JOBS_A_WORKER * workers) if workers > 1 else RUNS_A_PIECE
    return [piece for job in sorted(found, key=lambda job: order[job.network]) for piece in _cut(job, most)]


def _cut(job: Job, most: int) -> Iterator[Job]:
    """A job in parts of about so many runs, all rates of a seed in the same one."""
    seeds = list(dict.fromkeys(seed for _, seed, _ in job.runs))
    size = max(1, most * len(seeds) // len(job.runs))
    for start in range(0, len(seeds), size):
        mine = {*seeds[start:start + size]}
        yield replace(job, runs=tuple(run for run in job.runs if run[1] in mine))


# --- training ----------------------------------------------------------------------------------

def train(plans: Sequence[dict], executor, data: Mapping[str, DataSet], store: Store, stream=sys.stderr) -> tuple[int, Layers]:
    """Train all missing runs of plans, and keep each in the store.

    A run that is chosen though it was stored without its curves shows only when its seed's other
    rates are there: so what is missing is asked for until nothing is.

    Args:
        executor: of this machine or of a cluster, see `pipeline.train.executor`.
        data: data set by name.
        stream: where a bar is drawn if it is a terminal.

    Returns:
        How many runs were trained, and the layers of the networks that were.

    Raises:
        WrongVersion, OtherCode: a worker would give other numbers, and no other one is left.
        RuntimeError: workers have ended, and others have not come in their place.
        ValueError: what a worker sent back are not the runs of its job.
    """
    trained, layers = 0, {}
    store.folder.mkdir(parents=True, exist_ok=True)
    with FileLock(store.folder / LOCK):
        while found := jobs(plans, data, store):
            waiting = {key for job in found for key, *_ in job.runs}
            trained += len(waiting)
            with _bar(found, stream) as bar:
                for job, done in executor.results(ordered(found, executor.workers(found)), data, store):
                    keep(job, done, store)
                    bar.update(len(job.runs))
                    layers[job.plan["experiment"], job.arm["variant"], job.arm["data"]] = done["layers"]
                    waiting -= done["records"].keys()
            if waiting:
                raise RuntimeError(f"{len(waiting)} runs were asked for, and no worker sent them back; what has finished "
                                   "is stored")
    return trained, layers


def _bar(jobs: Sequence[Job], stream) -> tqdm:
    """A bar of the runs of jobs; what is no terminal gets a line instead."""
    names, total = {job.plan["experiment"] for job in jobs}, sum(len(job.runs) for job in jobs)
    label = min(names) if len(names) == 1 else f"{len(names)} experiments"
    bar = tqdm(total=total, unit="run", desc=label, file=stream, disable=None if stream else True)
    if bar.disable and stream:
        print(f"{label}: {total} runs to train", file=stream, flush=True)
    return bar


def keep(job: Job, done: Mapping, store: Store) -> None:
    """Keep what a worker sent back.

    Raises:
        ValueError: it is not what was asked for, see `check`, or another record of a run is stored.
    """
    check(job, done["records"])
    for key, record in done["records"].items():
        store.put(key, record)
    store.note_timing(done["records"], done["seconds"] / len(job.runs), done["host"])


def check(job: Job, records: Mapping[str, Mapping]) -> None:
    """Refuse what is not the answer to a job.

    Raises:
        ValueError: runs are missing, or nobody asked for them, or no run can have measured a record.
    """
    asked = {key for key, *_ in job.runs}
    for what, keys in (("lacks", asked - records.keys()), ("holds, unasked,", records.keys() - asked)):
        if keys:
            raise ValueError(f"{job.name}: what a worker sent back {what} {len(keys)} runs, as "
                             f"{min(map(str, keys))[:80]}; what had finished before is stored")
    for key, record in records.items():
        try:
            run_record.check(record)
        except ValueError as error:
            raise ValueError(f"{job.name}: what a worker sent back as the run {key} is none: {error}") from None
