"""A project's `dvc.lock`, as DVC writes it; that it does so is asked of DVC itself in tests/tables/test_lock.py."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from pipeline.tables.lock import HEAD, digest


def text(stages: Mapping[str, tuple[Iterable, Iterable]], root: Path = Path()) -> str:
    """The text of a lock: stage → the paths that it depends on, and those that it writes."""
    lines = []
    for name, (deps, outs) in stages.items():
        lines.append(f"  {name}:\n    cmd: python -m pipeline.{name}\n")
        for kind, paths in (("deps", deps), ("outs", outs)):
            lines += [f"    {kind}:\n"] * bool(paths)
            lines += [f"    - path: {path}\n      hash: md5\n      md5: {digest(Path(root) / path)}\n      size: 1\n"
                      for path in paths]
    return HEAD + "".join(lines)


def lock(root: Path = Path(), **stages: tuple[Iterable, Iterable]) -> None:
    """Write the lock of a project as it is now; in names, `_at_` stands for @."""
    path = Path(root) / "dvc.lock"
    path.unlink(missing_ok=True)  # So that it is another file than the one before.
    path.write_text(text({name.replace("_at_", "@"): paths for name, paths in stages.items()}, root))
