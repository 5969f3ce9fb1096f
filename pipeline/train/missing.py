"""`make runs`: every missing run of the study, trained as one queue, here or by a cluster.

A module of its own: what a cluster is sent names its module, and one that is run has another name.
"""

from __future__ import annotations

import os
import sys

from pipeline.data.sources import read
from pipeline.tables.lock import trusted
from pipeline.tables.stored import RUNS, Store
from pipeline.config.errors import ConfigError, complain
from pipeline.train.engines import engine
from pipeline.train.queue import read_plans, train_all


def main() -> int:
    """Train every missing run of the study; the stages `train` then collect them from the store."""
    try:
        plans = read_plans()
        if not plans:
            raise ConfigError("plan: there is no plan to train; `dvc repro plan` writes plans")
        store = Store()
        for folder in (RUNS / plan["experiment"] for plan in plans):
            if trusted(folder):
                store.fill(folder)
        data = {name: read(f"data/{name}.npz") for plan in plans for name in plan["data"]}
        with engine(os.environ.get("CLUSTER", "")) as found:
            print(found, flush=True)
            trained = train_all(plans, data, store, found, sys.stderr)
    except KeyboardInterrupt:
        return complain(RuntimeError("interrupted; what has finished is stored, and `make runs` goes on from there"))
    except (RuntimeError, ValueError) as error:
        return complain(error)
    print(f"{trained} runs trained; `make book` shows them" if trained else "no run is missing")
    return 0


if __name__ == "__main__":
    sys.exit(main())
