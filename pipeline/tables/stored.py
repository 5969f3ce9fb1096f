"""How results are stored: files and folders that are whole, and tables of fixed bytes."""

import contextlib
import gzip
import json
import os
import re
import shutil
import tempfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import pandas as pd

from pipeline.tables.lock import BUILDING, Damaged, WHOLE, check, check_edited
from pipeline.tables.schemas import STORED

RUNS = Path("results/runs")
PROBES = Path("results/probe")
MECHANICS = Path("results/mechanics")
CERTIFICATES = Path("results/certificates")
SCALE = Path("results/scale")
TORTURE = Path("results/torture")
#: The tables of an experiment, and of a probed one.
RUNS_TABLE, CURVES_TABLE, LAYERS_TABLE, MEASURES_TABLE = (STORED[name].path().name for name in (
    "runs", "curves", "layers", "measures"))
COLUMNS, CURVE_COLUMNS, LAYER_COLUMNS = (list(STORED[name].columns) for name in ("runs", "curves", "layers"))
#: Inside the next content of a result folder: the names of its files.
_NAMES = ".names"
#: A file that is being written, as `tempfile` names it.
_BESIDE = re.compile(r"\..+\.[a-z0-9_]{8}\Z")


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
    except BaseException as error:
        Path(beside).unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno is not None:
            error.filename = str(path)  # A disk that is full does not say where.
        raise


def remove_temporary(folder: Path) -> None:
    """Remove what `write_bytes` left beside a folder's files when it was killed: only while nobody else writes there."""
    for path in Path(folder).glob(".*"):
        if _BESIDE.match(path.name):
            path.unlink(missing_ok=True)


def read_json(path: Path):
    """The content of a stored JSON file. Raises Damaged: it is no JSON."""
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise Damaged(f"{path}: it is no JSON ({str(error)[:100]}); take it back with `git checkout -- {path}`") from None


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


def need(path: Path) -> Path:
    """A stored file that cannot be done without.

    Raises:
        Damaged: it is not there, or no file, or the output that it belongs to is not what `dvc.lock` says.
    """
    check(path)
    if not Path(path).is_file():
        raise Damaged(f"{path}: there is no such file; `make book` makes it, or `git checkout -- {path}` takes it back")
    return path


def read_needed(path: Path) -> pd.DataFrame:
    """A table that has rows. Raises Damaged: it has none, or see `read_table`."""
    table = read_table(path)
    if table.empty:
        raise Damaged(f"{path}: it has no rows; take it back with `git checkout -- {path}`, or remove {Path(path).parent}, "
                      "and `make book` makes it anew")
    return table


def read_measured(path: Path, pending: bool) -> pd.DataFrame | None:
    """A table of an experiment; None if the experiment is pending, and has no table, or one without rows.

    Args:
        pending: whether it is not trained yet, but perhaps on a reader's own data.

    Raises:
        Damaged: it is not pending, and has no table, or one without rows; or see `read_table`.
    """
    if not pending:
        return read_needed(path)
    found = read_table(path) if os.path.lexists(path) else None
    return None if found is None or found.empty else found


def read_table(path: Path) -> pd.DataFrame:
    """A table that `write_table` wrote.

    Raises:
        Damaged: it is missing, it is no table, or the output that it belongs to is not what `dvc.lock` says.
    """
    need(path)
    return parse_table(path)


def parse_table(path: Path) -> pd.DataFrame:
    """A table that `write_table` wrote, whatever lies beside it. Raises Damaged: it is no table."""
    # Text, also when every one is made of digits, or every reading is true or false.
    names = ("experiment", "variant", "data", "key", "reading", "reads", "stood", "stands")
    try:
        return pd.read_csv(path, float_precision="round_trip", dtype=dict.fromkeys(names, str),
                           keep_default_na=False, na_values=["NaN"])
    except (ValueError, OSError, EOFError, zlib.error) as error:
        raise Damaged(f"{path}: it is no table ({' '.join(str(error).split())[:100]}); take it back with "
                      f"`git checkout -- {path}`") from None


def building(folder: Path) -> Path:
    """Where the next content of a result folder is made: inside it, hidden."""
    return Path(folder) / BUILDING


def _files(folder: Path) -> dict[str, Path]:
    """The files of a folder by name, but for hidden ones and those in folders."""
    return {path.name: path for path in sorted(Path(folder).glob("*")) if not path.name.startswith(".") and path.is_file()}


def _finish(folder: Path) -> None:
    """Put a result folder's next content in its place, if it is whole; a kill is made up for here.

    Files are moved one by one, as a folder cannot be moved over another.
    """
    whole = Path(folder) / WHOLE
    if (whole / _NAMES).exists():
        for name in _files(folder).keys() - {*json.loads((whole / _NAMES).read_text(encoding="utf-8"))}:
            (Path(folder) / name).unlink()
        for path in _files(whole).values():
            os.replace(path, Path(folder) / path.name)
    for left in (whole, building(folder)):
        shutil.rmtree(left, ignore_errors=True)


def make_ready(folder: Path) -> None:
    """Make up for a kill while a result folder was written, before it is written again.

    Raises:
        Damaged: its content was changed, see `lock.check_edited`.
    """
    _finish(folder)
    check_edited(folder)


@contextlib.contextmanager
def replace_folder(folder: Path) -> Iterator[Path]:
    """Yields a new folder whose files become the content of a result folder.

    They do so together, once the block ends without an error; until then, and if it is killed, the
    old content stays.

    Raises:
        Damaged: the old content was changed, see `lock.check_edited`.
    """
    folder = Path(folder)
    make_ready(folder)
    building(folder).mkdir(parents=True)
    try:
        yield building(folder)
        write_text(building(folder) / _NAMES, json.dumps([*_files(building(folder))]))
        building(folder).rename(folder / WHOLE)
        _finish(folder)
    finally:
        shutil.rmtree(building(folder), ignore_errors=True)
        if not any(folder.iterdir()):
            folder.rmdir()


def write_tables(folder: Path, tables: Mapping[str, pd.DataFrame], texts: Mapping[str, str] | None = None) -> None:
    """The tables and texts of a result folder, by the names of their files; together or not at all.

    Raises:
        Damaged: the folder's old content was changed, see `lock.check_edited`.
    """
    with replace_folder(folder) as new:
        for name, table in tables.items():
            write_table(table, new / name)
        for name, text in (texts or {}).items():
            write_text(new / name, text)


def in_units_of_targets(runs: pd.DataFrame) -> pd.DataFrame:
    """Runs whose errors of numbers are roots of the mean squared error, in deviations of the target.

    Stored is the mean squared error, which is the loss as well; an error rate is no loss, and quantiles,
    whose loss is in the target's units already, have a calibration error. A new table.
    """
    arm = runs.groupby(["experiment", "data"], sort=False).ngroup()
    calibrated = runs["best_calibration_error"].notna().groupby(arm).transform("any")
    numbers = (runs["trivial_error"] == runs["trivial_loss"]) & ~calibrated
    errors = ["best_error", "last_error", "trivial_error"]
    return runs.assign(**{name: runs[name].where(~numbers, runs[name] ** 0.5) for name in errors})


def records(table: pd.DataFrame) -> list[dict]:
    """Each row as a mapping of plain Python values, as `to_dict("records")` gives them.

    That takes out one column after the other, which for a few wide rows takes six times as long; pages look at thousands.
    """
    return [dict(zip(table.columns, row)) for row in table.to_numpy(object).tolist()]
