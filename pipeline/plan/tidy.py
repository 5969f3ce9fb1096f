"""What `make` puts in order before DVC runs: what a kill left, what was taken out of params.yaml, what DVC does not see."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import shutil
from collections.abc import Collection, Iterator
from pathlib import Path

import zc.lockfile

from pipeline.config.data_files import FileSource
from pipeline.config.schema import Params
from pipeline.data import sources
from pipeline.data.user_data.read import changed
from pipeline.tables.lock import ENTRY, HEAD, LOCK, Damaged, check_merged, entries, trusted, whole
from pipeline.tables.store import Store
from pipeline.tables.stored import PROBES, RUNS, remove_temporary, write_text

PLAN, DATA, TIMINGS = Path("plan"), Path("data"), Path("timings")
#: Which files the processes of DVC read and write. Beside it, what a process holds that writes it, or the lock.
BUSY = Path(".dvc/tmp/rwlock")
WRITES_BUSY, WRITES_LOCK = BUSY.with_name("rwlock.lock"), BUSY.with_name("lock")
#: The lock as it was when it was last whole.
COPY = BUSY.with_name("dvc.lock")
#: What a kill leaves of a stage.
_PART = re.compile(r"(?:  \S+:\n(?:   .*(?:\n|\Z)|\n)*)? {0,2}\S*\Z")


def tidy(params: Params) -> None:
    """Put everything in order, and say what was removed.

    Raises:
        Damaged: `dvc.lock` is neither whole nor a beginning of one; nothing else is touched then.
    """
    mend()
    text = _text()
    entries(text)
    plans, watched = set(params.experiments), set(params.probe.experiments)
    _remember(plans)
    for folder, kept in ((RUNS, plans), (PROBES, watched), (TIMINGS, plans)):
        remove_temporary(folder)
        for path in _remove(folder, kept):
            print(f"{path}: removed; params.yaml does not ask for it any more", flush=True)
    kept = without(text, {f"{stage}@{one}" for stage, mine in (("train", plans), ("probe", watched))
                          for one in _items(text, stage) - mine} | {*_stale(params)})
    if kept != text:
        write_text(LOCK, kept)
    if kept and LOCK.exists():
        write_text(COPY, kept)


def _text() -> str:
    return LOCK.read_text(encoding="utf-8", errors="replace") if LOCK.exists() else ""


def _items(text: str, stage: str) -> set[str]:
    return {name.partition("@")[2] for name in entries(text) if name.startswith(f"{stage}@")}


def without(text: str, gone: Collection[str]) -> str:
    """A lock's text without the entries of some stages; the rest to the byte. DVC itself never removes one."""
    return ENTRY.sub(lambda entry: "" if entry[1] in gone else entry[0], text)


def _remove(folder: Path, kept: Collection[str]) -> list[Path]:
    """Remove the folders, links and JSON files inside a folder that are not named in `kept`; gives them."""
    gone = [path for path in sorted(Path(folder).glob("*")) if path.stem not in kept and (
        path.is_dir() or path.is_symlink() or path.suffix == ".json")]
    for path in gone:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    return gone


def _remember(kept: Collection[str]) -> None:
    """Keep the runs of experiments that are not named in `kept` in the store, before their tables are removed.

    So an experiment that has only got another name is not trained again. Tables that are not what
    was stored are not kept.
    """
    gone = [folder for folder in sorted(RUNS.glob("*")) if folder.name not in kept and trusted(folder)]
    if gone:
        with contextlib.closing(Store()) as store:
            store.fill(gone)


def _stale(params: Params) -> Iterator[str]:
    """The stages that DVC would take for up to date: a reader's own files are no dependencies that it knows."""
    for name, entry in params.data.items():
        path = DATA / f"{name}.npz"
        if isinstance(entry, FileSource) and path.exists() and _changed(entry, path):
            print(f"{entry.file} has changed: the data are made again", flush=True)
            yield "data"
    files = {file: digest for path in sorted(PLAN.glob("*.json")) for file, digest in _modules(path).items()}
    for file, digest in files.items():
        if file in params.modules and Path(file).is_file() and hashlib.sha256(
                Path(file).read_bytes()).hexdigest() != digest:
            print(f"{file} has changed: the plans are made again", flush=True)
            yield "plan"


def _changed(entry: FileSource, path: Path) -> bool:
    try:
        return changed(entry, sources.read(path))
    except Damaged:
        return True


def _modules(path: Path) -> dict[str, str]:
    """The files with layer classes that a plan was made of, with their SHA-256."""
    try:
        return json.loads(path.read_text(encoding="utf-8")).get("modules", {})
    except (ValueError, AttributeError):
        return {}


# --- after a kill of DVC -----------------------------------------------------------------------

def mend() -> None:
    """Make up for a kill of DVC while it wrote: it does not read what it left, and so would never go on.

    It writes its lock in place, so a kill or a full disk leaves a part of it. Where another DVC is at work
    nothing is mended: what looks half-written is being written.

    Raises:
        Damaged: the lock is not a beginning of one.
    """
    if not BUSY.parent.exists():
        return
    with _held(WRITES_LOCK) as free:
        if free and LOCK.exists():
            _mend(_text())
    with _held(WRITES_BUSY) as free:
        if free and not _readable(BUSY):
            BUSY.unlink()


def _mend(text: str) -> None:
    with contextlib.suppress(Damaged):
        if entries(text):
            return
    kept = beginning(text)
    lost = without(COPY.read_text(encoding="utf-8"), entries(kept)) if COPY.exists() else ""
    if kept or lost:
        write_text(LOCK, kept + (lost.removeprefix(HEAD) if kept else lost))
    else:
        LOCK.unlink()
    print(f"{LOCK}: its end was missing; {'it is taken from the last run' if lost else 'DVC runs its stages again'}",
          flush=True)


def beginning(text: str) -> str:
    """A lock's text without its last entry, which was cut off; empty if none is whole.

    Raises:
        Damaged: it is something else than a lock that was cut off.
    """
    check_merged(text)
    end = 0
    for entry in ENTRY.finditer(text):
        if not whole(entry[2]) or not entry[0].endswith("\n"):
            break
        end = entry.end()
    rest = text[end:] if end else text.removeprefix(HEAD)
    if not _PART.match(rest) and not HEAD.startswith(rest):
        raise Damaged(f"{LOCK}: it is not as DVC writes it; `git checkout -- {LOCK}` takes it back")
    return text[:end]


@contextlib.contextmanager
def _held(path: Path) -> Iterator[bool]:
    """Hold one of DVC's locks; gives whether it was free."""
    try:
        held = zc.lockfile.LockFile(str(path))
    except zc.lockfile.LockError:
        yield False
        return
    try:
        yield True
    finally:
        held.close()


def _readable(path: Path) -> bool:
    try:
        return isinstance(json.loads(path.read_bytes()), dict)
    except FileNotFoundError:
        return True
    except ValueError:
        return False
