"""Imports run one way, only what builds or trains networks loads TensorFlow, and DVC knows all."""

import ast
import functools
from pathlib import Path

import nbformat
import pytest

import pipeline
from pipeline.config.read_yaml import read_yaml

PACKAGE = Path(pipeline.__file__).parent
#: What a room may import; its own files besides. A room is a package, or a module on the ground.
ROOMS = {
    "config": set(), "style": set(), "process": {"config"}, "tables": {"config"}, "notebook": {"config", "tables"},
    "data": {"config", "process", "tables"}, "network": {"config", "tables"},
    "train": {"config", "data", "network", "notebook", "process", "style", "tables"},
    "plan": {"config", "data", "network", "process", "tables", "train"},
    "probe": {"config", "data", "network", "process", "tables", "train"},
    "baselines": {"config", "data", "process", "tables"},
    "mechanics": {"config", "network", "notebook", "process", "tables"},
    "findings": {"config", "process", "tables"},
    # Pages read findings: they compute no interval and choose no word.
    "book": {"config", "process", "style", "tables", "findings.asked", "findings.numbers", "findings.regions", "findings.rule",
             "findings.words"},
    "cli": {"baselines", "book", "config", "data", "findings", "notebook", "plan", "process", "tables", "train"},
}
#: Rooms and modules that load TensorFlow. Of the others, `plan` does so only once params.yaml is
#: checked, and `train` only where a run, or the table of layers, is not stored.
HEAVY = {"network", "train.compiled", "train.schedule", "train.task", "train.trainer", "probe", "mechanics"}
MODULES = sorted(".".join(path.relative_to(PACKAGE).with_suffix("").parts)
                 for path in PACKAGE.rglob("*.py") if path.stem != "__init__")


def room(module):
    return module.partition(".")[0]


@functools.cache
def tree(module):
    """A module's syntax; the notebooks beside a `__main__` that executes them belong to it."""
    path = PACKAGE / module.replace(".", "/")
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    parsed = ast.parse(path.read_text(encoding="utf-8"))
    for notebook in path.parent.glob("*.ipynb") if path.stem == "__main__" else ():
        parsed.body += code_of(notebook).body
    return parsed


def code_of(notebook):
    cells = nbformat.read(notebook, as_version=4).cells
    return ast.parse("\n".join(cell.source for cell in cells if cell.cell_type == "code"))


@functools.cache
def imports(module, everywhere=True):
    """What a module imports, `pipeline.x` for ours; without `everywhere`, when it is loaded."""
    found, waiting = set(), [tree(module)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            # A name of a package is a module of it, or stands in its own file.
            folder = PACKAGE.parent / node.module.replace(".", "/")
            found |= {f"{node.module}.{alias.name}" if (folder / alias.name).is_dir() or
                      (folder / f"{alias.name}.py").exists() else node.module for alias in node.names}
        if everywhere or not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            waiting += ast.iter_child_nodes(node)
    return found


def ours(module, everywhere=True):
    return {name.removeprefix("pipeline.") for name in imports(module, everywhere)
            if name.startswith("pipeline.")}


def loaded(module, seen=frozenset()):
    """Every module of ours that is loaded with a module, and the top-level packages of others."""
    found, waiting = set(), [module]
    while waiting:
        module = waiting.pop()
        if module in found:
            continue
        found.add(module)
        waiting += ours(module, everywhere=False)
        # Importing a module runs its package's own file first.
        waiting += [room(module)] if (PACKAGE / room(module)).is_dir() else []
    return found, {name.partition(".")[0] for module in found
                   for name in imports(module, everywhere=False)}


@pytest.mark.parametrize("module", MODULES)
def test_a_room_imports_only_rooms_below_it(module):
    for other in ours(module) - {module}:
        allowed = ROOMS[room(module)]
        assert room(other) == room(module) or room(other) in allowed or other in allowed, other


def test_rooms_stand_on_each_other_without_a_circle():
    below = {name: {room(other) for other in others} for name, others in ROOMS.items()}
    while below:
        free = {name for name, others in below.items() if not others & below.keys()}
        assert free, below
        below = {name: others for name, others in below.items() if name not in free}


@pytest.mark.parametrize("module", [m for m in MODULES if not {m, room(m)} & HEAVY
                                    and m not in ("plan.behaviour", "plan.check", "plan.resolve")])
def test_a_module_that_needs_no_network_does_not_load_tensorflow(module):
    assert not loaded(module)[1] & {"tensorflow", "keras"}


def test_the_lab_record_of_an_experiment_loads_nothing_that_trains():
    code = code_of(PACKAGE / "train/report.ipynb")
    used = {name for node in ast.walk(code) if isinstance(node, ast.ImportFrom) and node.module.startswith("pipeline")
            for name in (node.module, *(f"{node.module}.{alias.name}" for alias in node.names))}
    modules = {name.removeprefix("pipeline.") for name in used} & {*MODULES}
    assert modules
    trains = {f"train.{name}" for name in ("__main__", "queue", "worker", "executor", "trainer")} | {"tables.store"}
    for module in modules:
        ours_loaded, others = loaded(module)
        assert not ours_loaded & trains and not others & {"tensorflow", "keras"}, module


def test_every_stage_is_a_package_of_its_name():
    for stage, about in read_yaml("dvc.yaml")["stages"].items():
        command = about.get("do", about)["cmd"]
        assert command.split()[:3] == ["python", "-m", f"pipeline.{stage}"]
        assert (PACKAGE / stage / "__main__.py").is_file()


@pytest.mark.parametrize("stage", [s for s in read_yaml("dvc.yaml")["stages"] if s not in (
    "train", "probe")])
def test_a_stage_depends_on_all_that_it_imports(stage):
    about = read_yaml("dvc.yaml")["stages"][stage]
    declared = {name for name in about.get("do", about)["deps"] if name.startswith("pipeline")}
    waiting, found = [f"{stage}.__main__"], set()
    while waiting:
        module = waiting.pop()
        if module not in found:
            found.add(module)
            waiting += ours(module)
    needed = set()
    for module in found:
        path = f"pipeline/{module.replace('.', '/')}"
        known = [name for name in declared if f"{path}.py" == name or f"{path}/".startswith(f"{name}/")]
        assert known, f"{stage} imports {module}"
        needed |= set(known)
    assert needed == declared


def test_training_and_the_probe_depend_on_a_plan_that_names_the_code():
    # Their plan carries digests of the code that decides numbers; another edit must not train.
    for stage in ("train", "probe"):
        about = read_yaml("dvc.yaml")["stages"][stage]["do"]
        assert f"plan/${{{'key' if stage == 'train' else 'item'}}}.json" in about["deps"]
