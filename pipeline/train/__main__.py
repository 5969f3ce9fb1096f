"""The stage `train`: the missing runs of an experiment, its tables and its lab record. Without a name, all missing runs."""

import argparse
import json
import os
import sys
from pathlib import Path

import pandas as pd

from pipeline.config.errors import ConfigError, complain
from pipeline.process.stage import run
from pipeline.tables import news
from pipeline.tables.lock import check_edited, trusted
from pipeline.tables.store import Store, holding
from pipeline.tables.stored import (
    COLUMNS, CURVES_TABLE, CURVE_COLUMNS, LAYERS_TABLE, RUNS, RUNS_TABLE, make_ready, replace_folder, write_table,
    write_tables)
from pipeline.train import layers, timings
from pipeline.train.arm import DataSets, arms, tables, to_train
from pipeline.train.executor import executor
from pipeline.train.host import check_versions
from pipeline.train.queue import Layers, read_plans, train

REPORT = Path(__file__).with_name("report.ipynb")


def _read_plan(name: str) -> dict:
    path = Path("plan") / f"{name}.json"
    if not path.exists():
        raise ConfigError(f"{path}: there is no such file; `make book` writes it")
    plan = to_train(json.loads(path.read_text(encoding="utf-8")))
    check_versions(plan["versions"])
    if "modules" in plan:
        # Only where it is needed, because it loads TensorFlow.
        from pipeline.network.own import require

        require(plan["modules"], str(path))
    return plan


def train_missing(plans: list[dict], data: DataSets, store: Store) -> tuple[int, Layers]:
    """Train what neither the store nor a stored table has; what `train` returns."""
    with executor(os.environ.get("CLUSTER", "")) as found:
        return train(plans, found, data, store)


def experiment(name: str, store: Store) -> None:
    """Train an experiment, and write its tables and its record.

    Of one that is being measured, only runs on a reader's own data are; without any, the tables have no rows.

    Raises:
        Damaged: the stored results, or the store, are not what was stored.
    """
    plan, folder = _read_plan(name), RUNS / name
    if not plan["arms"]:
        write_tables(folder, {RUNS_TABLE: pd.DataFrame(columns=COLUMNS), CURVES_TABLE: pd.DataFrame(columns=CURVE_COLUMNS)})
        return
    make_ready(folder)
    data = DataSets()
    store.fill(filter(trusted, [folder]))
    # Another experiment may have some of its runs.
    keys = {key for arm in arms(plan, data) for seed in arm.seeds for key in arm.keys(seed).values()}
    store.fill(filter(trusted, holding(keys - store.keys(), sorted(RUNS.glob("*")))))
    _, built = train_missing([plan], data, store)
    runs, curves = tables(plan, data, store)
    known = layers.stored(folder, runs) if trusted(folder) else None
    with replace_folder(folder) as new:
        for file, table in ((RUNS_TABLE, runs), (CURVES_TABLE, curves),
                            (LAYERS_TABLE, layers.layers(plan, built) if known is None else known)):
            write_table(table, new / file)
        report(name, new)
    timings.write(plan, runs, store)


def report(name: str, folder: Path) -> None:
    """Execute the lab record of an experiment beside its tables."""
    # Only now, because they take a second to load.
    from pipeline.notebook import LOG, errors_to, execute

    os.environ.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")
    with errors_to(LOG):
        execute(REPORT, folder / "record.ipynb", {"experiment": name}, folder)


def study(store: Store) -> int:
    """Train every missing run of the study; the stages then find them in the store. The number trained."""
    plans = read_plans()
    if not plans:
        raise ConfigError("plan: there is no plan to train; `dvc repro plan` writes plans")
    folders = [RUNS / plan["experiment"] for plan in plans]
    for folder in folders:
        check_edited(folder)
    store.fill(filter(trusted, folders))
    return train_missing(plans, DataSets(), store)[0]


def main() -> int:
    """Train what is missing of an experiment, and write its tables and its lab record; or train what is missing of all."""
    parser = argparse.ArgumentParser(prog="python -m pipeline.train", description=main.__doc__)
    parser.add_argument("experiment", nargs="?")
    name, store = parser.parse_args().experiment, Store()
    try:
        if name is None:
            trained = study(store)
            print(f"{trained} runs trained; `make book` shows them" if trained else "no run is missing")
            return 0
        table = RUNS / name / RUNS_TABLE
        before = table.read_bytes() if table.exists() else b""
        experiment(name, store)
        if table.read_bytes() != before:
            news.note(name, before, table.read_bytes())
    except (RuntimeError, ValueError) as error:
        return complain(error)
    finally:
        store.close()
    return 0


if __name__ == "__main__":
    sys.exit(run(main))
