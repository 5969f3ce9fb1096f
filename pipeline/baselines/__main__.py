"""The stage `baselines`: what simple predictors score on every data set."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import sys
from pathlib import Path

import pandas as pd

from pipeline.baselines.measure import errors
from pipeline.data.sources import read
from pipeline.data.user_data.location import sha256
from pipeline.tables.lock import trusted
from pipeline.tables.stored import read_table, replace_folder, significant, write_table
from pipeline.config.errors import ConfigError, complain
from pipeline.config.schema import Params, load
from pipeline.process.stage import run
from pipeline.tables.schemas import STORED

DATA = Path("data")
TABLE = STORED["baselines"]
#: Raise it when a change of code changes what a baseline scores: all are computed again then.
COMPUTED_BY = 2


def table(params: Params, known: pd.DataFrame, folder: Path = DATA) -> pd.DataFrame:
    """A row for every data set, in the order of params.yaml, on all of its seeds, as networks are.

    Args:
        known: a stored table; what it has of unchanged data is not computed again.
    """
    before = {row["key"]: row for row in known.to_dict("records")}
    rows = []
    for name, entry in params.data.items():
        seeds, scaling = params.seeds(name), entry.train.scaling or params.train.scaling
        key = _key(folder / f"{name}.npz", seeds, scaling)
        found = before.get(key)
        if found is None:
            print(f"baselines of {name}", flush=True)
            arrays = read(folder / f"{name}.npz")
            found = {what: significant(value) for what, value in errors(arrays, seeds, scaling).items()}
        rows.append({**found, "data": name, "seeds": len(seeds), "key": key})
    return pd.DataFrame(rows, columns=list(TABLE.columns))


def _key(path: Path, seeds: list[int], scaling: str) -> str:
    """What a row is computed from: the arrays, the seeds, and the number of the code that splits and predicts."""
    values = [sha256(path), seeds, scaling, importlib.metadata.version("scikit-learn"), COMPUTED_BY]
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()[:16]


def main() -> int:
    """Measure the baselines of data sets that are new or changed: results/baselines/baselines.csv."""
    path = TABLE.path()
    try:
        with replace_folder(path.parent) as new:
            known = (read_table(path) if trusted(path.parent) and path.exists()
                     else pd.DataFrame(columns=list(TABLE.columns)))
            write_table(table(load(), known), new / path.name)
    except (ConfigError, OSError, ValueError) as error:
        return complain(error)
    return 0


if __name__ == "__main__":
    sys.exit(run(main))
