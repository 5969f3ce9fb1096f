"""`dvc.lock` without the stages of what was taken out of params.yaml, and DVC's files after a kill."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

import zc.lockfile
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from pipeline.tables.stored import write_text

LOCK = Path("dvc.lock")
#: Which files the processes of DVC read and write. Beside it, what a process holds that writes it, or the lock.
BUSY = Path(".dvc/tmp/rwlock")
WRITES_BUSY, WRITES_LOCK = BUSY.with_name("rwlock.lock"), BUSY.with_name("lock")
#: A stage of a lock's text.
ENTRY = re.compile(r"^  (\S+):\n(?:^   .*\n?)*", flags=re.M)


def whole(text: str) -> str:
    """A lock's text without a last entry that was cut off; empty if none is whole.

    DVC writes its lock in place, so a kill or a full disk leaves a part of it.
    """
    entries = list(ENTRY.finditer(text))
    if not entries:
        return ""
    last = entries[-1]
    if text[last.end():].strip():
        return text[:last.end()]  # Of the next one, a part of its name is there.
    try:
        found = YAML(typ="safe", pure=True).load(last[0])
        complete = text.endswith("\n") and all(_complete(about) for about in found.values())
    except (YAMLError, ValueError, TypeError, AttributeError):
        complete = False
    if complete:
        return text
    return text[:last.start()] if len(entries) > 1 else ""


def _complete(about: Mapping) -> bool:
    """Whether an entry is one that DVC reads; what it lacks besides, DVC finds changed, and runs the stage."""
    files = [one for kind in ("deps", "outs") for one in about.get(kind, [])]
    return isinstance(about["cmd"], str) and None not in about.values() and all(
        isinstance(one, Mapping) and None not in one.values() for one in files)


def mend() -> None:
    """Make up for a kill of DVC while it wrote: it does not read what it left, and so would never go on.

    Where another DVC is at work nothing is mended: what looks half-written is being written.
    """
    if not BUSY.parent.exists():
        return
    with _held(WRITES_LOCK) as free:
        text = LOCK.read_text(encoding="utf-8", errors="replace") if free and LOCK.exists() else None
        kept = whole(text or "")
        if text is not None and (not kept or kept != text):
            if kept:
                write_text(LOCK, kept)
            else:
                LOCK.unlink()
            print(f"{LOCK}: its end was missing; DVC runs the stages that stood there again", flush=True)
    with _held(WRITES_BUSY) as free:
        if free and not _readable(BUSY):
            BUSY.unlink()


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


def prune(text: str, kept: Mapping[str, Collection[str]]) -> str:
    """A lock's text without the entries `stage@item` whose item is not kept; the rest to the byte.

    DVC never removes them: it only writes the stages that it ran. It reads the file anew before it
    writes, so a stage may prune the lock while DVC waits for it.

    Args:
        text: of `dvc.lock`, as DVC writes it.
        kept: stage -> its items that are still there; entries of other stages stay.

    Raises:
        ValueError: the text is not as DVC writes it, so that an entry cannot be told from the next.
    """
    entry = re.compile(r"^  (\S+):\n(?:^   .*\n)*", flags=re.M)

    def gone(name: str) -> bool:
        stage, at, item = name.partition("@")
        return bool(at) and stage in kept and item not in kept[stage]

    pruned = entry.sub(lambda found: "" if gone(found[1]) else found[0], text)
    if pruned != text:
        # Slow, and so only if there is something to remove.
        try:
            before, after = (YAML(typ="safe", pure=True).load(one) for one in (text, pruned))
            before["stages"] = {name: one for name, one in before["stages"].items() if not gone(name)}
            as_written = bool(before["stages"]) and after == before
        except (YAMLError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            as_written = False
        if not as_written:
            raise ValueError(f"{LOCK}: it is not as DVC writes it; `git checkout {LOCK}`, then run again")
    return pruned
