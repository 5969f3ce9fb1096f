"""Where jobs are done: by processes of this machine, or by the workers of a Dask cluster."""

from __future__ import annotations

import contextlib
import functools
import multiprocessing
import os
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

from pipeline.config.errors import ConfigError
from pipeline.data.sources import read
from pipeline.notebook import LOG
from pipeline.process.stage import end_with_parent
from pipeline.tables.store import Store
from pipeline.train.arm import DataSet, DataSets
from pipeline.train.host import WrongVersion
from pipeline.train.worker import Job, OtherCode, work

#: More processes need more memory; threads of a process share its TensorFlow and what it compiles.
PROCESSES = 4
#: Fewer runs are not worth the seconds in which another process loads TensorFlow and compiles what one has compiled.
RUNS_A_PROCESS = 300
#: After so many networks fresh processes take the place of all: XLA never forgets what it has compiled, about
#: 40 MB a network. (The pool's own `max_tasks_per_child` stands still when the first processes are used up:
#: https://github.com/python/cpython/issues/115634.)
NETWORKS_A_PROCESS = 50
#: Seconds in which a scheduler must answer.
PATIENCE = 30


def executor(cluster: str = ""):
    """A context that gives the executor: of a cluster's scheduler, or of this machine if none is named.

    Raises:
        ConfigError: no scheduler answers, Dask is not installed, or TRAIN_THREADS is no number.
    """
    return _cluster(cluster) if cluster else contextlib.nullcontext(Processes(_cores()))


def _cores() -> int:
    text = os.environ.get("TRAIN_THREADS", "")
    if text and not (text.isdecimal() and int(text)):
        raise ConfigError(f"TRAIN_THREADS={text}: allowed: a whole number from 1 on")
    return int(text) if text else os.cpu_count() or 1


# --- this machine ------------------------------------------------------------------------------

def _begin(log: str) -> None:
    """A worker process: it ends with the one that started it, which alone hears an interrupt.

    What TensorFlow has to say goes to a file; it would tear the bar.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_parent()
    Path(log).parent.mkdir(parents=True, exist_ok=True)  # A fresh clone has no store yet.
    with open(log, "ab") as file:
        os.dup2(file.fileno(), 2)


@functools.lru_cache(maxsize=8)
def _arrays(path: str, changed: float) -> Mapping:
    return read(path)


def _work_here(job: Job, threads: int, store: str | None) -> dict:
    """`work` in a process of this machine, which reads the data itself, once."""
    path = DataSets().path(job.arm["data"])
    return work(job, _arrays(str(path), path.stat().st_mtime), threads, store)


class Processes:
    """A few processes of this machine, each with TensorFlow loaded once.

    Args:
        cores: how many runs are trained side by side, by processes or by threads of them.
    """

    def __init__(self, cores: int):
        self.cores = cores

    def __str__(self) -> str:
        return f"training here on {self.cores} core{'s' * (self.cores > 1)}"

    def workers(self, jobs: Sequence[Job]) -> int:
        """How many processes some jobs are worth."""
        return min(self.cores, PROCESSES, 1 + sum(len(job.runs) for job in jobs) // RUNS_A_PROCESS)

    def results(self, jobs: Sequence[Job], data: Mapping[str, DataSet], store: Store | None,
                ) -> Iterator[tuple[Job, dict]]:
        """A job and what `work` returned, as they are done; each run is stored as it finishes."""
        processes, some, networks = self.workers(jobs), [], set()
        for job in jobs:
            if len(networks | {job.network}) > NETWORKS_A_PROCESS:
                yield from self._results(some, processes, store)
                some, networks = [], set()
            some.append(job)
            networks.add(job.network)
        yield from self._results(some, processes, store)

    def _results(self, jobs: Sequence[Job], processes: int, store: Store | None) -> Iterator[tuple[Job, dict]]:
        """Those of so many jobs as fresh processes may do."""
        others = set(multiprocessing.active_children())
        folder = str(store.folder.absolute()) if store else None
        with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn"), _begin,
                                 (str(LOG.absolute()),)) as pool:
            waiting = {pool.submit(_work_here, job, max(1, self.cores // processes), folder): job for job in jobs}
            try:
                for future in as_completed(waiting):
                    yield waiting[future], future.result()
            except BrokenProcessPool:
                raise RuntimeError("a process that trained was ended from outside, perhaps for want of memory; "
                                   "what has finished is stored: run it again") from None
            finally:
                # Nothing is waited for: an interrupt is to end at once, and each run is stored as it finishes.
                pool.shutdown(wait=False, cancel_futures=True)
                if any(not future.done() for future in waiting):
                    for process in set(multiprocessing.active_children()) - others:
                        process.terminate()


# --- a cluster ---------------------------------------------------------------------------------

def _same(arrays: dict) -> dict:
    """Arrays as a result that workers hand on to each other, and that is made again if they are lost."""
    return arrays


class Refused(RuntimeError):
    """A worker, by its address, and why its numbers would be others."""


def _work_there(job: Job, arrays: dict) -> dict:
    from distributed import get_worker

    try:
        return work(job, arrays, get_worker().state.nthreads)
    except (WrongVersion, OtherCode, ConfigError) as error:
        raise Refused(get_worker().address, str(error)) from None


@contextlib.contextmanager
def _cluster(address: str) -> Iterator[Cluster]:
    try:
        import dask
        from distributed import Client
    except ImportError:
        raise ConfigError(f"CLUSTER={address}: Dask is not installed; `make runs` installs it from "
                          "requirements-cluster.txt") from None
    # Data go into a cluster through its scheduler, on purpose.
    with dask.config.set({"distributed.admin.large-graph-warning-threshold": "1TB"}):
        try:
            client = (Client(scheduler_file=address, timeout=PATIENCE) if Path(address).is_file() else
                      Client(address, timeout=PATIENCE))
        except (OSError, ValueError) as error:
            raise ConfigError(f"CLUSTER={address}: no scheduler answers there ({error}); allowed: the address "
                              "that `dask scheduler` prints, or its scheduler file") from None
        with client:
            yield Cluster(client)


class Cluster:
    """The workers of a Dask cluster; they may come and go."""

    def __init__(self, client):
        self.client = client
        self._refused: set[str] = set()

    def __str__(self) -> str:
        return f"training on {self.client.scheduler.address}: workers {len(self._workers())}"

    def workers(self, jobs: Sequence[Job]) -> int:
        """How many there are now, and at least two: others may come."""
        return max(2, len(self._workers()))

    def _workers(self) -> set[str]:
        return {*self.client.scheduler_info(n_workers=-1)["workers"]} - self._refused

    def results(self, jobs: Sequence[Job], data: Mapping[str, DataSet], store: Store | None,
                ) -> Iterator[tuple[Job, dict]]:
        """A job and what `work` returned, as they are done.

        A data set goes to the scheduler once, and from it or another worker once to each worker
        that needs it. A worker that would give other numbers is let go, and its jobs are given to
        others.
        """
        from distributed import KilledWorker, as_completed

        self._refuse_strangers()
        sent = {name: self.client.submit(_same, dict(data[name].arrays), pure=False)
                for name in {job.arm["data"]: None for job in jobs}}

        def submit(job: Job):
            future = self.client.submit(_work_there, job, sent[job.arm["data"]], pure=False)
            waiting[future] = job
            return future

        waiting: dict = {}
        arriving = as_completed([submit(job) for job in jobs])
        try:
            for future in arriving:
                job = waiting.pop(future)
                try:
                    done = future.result()
                except Refused as error:
                    self._refuse(*error.args)
                    arriving.add(submit(job))
                else:
                    yield job, done
        except KilledWorker as error:
            raise RuntimeError(f"workers of the cluster ended while they trained: {error}; what has finished "
                               "is stored") from None
        finally:
            self.client.cancel([*waiting, *sent.values()])

    def _refuse_strangers(self) -> None:
        """Let the workers go that cannot import the project: the first job would end them without a word."""
        def known() -> bool:  # Inside, so that it is sent as code, not by the name of its module.
            import importlib.util

            return importlib.util.find_spec("pipeline") is not None

        for address, found in self.client.run(known).items():
            if not found:
                self._refuse(address, "it cannot import the project; start it in an environment with the "
                             "project's packages, and with the project's folder in PYTHONPATH")

    def _refuse(self, address: str, why: str) -> None:
        """Let a worker go.

        Raises:
            RuntimeError: it was the last one.
        """
        if address not in self._refused:
            self._refused.add(address)
            print(f"the worker {address} is refused: {why}", file=sys.stderr, flush=True)
            self.client.retire_workers([address], close_workers=True)
        if not self._workers():
            raise RuntimeError(f"no worker is left; the last one, {address}, was refused: {why}")
