"""Imports run one way, and only what builds or trains networks loads TensorFlow."""

import ast
from pathlib import Path

import pytest

import pipeline

FOLDER = Path(pipeline.__file__).parent
#: A module imports only modules that stand before it.
ORDER = ["config", "results", "stats", "layers", "data", "model", "train", "probe", "verdicts",
         "plan", "figures", "notebook", "applications", "old_code", "mechanics", "record", "bench", "tiny",
         "pages", "guide", "book"]
#: What the first modules may import at all; the order alone holds for the others.
ALLOWED = {
    "config": set(), "results": set(), "stats": set(), "layers": set(),
    "data": {"config", "results"}, "model": {"config", "layers"},
    "train": {"config", "data", "model", "results"},
    "verdicts": {"config", "results", "stats"},
    "plan": {"config", "data", "model", "train", "results", "verdicts"},
    "figures": {"results"}, "notebook": {"config", "results"},
}
HEAVY = {"tensorflow", "keras"}
MODULES = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "__init__")


def imports(module, everywhere):
    """What a module imports, `pipeline.x` for ours; without `everywhere`, when it is loaded."""
    found, waiting = set(), [ast.parse((FOLDER / f"{module}.py").read_text(encoding="utf-8"))]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            if node.module == "pipeline":
                found |= {f"pipeline.{alias.name}" for alias in node.names}
            else:
                found.add(node.module)
        if everywhere or not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            waiting += ast.iter_child_nodes(node)
    return found


def ours(module, everywhere=True):
    names = imports(module, everywhere)
    return {name.split(".")[1] for name in names if name.startswith("pipeline.")}


def loaded(module):
    """Top-level packages that are loaded with a module, through our modules too."""
    found = {name.split(".")[0] for name in imports(module, everywhere=False)}
    return found.union(*map(loaded, ours(module, everywhere=False)))


def test_every_module_has_its_place_in_the_order():
    assert set(MODULES) <= set(ORDER)


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_only_modules_before_it(module):
    assert ours(module) <= set(ORDER[:ORDER.index(module)])
    assert ours(module) <= ALLOWED.get(module, set(ORDER))


@pytest.mark.parametrize("module", [m for m in MODULES if m not in (
    "layers", "model", "train", "probe", "applications", "old_code", "mechanics", "bench", "record")])
def test_a_module_that_needs_no_network_does_not_load_tensorflow(module):
    assert not loaded(module) & HEAVY


def test_layers_need_keras_and_tensorflow_only():
    packages = {name.split(".")[0] for name in imports("layers", everywhere=True)}
    assert packages <= {"__future__", "itertools", "keras", "tensorflow"}
