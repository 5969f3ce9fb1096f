"""What names the code in the key of a run: a number, and a warning where it may have to be raised."""

from __future__ import annotations

import ast
import hashlib
import re
from collections.abc import Iterable
from pathlib import Path

from pipeline.config.errors import ConfigError

PACKAGE = Path(__file__).parent.parent
REQUIREMENTS = Path("requirements.txt")
#: Part of the key of every run. Raise it when a change of code changes the numbers of runs: all are trained again
#: then. A change that keeps their bits keeps it.
NUMERICS = 3
#: `digest` of the code that was last seen to give the stored bits.
SEEN = "f5223f9df9ad8b44"
#: What decides the numbers of runs.
DECIDES = ("data/split.py", "network", "train/trainer.py", "train/compiled.py",
           "train/early_stopping.py", "train/task.py", "config/task.py")
#: The packages that decide them.
PINNED = ("tensorflow", "keras", "numpy")


def _tree(path: Path) -> ast.Module:
    """A file's syntax without docstrings: comments, docstrings and blank lines decide nothing."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and isinstance(body[0], ast.Expr) and isinstance(
                body[0].value, ast.Constant) and isinstance(body[0].value.value, str):
            node.body = body[1:] or [ast.Pass()]
    return tree


def digest(package: Path = PACKAGE) -> str:
    """A hash of the code that decides the numbers of runs, but for comments, docstrings, imports and files' names."""
    files = [path for name in DECIDES for path in sorted((package / name).rglob("*.py")) or [package / name]]
    text = "\n".join(sorted(ast.unparse(node) for path in files for node in _tree(path).body
                            if not isinstance(node, (ast.Import, ast.ImportFrom))))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def warning() -> str:
    """What to do where the code is not what was seen to give the stored bits; empty where it is."""
    found = digest()
    if found == SEEN:
        return ""
    return (f"pipeline/plan/code.py: the code that decides the numbers of runs has changed since NUMERICS = {NUMERICS} was "
            f"set. If numbers change, raise NUMERICS, and all runs are trained again. If `make verify` finds the same "
            f"bits, keep it, and write SEEN = \"{found}\"")


def digest_of_class(file: Path, name: str) -> str:
    """A hash of a class in a file of one's own, of all that it uses there, and of what the file imports or runs.

    Comments, docstrings, blank lines and other definitions of the file change nothing.

    Raises:
        KeyError: the file has no such definition.
    """
    defined = {}
    for node in _tree(file).body:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            defined |= {(alias.asname or alias.name).partition(".")[0]: node for alias in node.names}
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            defined[node.name] = node
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            defined |= {target.id: node for target in targets if isinstance(target, ast.Name)}
        else:
            defined[f"statement {ast.unparse(node)}"] = node
    needed = _needed(defined, [name, *(one for one in defined if one.startswith("statement "))])
    text = "\n".join(f"{one}: {ast.unparse(defined[one])}" for one in sorted(needed))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _needed(defined: dict[str, ast.AST], names: Iterable[str]) -> set[str]:
    """Names of definitions, and of all that these use."""
    needed, waiting = set(), list(names)
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed.add(name)
            waiting += [n.id for n in ast.walk(defined[name]) if isinstance(n, ast.Name) and n.id in defined]
    return needed


def pins(path: Path = REQUIREMENTS) -> dict[str, str]:
    """The pinned versions of the packages that decide a run's numbers."""
    found = dict(re.findall(r"^([a-z0-9_.-]+)==([^\s;]+)", Path(path).read_text(), flags=re.M))
    missing = [package for package in PINNED if package not in found]
    if missing:
        raise ConfigError(f"{path}: no pinned version of {', '.join(missing)}")
    return {package: found[package] for package in PINNED}
