"""The stage `data`: the arrays of every data set; those that are there already are not made again."""

from __future__ import annotations

import contextlib
import hashlib
import json
import sys
from pathlib import Path

from pipeline.data.draw import Arrays
from pipeline.data.user_data.location import digest, located, sha256
from pipeline.data.user_data.read import from_file
from pipeline.data.sources import check, make, write
from pipeline.tables.stored import remove_temporary, write_text
from pipeline.config.errors import ConfigError, complain
from pipeline.config.data_files import FileSource
from pipeline.config.schema import Params, load
from pipeline.process.stage import run


DATA = Path("data")
#: What each file was made from, and its own SHA-256.
MADE = "made.json"


def arrays_of(params: Params, name: str) -> Arrays:
    """The arrays of a data set of params.yaml, from its source or its file.

    Raises:
        ConfigError: names the place of the mistake.
    """
    entry, place = params.data[name], f"params.yaml: data.{name}"
    if isinstance(entry, FileSource):
        return from_file(entry, params.seeds(name), place)
    check(entry.source, place, **entry.arguments)
    return make(entry.source, params.seeds(name), **entry.arguments)


def origin(params: Params, name: str) -> str:
    """A hash of all that a data set's arrays are made from: its entry, its seeds, its file, this room."""
    entry = params.data[name]
    values = entry.model_dump(mode="json", exclude={"group", "also", "unit", "stratum", "title", "train", "of", "experiments"})
    try:
        file = digest(entry.file, located(entry.file, entry.sha256)) if isinstance(entry, FileSource) else ""
    except ConfigError:  # It cannot be read, which is refused once its arrays are made.
        file = ""
    code = [path.read_text(encoding="utf-8") for path in sorted(Path(__file__).parent.rglob("*.py"))]
    return hashlib.sha256(json.dumps([values, params.seeds(name), file, code]).encode()).hexdigest()


def _known(record: Path) -> dict:
    """What each file was made from; nothing, if that is not to be read, and then all are made again."""
    with contextlib.suppress(FileNotFoundError, ValueError, RecursionError, AttributeError):
        return dict(json.loads(record.read_text(encoding="utf-8")).items())
    return {}


def is_current(params: Params, name: str, folder: Path = DATA) -> bool:
    """Whether a data set's file is there as it would be made now."""
    path = folder / f"{name}.npz"
    return path.exists() and _known(folder / MADE).get(name) == [origin(params, name), sha256(path)]


def make_missing(params: Params, folder: Path = DATA) -> list[str]:
    """Write `<folder>/<name>.npz` of the data sets that are not there as they would be made now.

    Files of data sets that params.yaml does not have any more are removed.

    Returns:
        The names of the data sets that were made.

    Raises:
        ConfigError, ValueError: a data set cannot be made; those before it are kept.
    """
    record, new = folder / MADE, []
    remove_temporary(folder)
    known = _known(record)
    for name in params.data:
        if is_current(params, name, folder):
            continue
        path = folder / f"{name}.npz"
        write(arrays_of(params, name), path)
        known[name] = [origin(params, name), sha256(path)]
        write_text(record, json.dumps(known, indent=1, sort_keys=True) + "\n")
        new.append(name)
    for path in folder.glob("*.npz"):
        if path.stem not in params.data:
            path.unlink()
    write_text(record, json.dumps({name: known[name] for name in sorted(params.data)}, indent=1) + "\n")
    return new


def main() -> int:
    """Make the arrays of every data set of params.yaml that is new or changed."""
    try:
        for name in make_missing(load()):
            print(f"made {name}")
    except (ConfigError, ValueError) as error:
        return complain(error)
    return 0


if __name__ == "__main__":
    sys.exit(run(main))
