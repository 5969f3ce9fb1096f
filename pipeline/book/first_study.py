"""What the first study found: one row a claim, taken from its stored tables.

The tables are in the history alone. `python -m pipeline.book.first_study` writes `book/first_study.csv`
from them; nothing in that file is typed by hand.
"""

from __future__ import annotations

import io
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import pandas as pd

from pipeline.book.rows import records
from pipeline.tables.stored import write_table
from pipeline.config.errors import read_yaml

#: The commit that has the first study's last results.
COMMIT = "9566a3973f462d9a2d427a013bed32f783d31280"
FILE = Path("book/first_study.csv")
#: Its data sets that are real; it drew all others.
REAL = frozenset({"vowels", "co2", "cancer", "power", "digits"})
#: A run whose least validation loss came in so many last epochs was still learning when it was ended:
#: the second study trains on until that many epochs brought nothing.
PATIENCE = 10
#: `data`: its data sets, of which `real` are real, measured on `seeds` seeds at most; `least` and
#: `greatest` effect, on the scale `scale`; of the runs of both arms the share that was still learning when
#: it ended, and the number with a greater error than the trivial predictor's. NaN for exact checks.
COLUMNS = ["slug", "says", "metric", "verdict", "way", "fragile", "D", "F", "A", "data", "sets", "real",
           "seeds", "scale", "least", "greatest", "learning_treatment", "learning_control", "beyond_trivial"]


def summary(verdicts: pd.DataFrame, cells: pd.DataFrame, runs: pd.DataFrame, says: dict[str, str]) -> pd.DataFrame:
    """The claims in their order.

    Args:
        verdicts, cells: as the first study stored them.
        runs: the rows of all its experiments' runs that decided something.
        says: a claim's sentence by its slug.

    Returns:
        `COLUMNS`.
    """
    runs = runs.assign(learning=runs["last_epoch"] - runs["best_epoch"] < PATIENCE,
                       beyond=~runs["diverged"] & (runs["best_error"] > runs["trivial_error"]))
    by_claim = dict(list(cells.groupby("claim", sort=False)))
    rows = [{**row, "says": says[row["slug"]], **_measured(by_claim.get(row["slug"], cells.iloc[:0]), runs)}
            for row in records(verdicts)]
    return pd.DataFrame(rows).reindex(columns=COLUMNS).astype(dict.fromkeys(
        ("sets", "real", "seeds", "beyond_trivial"), "Int64"))


def _measured(cells: pd.DataFrame, runs: pd.DataFrame) -> dict:
    """What a claim's comparisons rested on; nothing for exact checks."""
    if not len(cells):
        return {"metric": "", "data": "", "scale": ""}
    data = list(dict.fromkeys(cells["data"]))
    treatment, control = (_of(cells, runs, side) for side in ("treatment", "control"))
    return {"metric": cells["metric"].iloc[0], "data": ", ".join(data), "sets": len(data),
            "real": len(REAL & set(data)), "seeds": int(cells["seeds"].max()), "scale": cells["scale"].iloc[0],
            "least": cells["effect"].min(), "greatest": cells["effect"].max(),
            "learning_treatment": round(treatment["learning"].mean(), 3),
            "learning_control": round(control["learning"].mean(), 3),
            "beyond_trivial": int(pd.concat([treatment, control])["beyond"].groupby(level=0).any().sum())}


def _of(cells: pd.DataFrame, runs: pd.DataFrame, side: str) -> pd.DataFrame:
    """The runs of the arms on one side of the comparisons, and of what is taken off there, each once.

    `name[variant]` names one variant; what names none (a layer, `tuned`, `rates`) means all of them.
    """
    other = cells["minus_data"].where(cells["minus_data"] != "", cells["data"])
    found: set[int] = set()
    for name, data in [*zip(cells[side], cells["data"], strict=True),
                       *zip(cells[f"minus_{side}"], other, strict=True)]:
        experiment, _, variant = name.partition("[")
        mine = runs[(runs["experiment"] == experiment) & (runs["data"] == data)]
        one = mine[mine["variant"] == variant.removesuffix("]")]
        found |= set((one if len(one) else mine).index)
    return runs.loc[sorted(found)]


def read(path: Path) -> pd.DataFrame:
    """The stored table; `COLUMNS` and no rows where there is none.

    Raises:
        ValueError: it has other columns.
    """
    if not Path(path).exists():
        return pd.DataFrame(columns=COLUMNS)
    table = pd.read_csv(path, keep_default_na=False, na_values=["NaN"])
    if list(table.columns) != COLUMNS:
        raise ValueError(f"{path}: found columns {', '.join(table.columns)}; allowed: {', '.join(COLUMNS)}")
    return table


def from_history(repository: Path) -> pd.DataFrame:
    """The table, from the commit of the first study's results.

    Raises:
        subprocess.CalledProcessError: the history does not have the commit.
    """
    packed = subprocess.run(["git", "-C", str(repository), "archive", COMMIT, "results", "book/claims.yaml"],
                            check=True, capture_output=True).stdout
    with tempfile.TemporaryDirectory() as folder, tarfile.open(fileobj=io.BytesIO(packed)) as files:
        files.extractall(folder, filter="data")
        return from_folder(Path(folder))


def from_folder(root: Path) -> pd.DataFrame:
    """The table, from a folder that has the first study's `results` and `book/claims.yaml`."""
    def stored(path):
        return pd.read_csv(path, keep_default_na=False, na_values=["NaN"], dtype={"variant": str})

    runs = pd.concat(map(stored, sorted((root / "results/runs").glob("*/runs.csv"))), ignore_index=True)
    says = {claim["slug"]: claim["says"] for claim in read_yaml(root / "book/claims.yaml")}
    return summary(*(stored(root / f"results/verdicts/{name}.csv") for name in ("verdicts", "cells")),
                   runs[(runs["purpose"] == "study") & runs["chosen"]].reset_index(drop=True), says)


if __name__ == "__main__":
    write_table(from_history(Path.cwd()), FILE)
    sys.exit(0)
