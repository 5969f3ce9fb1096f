"""How results are stored: tables of fixed bytes, and the store of finished runs."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import tempfile
from pathlib import Path

import pandas as pd

RUNS = Path("results/runs")
PROBES = Path("results/probe")
STORE = Path(".runs")
#: Inside the store: how far the training that is under way has come.
PROGRESS = "progress.json"
#: The two tables of an experiment; curves are long, and nobody compares them line by line.
RUNS_TABLE, CURVES_TABLE = "runs.csv", "curves.csv.gz"
#: The table of a probed experiment.
MEASURES_TABLE = "measures.csv"
#: What a finished run measured; with its curve, this is all that the store keeps of it.
MEASURES = ["diverged", "parameters",
            *(f"{endpoint}_{measure}" for endpoint in ("best", "last") for measure in
              ("epoch", "validation_loss", "train_loss", "error", "loss", "calibration_error",
               "minority_recall")),
            "trivial_error", "trivial_loss", "trivial_validation_loss", "test_size"]
COLUMNS = ["experiment", "variant", "data", "seed", "purpose", "learning_rate", "chosen", "default",
           *MEASURES, "key"]
CURVE_COLUMNS = ["experiment", "variant", "data", "seed", "learning_rate", "epoch", "train_loss",
                 "validation_loss"]


#: The sums of a result folder's files, as `sha256sum` writes and `sha256sum -c` checks them.
SUMS = "SHA256SUMS"


class Damaged(ValueError):
    """Something is not what was stored; its message says what to do, and is all that a person sees."""


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file whole or not at all: beside it first, on the disk, then in its place."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, beside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(beside, 0o644)
        os.replace(beside, path)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise


def write_text(path: Path, text: str) -> None:
    """Write a text file whole or not at all."""
    write_bytes(path, text.encode())


def significant(number: float, digits: int = 6) -> float:
    """A float rounded so that a table holds it exactly."""
    return float(f"{number:.{digits}g}")


def write_table(table: pd.DataFrame, path: Path) -> None:
    """A table as CSV; floats as their shortest exact text, so that reading gives them back.

    A number that is missing is written `NaN`, so that empty text is empty text. A path that ends
    in `.gz` is compressed, to the same bytes every time.
    """
    content = table.to_csv(index=False, lineterminator="\n", na_rep="NaN").encode()
    write_bytes(path, gzip.compress(content, mtime=0) if Path(path).suffix == ".gz" else content)


def read_table(path: Path) -> pd.DataFrame:
    """A table that `write_table` wrote."""
    names = ("experiment", "variant", "data", "key")  # text, also when every one is made of digits
    return pd.read_csv(path, float_precision="round_trip", dtype=dict.fromkeys(names, str),
                       keep_default_na=False, na_values=["NaN"])


def _files(folder: Path) -> dict[str, Path]:
    """The files that a seal covers: all but itself, hidden ones and those in folders."""
    return {path.name: path for path in sorted(Path(folder).glob("*"))
            if path.name != SUMS and not path.name.startswith(".") and path.is_file()}


def _sum(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def seal(folder: Path) -> None:
    """Write the sums of a result folder's files beside them."""
    lines = [f"{_sum(path)}  {name}\n" for name, path in _files(folder).items()]
    write_text(Path(folder) / SUMS, "".join(lines))


def _sums(folder: Path) -> dict[str, str]:
    """File name → sum, as the seal of a folder says; nothing without a seal."""
    path = Path(folder) / SUMS
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else []
    return {name: digest for digest, _, name in (line.partition("  ") for line in lines)}


def verify(folder: Path) -> None:
    """Refuse a result folder whose files are not those that were stored. An empty one is none.

    Raises:
        Damaged: a file was changed, added or removed, or there is no seal; names it and says what
            to do.
    """
    found, sums = _files(folder), _sums(folder)
    back = (f"take it back with `git checkout -- {folder}`, or remove the folder, and `make book` "
            "makes it anew")
    if found and not sums:
        raise Damaged(f"{Path(folder) / SUMS}: it is missing, so nothing says that the files beside "
                      f"it are what was stored; {back}")
    for name in sorted({*found, *sums}):
        if name not in sums:
            raise Damaged(f"{found[name]}: it is not one of the stored files ({SUMS}); remove it")
        if name not in found:
            raise Damaged(f"{Path(folder) / name}: it is missing, but was stored ({SUMS}); {back}")
        if _sum(found[name]) != sums[name]:
            raise Damaged(f"{found[name]}: its content is not what was stored ({SUMS}); {back}")


class Store:
    """Finished runs, one JSON file a run, named by its key. A half-written run does not exist."""

    def __init__(self, folder: Path = STORE):
        self.folder = Path(folder)

    def path(self, key: str) -> Path:
        return self.folder / key[:2] / f"{key}.json"

    def get(self, key: str) -> dict | None:
        """The record of a run, or None. A damaged file counts as absent."""
        try:
            return json.loads(self.path(key).read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return None

    def count(self) -> int:
        """How many finished runs are kept."""
        return sum(1 for _ in self.folder.glob("*/*.json"))

    def put(self, key: str, record: dict) -> None:
        write_text(self.path(key), json.dumps(record, sort_keys=True))

    def fill(self, folder: Path) -> int:
        """Put the runs of an experiment's committed tables into the store; the number added.

        A fresh clone has tables and no store: so it trains nothing that is already measured.
        """
        folder = Path(folder)
        if not (folder / RUNS_TABLE).exists() or not (folder / CURVES_TABLE).exists():
            return 0
        runs, curves = read_table(folder / RUNS_TABLE), read_table(folder / CURVES_TABLE)
        if list(runs.columns) != COLUMNS or list(curves.columns) != CURVE_COLUMNS:
            return 0
        where = ["variant", "data", "seed", "learning_rate"]
        grouped = {place: curve for place, curve in curves.groupby(where, sort=False)}
        added = 0
        for row in runs.to_dict("records"):
            if self.get(row["key"]) is not None:
                continue
            record = {name: row[name] for name in MEASURES}
            curve = grouped.get(tuple(row[c] for c in where))
            if row["purpose"] == "study":
                if curve is None:
                    continue
                record["train_curve"] = curve["train_loss"].tolist()
                record["validation_curve"] = curve["validation_loss"].tolist()
            self.put(row["key"], record)
            added += 1
        return added


def read_runs(experiments, folder: Path = RUNS) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The `runs` and `curves` of the named experiments, in that order; never of a folder's content."""
    tables = {name: [] for name in (RUNS_TABLE, CURVES_TABLE)}
    for experiment in experiments:
        for name, parts in tables.items():
            parts.append(read_table(Path(folder) / experiment / name))
    return tuple(pd.concat(parts, ignore_index=True) for parts in tables.values())


def read_measures(experiments, folder: Path = PROBES) -> pd.DataFrame:
    """What the probe measured of the named experiments, in that order; no rows without any."""
    parts = [read_table(Path(folder) / name / MEASURES_TABLE) for name in experiments]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
