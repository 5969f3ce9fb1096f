"""`dvc.lock` says what every stage stored: the one guard against results that were changed."""

import hashlib
import json
import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from textwrap import dedent

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

LOCK = Path("dvc.lock")
#: Inside a result folder: its next content, while it is made, and once it is whole. No part of what is stored.
BUILDING, WHOLE = ".building", ".whole"
#: How a lock begins; a stage of it, its name and its lines; its outputs; of these, path and hash.
HEAD = "schema: '2.0'\nstages:\n"
ENTRY = re.compile(r"^  (\S+):\n((?:   .*(?:\n|\Z)|\n)*)", flags=re.M)
_OUTPUTS = re.compile(r"^    outs:\n((?:^    [- ] .*\n?)*)", flags=re.M)
_OUTPUT = re.compile(r"^    - path: (.+)\n      hash: md5\n      md5: (\S+)$", flags=re.M)
#: What git writes between two sides that it could not merge.
_CONFLICT = re.compile(r"^(<{7}|={7}|>{7})", flags=re.M)


class Damaged(ValueError):
    """Something is not what was stored; its message says what to do, and is all that a person sees."""


@dataclass(frozen=True)
class Lock:
    """What a project's `dvc.lock` says.

    Attributes:
        root: the project's folder.
        stages: name → lines of its entry.
        outputs: path from the root → stage and hash.
    """

    root: Path
    stages: Mapping[str, str]
    outputs: Mapping[str, tuple[str, str]]


def entries(text: str) -> dict[str, str]:
    """Name → lines of every stage in a lock's text; none of an empty one.

    Raises:
        Damaged: git could not merge it, or it is not whole.
    """
    check_merged(text)
    found = {entry[1]: entry[2] for entry in ENTRY.finditer(text)}
    if text and (ENTRY.sub("", text) != HEAD or not text.endswith("\n") or not all(map(whole, found.values()))):
        raise Damaged(f"{LOCK}: it is not whole; `make book` mends what a kill left, `git checkout -- {LOCK}` takes it back")
    return found


def check_merged(text: str) -> None:
    """Refuse the text of a lock that git could not merge."""
    if conflict := _CONFLICT.search(text):
        line = text.count("\n", 0, conflict.start()) + 1
        raise Damaged(f"{LOCK}: line {line}: found {conflict[0]}, the mark of a merge that is not finished; take one side "
                      f"with `git checkout --ours {LOCK}` or `--theirs`, and results/ and plan/ from the same one")


def whole(entry: str) -> bool:
    """Whether the lines of a stage have its command, its outputs, and the hash of every file that they name."""
    made = entry.partition("    outs:\n")[2]
    return "    cmd: " in entry and "- path: " in made and all("\n      md5: " in one for one in entry.split("    - path: ")[1:])


def lock_of(path: Path) -> Lock | None:
    """The lock of the project that a path is in; None if it has none yet.

    Raises:
        Damaged: it was removed, it is not whole, or git could not merge it.
    """
    absolute = Path(os.path.abspath(path))
    for folder in (absolute, *absolute.parents):
        try:
            found = os.stat(folder / LOCK)
        except OSError:
            if not (folder / "dvc.yaml").is_file():
                continue
            if _tracked(folder):
                raise Damaged(f"{LOCK}: it is missing, so nothing says what was stored; `git checkout -- {LOCK}` takes it "
                              "back") from None
            return None
        return _read(folder, (found.st_mtime_ns, found.st_size, found.st_ino))
    return None


@lru_cache
def _tracked(folder: Path) -> bool:
    """Whether git has a folder's lock."""
    try:
        return bool(subprocess.run(["git", "ls-files", LOCK], cwd=folder, capture_output=True).stdout)
    except OSError:
        return False


@lru_cache(maxsize=4)
def _read(root: Path, version: tuple) -> Lock:
    """A project's lock, read once as long as it has the same version."""
    stages = entries((root / LOCK).read_text(encoding="utf-8", errors="replace"))
    return Lock(root, stages, {path: (name, digest) for name, text in stages.items()
                               for outputs in _OUTPUTS.findall(text) for path, digest in _OUTPUT.findall(outputs)})


def digest(path: Path) -> str:
    """DVC's own hash of a file or of a folder; empty where nothing is stored.

    Of a file, the MD5 of its content. Of a folder, that of the JSON list of its files' MD5s and paths, in the order
    of these, and `.dir`.
    """
    path = Path(path)
    if not path.is_dir():
        return _md5(path) if path.exists() else ""
    ignored = {*_ignored(path), BUILDING, WHOLE}
    files = [{"md5": _md5(file), "relpath": file.relative_to(path).as_posix()} for file in _files(path, ignored)]
    files.sort(key=lambda one: one["relpath"])
    return f"{hashlib.md5(json.dumps(files, sort_keys=True).encode()).hexdigest()}.dir" if files else ""


def _md5(path: Path) -> str:
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "md5").hexdigest()
    except OSError:  # A dangling link, say.
        return ""


def _files(folder: Path, ignored: set[str]) -> Iterator[Path]:
    for base, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name not in ignored]
        yield from (Path(base, name) for name in files if name not in ignored)


def _ignored(path: Path) -> list[str]:
    """The names that the project's .dvcignore leaves out in every folder."""
    for folder in Path(os.path.abspath(path)).parents:
        if (folder / ".dvcignore").is_file():
            lines = (folder / ".dvcignore").read_text(encoding="utf-8").split()
            return [line for line in lines if "/" not in line]
    return []


def distrusted() -> bool:
    """Whether stored results are to be made anew without a look at them: the variable RETRAIN."""
    return bool(os.environ.get("RETRAIN"))


def check(path: Path) -> None:
    """Refuse a file or folder of a stage's output that is not as its project's lock says.

    What the lock does not name is accepted: an experiment that is new, or a project that DVC did not run yet.

    Raises:
        Damaged: names what was changed, added or removed, and says what to do.
    """
    lock = lock_of(path)
    output = lock and _output(lock, path)
    if output and digest(lock.root / output) != lock.outputs[output][1]:
        raise Damaged(_said(lock, output))


def _output(lock: Lock, path: Path) -> str | None:
    """The output that a path is, or is inside of; not of what is being made there."""
    inside = Path(os.path.abspath(path)).relative_to(lock.root)
    if {BUILDING, WHOLE} & {*inside.parts}:
        return None
    return next((one.as_posix() for one in (inside, *inside.parents) if one.as_posix() in lock.outputs), None)


def trusted(output: Path) -> bool:
    """Whether a stage may take from its own output what it would make again.

    It may if it is what the lock says, or if there is no lock; never where stored results are distrusted.
    """
    lock = None if distrusted() else lock_of(output)
    if lock is None or not lock.stages:
        return not distrusted()
    name = _output(lock, output)
    return name is not None and digest(lock.root / name) == lock.outputs[name][1]


def check_edited(output: Path) -> None:
    """Refuse to make an output anew that was changed though all that it is made from is as the lock says.

    Whoever changed it may want to know. Where what it is made from has changed, too, the stage ended before DVC wrote
    its lock, or it makes up for the change: it goes on. An output that was removed is made anew.

    Raises:
        Damaged: names what was changed, and says what to do.
    """
    lock = None if distrusted() else lock_of(output)
    name = lock and _output(lock, output)
    found = digest(output) if name else ""
    if found and found != lock.outputs[name][1] and _made_from_the_same(lock, lock.outputs[name][0]):
        raise Damaged(_said(lock, name))


def _made_from_the_same(lock: Lock, stage: str) -> bool:
    """Whether all that a stage depends on is as the lock says."""
    yaml = YAML(typ="safe", pure=True)
    try:
        entry = yaml.load(dedent(lock.stages[stage]))
        same = [digest(lock.root / one["path"]) == one["md5"] for one in entry.get("deps", [])]
        for file, wanted in entry.get("params", {}).items():
            given = yaml.load((lock.root / file).read_text(encoding="utf-8"))
            same += [_at(given, key) == value for key, value in wanted.items()]
    except (YAMLError, KeyError, TypeError, AttributeError, OSError):
        return False
    return all(same)


def _at(content, key: str):
    """What stands at `a.b` of nested mappings; None where nothing does."""
    for word in key.split("."):
        content = content.get(word) if isinstance(content, Mapping) else None
    return content


def _said(lock: Lock, output: str) -> str:
    """What is wrong with an output: the first file that git knows as another one, and what to do."""
    back = f"take it back with `git checkout -- {output}`, or remove {output}, and `make book` makes it anew"
    changed = _changed(lock.root, output)
    if changed is None:
        return f"{output}: its content is not what was stored ({LOCK}); {back}"
    if not changed:
        return (f"{output}: its content is not what was stored ({LOCK}), and git holds it so; take {output} and {LOCK} "
                "from one commit")
    name, tag = min(changed.items())
    if tag == "?":
        return f"{name}: it is not one of the stored files ({LOCK}); remove it"
    what = "it is missing, but was stored" if tag == "R" else "its content is not what was stored"
    return f"{name}: {what} ({LOCK}); {back}"


def _changed(root: Path, output: str) -> dict[str, str] | None:
    """File → R (missing), C (another content) or ? (not known), as git sees an output; None where it is not in git."""
    command = ["git", "ls-files", "-t", "-z", "--cached", "--modified", "--deleted", "--others", "--", output]
    try:
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, errors="replace")
    except OSError:
        return None
    found: dict[str, set] = {}
    for line in done.stdout.split("\0")[:-1]:
        found.setdefault(line[2:], set()).add(line[0])
    if not any("H" in tags for tags in found.values()):
        return None
    return {name: next(tag for tag in "R?C" if tag in tags) for name, tags in found.items() if tags != {"H"}
            and not {BUILDING, WHOLE} & {*Path(name).parts}}
