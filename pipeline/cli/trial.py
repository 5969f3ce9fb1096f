"""One experiment against its control, without the book: `make try EXPERIMENT=name`, or a quick look at it."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Sequence

import pandas as pd

from pipeline.cli import answer
from pipeline.config.errors import ConfigError, complain, tell
from pipeline.config.given import given
from pipeline.config.schema import PARAMS, Params, load
from pipeline.plan import announce
from pipeline.plan.study import Facts, resolved
from pipeline.plan.tidy import PLAN
from pipeline.process.reproduce import reproduce
from pipeline.tables.lock import trusted
from pipeline.tables.store import Store
from pipeline.tables.stored import RUNS
from pipeline.train.arm import DataSets, tables
from pipeline.train.executor import executor
from pipeline.train.queue import train

#: How many seeds a quick look takes.
FEW = 5


def compared_with(name: str, params: Params) -> str:
    """The control of an experiment; ConfigError, if it has none."""
    control = params.experiments[name].versus
    if control is None:
        raise ConfigError(f"{PARAMS}: experiments.{name}: it is compared with nothing; allowed: versus, with an experiment")
    return control


def whole(name: str, params: Params) -> int:
    """Train an experiment and its control, whatever is missing, and say how they compare."""
    trained = [compared_with(name, params), name]
    if code := reproduce("data", "plan", only=True):
        return code
    new = announce.missing({one: (PLAN / f"{one}.json").read_text(encoding="utf-8") for one in trained})
    if not announce.agreed(new):
        return complain(RuntimeError("nothing was trained"))
    if code := reproduce(*(f"train@{one}" for one in trained), only=True):
        return code
    answer.say("\n" + answer.of(name, params))
    return 0


def small(name: str, params: Params) -> Params:
    """A study of an experiment and its control on the first data set that they share, with few seeds."""
    control = compared_with(name, params)
    data = next(one for one in params.data_sets(name) if one in params.data_sets(control))
    return alone(params, [control, name], data, FEW)


def alone(params: Params, names: Sequence[str], data: str, seeds: int | None = None) -> Params:
    """A study of some experiments on one data set, in which nothing measures the rule; of so many seeds at most."""
    entry = params.data[data]
    return params.model_copy(update={
        "verdicts": params.verdicts.model_copy(update={"controls": []}), "being_measured": [],
        "data": {data: entry.model_copy(update={"seeds": min(seeds or entry.seeds, entry.seeds)})},
        "experiments": {one: params.experiments[one].model_copy(update={"data": [data]}) for one in names}})


def quick(name: str, params: Params) -> int:
    """Train an experiment and its control on few seeds of one data set, and say how they compare there.

    The runs are kept in the store, where a whole training finds them; no table is written.
    """
    study = small(name, params)
    (data_set, entry), = study.data.items()
    if code := reproduce("data", only=True):
        return code
    print(f"a quick look: {entry.seeds} seeds on {data_set} alone; nothing of it is kept but the runs", flush=True)
    found: list[ConfigError] = []
    plans, _ = resolved(study, Facts(params), found)
    tell(found)
    data = DataSets()
    with contextlib.closing(Store()) as store:
        store.fill(filter(trusted, (RUNS / one for one in plans)))
        with executor() as here:
            train(list(plans.values()), here, data, store)
        runs = pd.concat([tables(plan, data, store)[0] for plan in plans.values()], ignore_index=True)
    answer.say("\n" + answer.quick(name, study, runs))
    return 0


def main() -> int:
    """Train one experiment and its control, and say how they compare."""
    parser = argparse.ArgumentParser(prog="make try", description=main.__doc__)
    parser.add_argument("experiment", nargs="?", default=given("EXPERIMENT"))
    parser.add_argument("--quick", action="store_true", default=bool(given("QUICK")),
                        help=f"{FEW} seeds on one data set, nothing in results/")
    asked = parser.parse_args()
    try:
        if not asked.experiment:
            raise ConfigError("EXPERIMENT: missing; allowed: the name of one, make try EXPERIMENT=name")
        params = load()
        name = answer.experiment(asked.experiment, params)
        return (quick if asked.quick else whole)(name, params)
    except (ConfigError, RuntimeError, ValueError) as error:
        return complain(error)


if __name__ == "__main__":
    sys.exit(main())
