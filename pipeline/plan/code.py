"""What of the code decides a run's numbers, as digests."""

from __future__ import annotations

import ast
import hashlib
import re
from collections.abc import Iterable
from pathlib import Path

from pipeline.spec.base import ConfigError

PACKAGE = Path(__file__).parent.parent
REQUIREMENTS = Path("requirements.txt")
#: The definitions that decide a run's numbers, and the files that they and what they call stand in.
DECIDE = {
    "data": (("data/draw.py", "data/splits.py"), ("load", "digest")),
    "model": (("network/resolve.py", "network/model.py"), ("build",)),
    "train": (("train/trainer.py", "train/compiled.py", "train/task.py", "spec/task.py"),
              ("Trainer", "batch_order")),
    "results": (("results.py",), ("MEASURES", "significant")),
}
#: The same of data sets that are files of one's own: part of the key of runs on these alone.
FILES = (("data/parts.py",), ("load_split", "digest"))
#: The files of our own layers; a network's plan names those that it uses.
LAYERS = tuple(sorted(str(path.relative_to(PACKAGE)) for path in
                      (PACKAGE / "network" / "layers").glob("*.py")))
#: The packages that decide a run's numbers.
PINNED = ("tensorflow", "keras", "numpy")


def digest(files: Iterable[str | Path], names: Iterable[str], imports: bool = False) -> str:
    """A hash of definitions, and of all they use, in files of the package.

    Comments, docstrings, blank lines, the rest of the files, and in which of them a definition
    stands change nothing.

    Args:
        files: relative to the package, or absolute.
        imports: whether what the definitions import counts too, and every statement that defines
            nothing: files of one's own may rename what they import, and change it.

    Raises:
        KeyError: no file has a definition of that name.
    """
    trees = [ast.parse((PACKAGE / file).read_text(encoding="utf-8")) for file in files]
    defined = {}
    for node in (node for tree in trees for node in tree.body):
        if imports and isinstance(node, (ast.Import, ast.ImportFrom)):
            defined |= {(a.asname or a.name).partition(".")[0]: node for a in node.names}
        elif imports and not isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.Assign, ast.AnnAssign)) and not (
                isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
            defined[f"statement {ast.unparse(node)}"] = node
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            defined[node.name] = node
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            defined |= {t.id: node for t in targets if isinstance(t, ast.Name)}
    needed, waiting = {}, [*names, *(name for name in defined if name.startswith("statement "))]
    while waiting:
        name = waiting.pop()
        if name in needed:
            continue
        node = needed[name] = defined[name]
        for inner in ast.walk(node):
            body = getattr(inner, "body", None)
            if isinstance(body, list) and body and isinstance(body[0], ast.Expr) and isinstance(
                    body[0].value, ast.Constant) and isinstance(body[0].value.value, str):
                inner.body = body[1:] or [ast.Pass()]
        waiting += [n.id for n in ast.walk(node) if isinstance(n, ast.Name) and n.id in defined]
    text = "\n".join(f"{name}: {ast.unparse(needed[name])}" for name in sorted(needed))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def pins(path: Path = REQUIREMENTS) -> dict[str, str]:
    """The pinned versions of the packages that decide a run's numbers."""
    found = dict(re.findall(r"^([a-z0-9_.-]+)==([^\s;]+)", Path(path).read_text(), flags=re.M))
    missing = [package for package in PINNED if package not in found]
    if missing:
        raise ConfigError(f"{path}: no pinned version of {', '.join(missing)}")
    return {package: found[package] for package in PINNED}
