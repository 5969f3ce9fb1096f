"""Train a random sample of the stored runs again, and say whether they are what they say."""

from __future__ import annotations

import argparse
import os
import secrets
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from tqdm import tqdm

from pipeline.config.errors import ConfigError, complain
from pipeline.config.given import option, whole
from pipeline.config.schema import Params, load
from pipeline.process.stage import INTERRUPTED
from pipeline.tables.stored import write_text
from pipeline.train.arm import DataSets
from pipeline.train.executor import executor
from pipeline.train.host import settings
from pipeline.train.queue import check, ordered, read_plans
from pipeline.train.worker import Job
from pipeline.cli.verify.certificate import FAILED, alike, certificate, judge, path_of
from pipeline.cli.verify.recompute import READINGS, changed, decided, differing
from pipeline.cli.verify.sample import Stored, Unit, draw
from pipeline.cli.verify.tables import faults

MINUTES = 10
#: So many faults of tables are named; more say no more.
MOST = 5


def families(params: Params) -> dict[str, str]:
    """Data set → its family; its group, if it is of none."""
    return {name: getattr(entry, "family", "") or entry.group for name, entry in params.data.items()}


def wanted(text: str, population: list[Unit]) -> int | None:
    """How many runs are asked for: None for what fits the time; ConfigError, if not a number, `all` or nothing."""
    if text == "all":
        return sum(len(unit.keys) for unit in population)
    if text and not (text.isdecimal() and int(text)):
        raise ConfigError(f"RUNS={text}: allowed: all, or a number from 1 on")
    return int(text) if text else None


def first(sample: Iterable[Unit], runs: int) -> list[Unit]:
    """The first units of a sample that have so many runs."""
    found, held = [], 0
    for unit in sample:
        if held >= runs:
            break
        found.append(unit)
        held += len(unit.keys)
    return found


def train_again(made: Mapping[Unit, Job], data: Mapping, found, seconds: float | None) -> tuple[list[Unit], dict, dict]:
    """The units that were trained, in the time there is, their records by key, and where."""
    waiting = list(made.values()) if seconds else ordered(made.values(), found.workers(list(made.values())))
    records, place, end = {}, {}, time.monotonic() + (seconds or float("inf"))
    results = found.results(waiting, data, None)
    with tqdm(total=sum(len(one.runs) for one in waiting), unit="run", desc="trained again", disable=None) as bar:
        for one, done in results:
            check(one, done["records"])
            records |= done["records"]
            place = done["host"]
            bar.update(len(one.runs))
            if time.monotonic() > end:
                break
        results.close()
    return [unit for unit in made if all(key in records for _, key in unit.keys)], records, place


def checked(stored: Stored) -> None:
    """Look at every stored row, and find and read all again; a RuntimeError names the first things that are wrong."""
    found = faults(stored)
    if not found and READINGS.exists():
        with decided({}, stored) as folder:
            found = differing(READINGS.parent, folder) + changed(READINGS, folder / READINGS.name)
    if found:
        more = [f"and {len(found) - MOST} more"] if len(found) > MOST else []
        raise RuntimeError(f"the stored tables are not what training and findings give: {'; '.join(found[:MOST] + more)}")
    print(f"every row of {len(stored.runs)} is a plan's, and the findings are what they give", flush=True)


def main() -> int:
    """Check every stored row, train a sample of the runs again, write its certificate; 1 if they are not what they say."""
    parser = argparse.ArgumentParser(prog="python -m pipeline.cli.verify", description=main.__doc__)
    option(parser, "name", "this_machine", help="of the certificate")
    option(parser, "runs", "", help="all, or how many; by default what fits ten minutes")
    option(parser, "seed", help="chooses the sample; by default a random one, which is printed")
    given = parser.parse_args()
    try:
        seed = whole("SEED", given.seed)
        seed = secrets.randbelow(2 ** 32) if seed is None else seed
        path = path_of(given.name)
        stored = Stored(read_plans(), DataSets(), families(load()))
        population = stored.units()
        number = wanted(given.runs, population)
        checked(stored)
        # No more fit the time than a run each tenth of a second.
        made = {unit: stored.job(unit) for unit in first(draw(population, seed), number or 600 * MINUTES)}
        with executor(os.environ.get("CLUSTER", "")) as found:
            print(f"{found}; SEED={seed}", flush=True)
            sample, records, place = train_again(made, stored.data, found, None if number else 60 * MINUTES)
        if not sample:
            raise ConfigError(f"no run was trained in {MINUTES} minutes; RUNS=1 has no limit of time")
        result = judge(sample, records, stored, alike({unit.places[0][0] for unit in sample}, place))
        result["verdicts_changed"] = _changed(result, records, stored) if READINGS.exists() else None
        about = {**place, "settings": settings(), "versions": next(iter(stored.plans.values()))["versions"], "seed": seed}
        write_text(path, certificate(result, about, len(population), len(sample)))
    except KeyboardInterrupt:
        complain(RuntimeError("interrupted; no certificate is written"))
        return INTERRUPTED
    except (RuntimeError, ValueError) as error:
        return complain(error)
    say(result, path)
    return 1 if result["says"] in FAILED else 0


def _changed(result: Mapping, records: Mapping, stored: Stored) -> list[str]:
    """The readings that change when runs that were trained again take the place of the stored ones."""
    if result["identical"] == result["runs"]:
        return []
    with decided(records, stored) as folder:
        return changed(READINGS, folder / READINGS.name)


def say(result: Mapping, path: Path) -> None:
    """The certificate in a few lines."""
    print(f"{result['identical']} of {result['runs']} runs have the same bits: {result['says']}")
    for line in result["differing"]:
        print(f"  not what is stored: {line}")
    for row in result["tests"]:
        print(f"  {row['family']}: {row['seeds']} seeds, p = {row['p']:.2g}")
    if result["identical"] < result["runs"]:
        print(f"  largest change of a loss {result['largest']:.2g}, median {result['median']:.2g}")
    if (readings := result["verdicts_changed"]) is not None:
        print("no reading changes" if not readings else "readings that change:", *readings, sep="\n  ")
    print(path)


if __name__ == "__main__":
    sys.exit(main())
