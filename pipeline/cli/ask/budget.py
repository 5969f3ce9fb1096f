"""How much of a file trains in the minutes that a person has: by the first runs of its plain network, which are kept."""

from __future__ import annotations

import contextlib
import functools
import importlib
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from pipeline.baselines.measure import errors
from pipeline.cli.ask.guess import arrays_of
from pipeline.cli.ask.question import Guess
from pipeline.cli.trial import alone
from pipeline.config.errors import ConfigError, tell
from pipeline.config.schema import Params
from pipeline.data.draw import Arrays
from pipeline.notebook import LOG, errors_to
from pipeline.plan.study import Facts, resolved
from pipeline.tables.store import Store
from pipeline.train.arm import DataSet
from pipeline.train.queue import train
from pipeline.train.worker import work

#: Seeds whose runs are timed: one, with which the network is compiled, and more; and the fewest samples that train.
FIRST, MORE, LEAST = 1, 3, 640
#: How many times as long as to load what trains the stages of an experiment take, beside runs, and all that is done once.
STAGES, ONCE = 6.5, 45.0
#: A size so near to the one that fits is kept, and so many are tried.
NEAR, TRIES = 1.15, 4
#: A run with 640 training samples of which no training was timed, in seconds.
RUN = 1.0


def costs(name: str, params: Params) -> dict[str, float]:
    """Experiment → how many times as long as a run of the plain network all its runs took in the study, as many as here."""
    plain, seeds = _run(params.plain(name), params), params.data[name].seeds
    return {one: seeds * len(params.training(one, name).learning_rates) * len(params.variants(one)) * _run(one, params) / plain
            for one in params.experiments if name in params.data_sets(one)}


def _run(experiment: str, params: Params) -> float:
    """Seconds that a run of an experiment took in the study; or else one of its control, and so on."""
    for _ in params.experiments:
        path = Path("timings") / f"{experiment}.json"
        if path.exists():
            found = json.loads(path.read_text(encoding="utf-8"))
            return found["seconds"] / max(1, found["trained"])
        experiment = params.experiments[experiment].versus or experiment
    return RUN


def fitted(guess: Guess, drafted: Callable[[Guess], tuple[str, Params]], minutes: int) -> float:
    """Cut the training part of an entry to what trains in about so many minutes; how many seconds all takes.

    Runs are timed of the samples that the entry has, and of others where those do not fit; the last ones are kept.

    Args:
        drafted: a guess → the name of its data set, and the study with it.
    """
    (name, params), whole, limit = drafted(guess), guess.entry["split"], 60 * minutes
    cost, most = costs(name, params), whole["train"]
    # The first ones, too, are not to take longer than all may.
    size = min(most, max(LEAST, int(2 * LEAST * limit / (_run(params.plain(name), params) * sum(cost.values())))))
    first, simple = size, _simple(name, params, _cut(guess, whole, size))
    for left in reversed(range(TRIES)):
        rest, run = timed(name, drafted(guess)[1], _cut(guess, whole, size))
        rest, runs = rest + simple * size / first, run * sum(cost.values())
        fits = min(most, max(LEAST, int(size * (limit - rest) / max(runs, 1e-9))))
        if not left or max(fits, size) <= NEAR * min(fits, size):
            break
        size = fits
    if size < most:
        guess.why["split"] += (f"; {most:,} could train, which takes longer than {minutes} minutes: with MINUTES={6 * minutes} "
                               "more do")
    return rest + runs


def _cut(guess: Guess, whole: Mapping[str, int], size: int) -> Arrays:
    """The arrays of an entry of which so many samples train; a third as many validate, unless a class would be without."""
    few = whole["validation"] if size == whole["train"] else min(whole["validation"], -(-size // 3))
    guess.entry["split"] = {**whole, "train": size, "validation": few}
    with contextlib.suppress(ConfigError):
        return arrays_of(guess.entry)
    guess.entry["split"] = {**whole, "train": size}
    return arrays_of(guess.entry)


def _simple(name: str, params: Params, arrays: Arrays) -> float:
    """Seconds that the simple predictors take on all seeds."""
    seeds, began = params.seeds(name), time.perf_counter()
    errors(arrays, seeds[:2], params.training(params.plain(name), name).scaling)
    return (time.perf_counter() - began) * len(seeds) / len(seeds[:2])


def timed(name: str, params: Params, arrays: Arrays) -> tuple[float, float]:
    """Train the first runs of a data set's plain network, by the queue that trains all, and time them.

    Returns:
        Seconds that all takes beside runs, and that a run takes, of which several are trained side by side.
    """
    start = _loading()
    (first, one), (later, more) = (_trained(name, params, arrays, count) for count in (FIRST, MORE))
    run = later / more if more else first / max(1, one)
    compiled = max(0.0, first - one * run)
    return ONCE * start + len(costs(name, params)) * (STAGES * start + compiled), run


@functools.cache
def _loading() -> float:
    """Seconds in which this process loads what trains."""
    began = time.perf_counter()
    with errors_to(LOG):
        importlib.import_module("pipeline.train.trainer")
    return time.perf_counter() - began


class _Here:
    """This process as an executor, which compiles a network once for all that it is asked."""

    def workers(self, jobs) -> int:
        return 1

    def results(self, jobs, data: Mapping[str, DataSet], store: Store) -> Iterator[tuple]:
        for job in jobs:
            yield job, work(job, data[job.arm["data"]].arrays, os.cpu_count() or 1, str(store.folder))


def _trained(name: str, params: Params, arrays: Arrays, seeds: int) -> tuple[float, int]:
    """Seconds in which the plain network's missing runs of so many seeds are trained, and how many they are."""
    study, found = alone(params, [params.plain(name)], name, seeds), []
    facts = Facts(study)
    facts.data[name] = DataSet(arrays)
    with errors_to(LOG), contextlib.closing(Store()) as store:
        plans, _ = resolved(study, facts, found)
        tell(found)
        began = time.perf_counter()
        count, _ = train(list(plans.values()), _Here(), facts.data, store, stream=None)
        return time.perf_counter() - began, count
