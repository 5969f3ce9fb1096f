"""The stage `train`: the runs of one experiment, and its lab record."""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from pipeline.notebook import LOG, errors_to, execute
from pipeline.tables.stored import (
    COLUMNS, CURVES_TABLE, CURVE_COLUMNS, NEW, PROGRESS, RUNS, RUNS_TABLE, STORE, replace_folder, write_tables)
from pipeline.config.errors import ConfigError, complain
from pipeline.process.stage import run
from pipeline.train.runs import to_train

RECORD = Path(__file__).with_name("record.ipynb")


class _Bar:
    """Runs done and the time left, drawn here because a kernel's bar is not shown live."""

    def __init__(self, label: str, stream):
        self.label, self.stream, self.stop = label, stream, threading.Event()
        (STORE / PROGRESS).unlink(missing_ok=True)
        self.thread = threading.Thread(target=self._draw, daemon=True)

    def _draw(self) -> None:
        with tqdm(desc=self.label, unit="run", file=self.stream, mininterval=1) as bar:
            while True:
                last = self.stop.wait(0.5)
                try:
                    found = json.loads((STORE / PROGRESS).read_text())
                    bar.total, bar.n = found["total"], found["done"]
                    bar.refresh()
                except (FileNotFoundError, json.JSONDecodeError):
                    pass
                if last:
                    return

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join()


def _waits(plan: Path) -> bool:
    """Whether nothing of a plan is to be trained yet."""
    return not to_train(json.loads(plan.read_text(encoding="utf-8")))["arms"]


def _content(table: Path) -> bytes:
    return table.read_bytes() if table.exists() else b""


def main() -> int:
    """Execute the lab record of an experiment, which trains what is not stored.

    Of one that is being measured, only runs on a reader's own data are; without any, the tables have no rows.
    """
    parser = argparse.ArgumentParser(prog="python -m pipeline.train", description=main.__doc__)
    parser.add_argument("experiment")
    name = parser.parse_args().experiment
    plan = Path("plan") / f"{name}.json"
    os.environ.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")
    before = _content(RUNS / name / RUNS_TABLE)
    try:
        if not plan.exists():
            raise ConfigError(f"{plan}: there is no such file; `make book` writes it")
        if _waits(plan):
            write_tables(RUNS / name, {RUNS_TABLE: pd.DataFrame(columns=COLUMNS),
                                       CURVES_TABLE: pd.DataFrame(columns=CURVE_COLUMNS)})
            return 0
        with replace_folder(RUNS / name) as new, errors_to(LOG) as terminal, _Bar(name, terminal):
            execute(RECORD, new / "record.ipynb", {"plan_file": str(plan)})
    except (RuntimeError, ValueError) as error:
        return complain(error)
    if _content(RUNS / name / RUNS_TABLE) != before:
        with open(STORE / NEW, "a", encoding="utf-8") as file:
            file.write(f"{name}\n")
    return 0


if __name__ == "__main__":
    sys.exit(run(main))
