"""How much of a file trains in the minutes that a person has: by the first runs of its plain network, which are kept."""

from __future__ import annotations

import contextlib
import functools
import importlib
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.baselines.measure import errors
from pipeline.cli.ask.guess import arrays_of
from pipeline.cli.ask.question import Guess
from pipeline.config.errors import ConfigError, tell
from pipeline.config.schema import Params
from pipeline.notebook import LOG, errors_to
from pipeline.plan.study import Facts, resolved
from pipeline.tables.store import Store
from pipeline.train.arm import DataSet, arms
from pipeline.train.queue import train
from pipeline.train.worker import work

#: Seeds whose runs are timed: one, with which the network is compiled, and more.
TIMED = (1, 3)
#: At least so many samples train, whatever that takes.
LEAST = 640
#: How many times as long as to load what trains take, beside runs: the stage of an experiment, that of one that the probe
#: watches, and all that is done once, from the plans to the pages.
STAGE, PROBE, ONCE = 2.4, 1.1, 21.0
#: A size so near to the one that fits is kept, and so many are tried.
NEAR, TRIES = 1.15, 4
#: A run with 640 training samples of which no training was timed, in seconds.
RUN = 1.0
#: A guess → the name of its data set, and the study with it.
Drafted = Callable[[Guess], tuple[str, Params]]


@dataclass(frozen=True)
class Cost:
    """What an experiment costs on a data set: so many runs, each so many times as long as one of the plain network."""

    runs: int
    times: float
    watched: bool = False


@dataclass(frozen=True)
class Pace:
    """What things take here, in seconds: to load what trains, to compile a network, a run of the plain one, of which
    several are trained side by side, and the simple predictors."""

    start: float
    compiled: float
    run: float
    simple: float

    def seconds(self, costs: Mapping[str, Cost]) -> tuple[float, float]:
        """What all takes, whatever trains; and what the runs take."""
        stages = sum(self.compiled + self.start * (STAGE + PROBE * cost.watched) for cost in costs.values())
        return ONCE * self.start + self.simple + stages, self.run * sum(cost.runs * cost.times for cost in costs.values())


def costs(name: str, params: Params) -> dict[str, Cost]:
    """Experiment → what it costs on a data set, as it did in the study."""
    plain = _run(params.plain(name), params)
    return {one: Cost(params.data[name].seeds * len(params.training(one, name).learning_rates) * len(params.variants(one)),
                      _run(one, params) / plain, one in params.probe.experiments) for one in params.experiments if name in params.data_sets(one)}


def _run(experiment: str, params: Params) -> float:
    """Seconds that a run of an experiment took in the study; or else one of its control, and so on."""
    for _ in params.experiments:
        path = Path("timings") / f"{experiment}.json"
        if path.exists():
            found = json.loads(path.read_text(encoding="utf-8"))
            return found["seconds"] / max(1, found["trained"])
        experiment = params.experiments[experiment].versus or experiment
    return RUN


def fitted(guess: Guess, drafted: Drafted, minutes: int) -> float:
    """Cut the training part of an entry to what trains in about so many minutes; how many seconds all takes.

    The first runs are trained and timed, of fewer samples again while that is too long. The last ones are of the samples
    that the entry has, and are kept.
    """
    (name, params), whole = drafted(guess), guess.entry["split"]
    cost, limit, most = costs(name, params), 60 * minutes, whole["train"]
    expected = _run(params.plain(name), params) * sum(one.runs * one.times for one in cost.values())
    # Nor are the first ones to take longer than all may.
    size = min(most, max(LEAST, int(2 * LEAST * limit / expected)))
    for left in reversed(range(TRIES)):
        arrays = _cut(guess, whole, size)
        pace = timed(name, drafted(guess)[1], arrays)
        fixed, runs = pace.seconds(cost)
        fits = min(most, max(LEAST, int(size * (limit - fixed) / max(runs, 1e-9))))
        if not left or max(fits, size) <= NEAR * min(fits, size):
            break
        size = fits
    if size < most:
        why = f"{most:,} could train, which takes longer than {minutes} minutes: with MINUTES={6 * minutes} more do"
        guess.why["split"] += f"; {why}"
    return fixed + runs


def _cut(guess: Guess, whole: Mapping[str, int], size: int) -> Mapping:
    """The arrays of an entry of which so many samples train; a third as many validate, unless a class would be without."""
    few = whole["validation"] if size == whole["train"] else min(whole["validation"], -(-size // 3))
    for validation in (few, whole["validation"]):
        guess.entry["split"] = {**whole, "train": size, "validation": validation}
        with contextlib.suppress(ConfigError):
            return arrays_of(guess.entry)
    return arrays_of(guess.entry)


class _Here:
    """This process as an executor, which compiles a network once for all that it is asked."""

    def workers(self, jobs) -> int:
        return 1

    def results(self, jobs, data: Mapping[str, DataSet], store: Store) -> Iterator[tuple]:
        for job in jobs:
            yield job, work(job, data[job.arm["data"]].arrays, os.cpu_count() or 1, str(store.folder))


def timed(name: str, params: Params, arrays: Mapping[str, np.ndarray]) -> Pace:
    """Train the first runs of a data set's plain network, by the queue that trains all, and time them."""
    start, scaling = _loading(), params.training(params.plain(name), name).scaling
    began = time.perf_counter()
    errors(arrays, params.seeds(name)[:1], scaling)
    simple = (time.perf_counter() - began) * params.data[name].seeds
    (first, count), (later, more) = (_trained(name, params, arrays, seeds) for seeds in TIMED)
    run = later / more if more else first / max(1, count)
    return Pace(start, max(0.0, first - count * run), run, simple)


@functools.cache
def _loading() -> float:
    """Seconds in which this process loads what trains."""
    began = time.perf_counter()
    with errors_to(LOG):
        importlib.import_module("pipeline.train.trainer")
    return time.perf_counter() - began


def _trained(name: str, params: Params, arrays: Mapping[str, np.ndarray], seeds: int) -> tuple[float, int]:
    """Seconds in which the plain network's missing runs of so many seeds are trained, and how many they are.

    Of those that are stored, what they took then.
    """
    plain, entry, found = params.plain(name), params.data[name], []
    study = params.model_copy(update={
        "verdicts": params.verdicts.model_copy(update={"controls": []}), "being_measured": [],
        "data": {name: entry.model_copy(update={"seeds": min(seeds, entry.seeds)})},
        "experiments": {plain: params.experiments[plain].model_copy(update={"data": [name], "versus": None})}})
    facts = Facts(study)
    facts.data[name] = DataSet(arrays)
    with errors_to(LOG), contextlib.closing(Store()) as store:
        plans, _ = resolved(study, facts, found)
        tell(found)
        began = time.perf_counter()
        count, _ = train(list(plans.values()), _Here(), facts.data, store, stream=None)
        if count:
            return time.perf_counter() - began, count
        keys = [key for arm in arms(plans[plain], facts.data) for seed in arm.seeds for key in arm.keys(seed).values()]
        known = [seconds for seconds, _ in store.timings(keys).values()]
        return sum(known), len(known)
