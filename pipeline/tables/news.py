"""The experiments whose results are new since the last answer in the terminal."""

import hashlib

from pipeline.tables.store import STORE
from pipeline.tables.stored import write_text

#: A line an experiment: its name, and the digest of the results that it had at the last answer.
NEW = STORE / "new.txt"


def _lines() -> dict[str, str]:
    lines = NEW.read_text(encoding="utf-8").splitlines() if NEW.exists() else []
    return {name: digest for name, _, digest in (line.partition(" ") for line in lines)}


def note(experiment: str, before: bytes, now: bytes) -> None:
    """Note that results have changed; what has become again what it was is no news."""
    lines, digests = _lines(), [hashlib.sha256(content).hexdigest()[:16] for content in (before, now)]
    first = lines.setdefault(experiment, digests[0])
    if first == digests[1]:
        del lines[experiment]
    if lines != _lines():
        write_text(NEW, "".join(f"{' '.join(line)}\n" for line in lines.items()))


def noted() -> list[str]:
    """The experiments, in the order in which they were noted."""
    return list(_lines())


def forget() -> None:
    """What was noted has been answered."""
    NEW.unlink(missing_ok=True)
