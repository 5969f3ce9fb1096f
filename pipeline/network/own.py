"""Layer classes of one's own: from files that params.yaml names, to words of a layer list."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import inspect
from collections.abc import Iterable, Mapping
from pathlib import Path

import keras

from pipeline.network import layers as ours
from pipeline.network import refused
from pipeline.network.arguments import first_lines
from pipeline.network.resolve import _has_one_input, _keras_layers, _own_layers
from pipeline.config.errors import ConfigError

#: Class → the file that it was taken from.
_FILES: dict[str, str] = {}
#: File → the SHA-256 of what was read.
_READ: dict[str, str] = {}


def files_of(classes: Iterable[str]) -> dict[str, str]:
    """File → SHA-256 of the files that some of the classes were taken from."""
    return {file: _READ[file] for file in sorted({_FILES[name] for name in classes if name in _FILES})}


def file_of(cls: str) -> str | None:
    """The file that a class was taken from; None of a class of Keras or of this project."""
    return _FILES.get(cls)


def register(files: Iterable[str], place: str = "modules") -> None:
    """Make the layer classes of files words of every layer list. A file that was read is not read again.

    The classes stand beside the project's own layers, where networks are built: nothing there knows
    of them.

    Raises:
        ConfigError: a file cannot be read or run, has no layer class, or has one whose name is taken,
            which needs several inputs, or which cannot be given a name.
    """
    for number, file in enumerate(files):
        _register(file, f"{place}[{number}]")


def require(files: Mapping[str, str], place: str) -> None:
    """`register` files that a plan names; ConfigError if one is not as it was when that was made."""
    for file, digest in files.items():
        if not Path(file).is_file() or hashlib.sha256(Path(file).read_bytes()).hexdigest() != digest:
            raise ConfigError(f"{file}: is not as it was when {place} was made; `make book` makes that again")
    register(files, place)


def _register(file: str, place: str) -> None:
    content = read(file, place)
    digest = hashlib.sha256(content).hexdigest()
    if _READ.get(file) == digest:
        return
    for name in [name for name, origin in _FILES.items() if origin == file]:
        delattr(ours, name)
        del _FILES[name]
    found = _classes(file, place)
    for name, cls in found.items():
        _check(name, cls, file, place)
    for name, cls in found.items():
        setattr(ours, name, cls)
        _FILES[name] = file
    _READ[file] = digest


def read(file: str, place: str) -> bytes:
    """The content of a file of layer classes, which is Python.

    Raises:
        ConfigError: there is no such file, it is no Python, or it imports another file of the project.
    """
    path = Path(file)
    if not path.is_file():
        raise ConfigError(f"{place}: found '{file}'; there is no such file")
    content = path.read_bytes()
    try:
        tree = ast.parse(content)
    except (SyntaxError, ValueError) as error:
        line = f", line {error.lineno}" if getattr(error, "lineno", None) else ""
        raise ConfigError(f"{file}{line}: is not Python: {getattr(error, 'msg', error)}") from None
    for node in ast.walk(tree):
        names = [a.name for a in node.names] if isinstance(node, ast.Import) else (
            [node.module or "."] if isinstance(node, ast.ImportFrom) else [])
        for name in names:
            first = name.partition(".")[0]
            # Its digest would not know of an edit there.
            if getattr(node, "level", 0) or Path(f"{first}.py").exists() or (
                    first != "pipeline" and Path(first).is_dir()):
                raise ConfigError(f"{file}, line {node.lineno}: imports '{name}', a file of the project; "
                                  "allowed: installed packages, and what stands in the file itself")
    return content


def _classes(file: str, place: str) -> dict[str, type]:
    """The layer classes that a file defines, by their names."""
    module = f"own_layers_{hashlib.sha256(file.encode()).hexdigest()[:16]}"
    spec = importlib.util.spec_from_file_location(module, file)
    made = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(made)
    except Exception as error:
        raise ConfigError(f"{file}: cannot be run: {type(error).__name__}: {first_lines(error)}") from None
    found = {name: cls for name, cls in vars(made).items() if inspect.isclass(cls)
             and cls.__module__ == module and issubclass(cls, keras.layers.Layer) and not name.startswith("_")}
    if not found:
        raise ConfigError(f"{place}: '{file}' defines no layer; allowed: a file with a class of "
                          "keras.layers.Layer, whose name does not begin with _")
    return found


def _check(name: str, cls: type, file: str, place: str) -> None:
    taken = _keras_layers() | _own_layers()
    if name in taken or name in refused.LAYERS:
        owner = _FILES.get(name) or ("keras.layers" if name in _keras_layers() else "this project")
        raise ConfigError(f"{file}: class '{name}': {owner} has a layer of that name; allowed: a name that "
                          "is not taken")
    if "call" not in {key for base in cls.__mro__[:cls.__mro__.index(keras.layers.Layer)] for key in vars(base)}:
        raise ConfigError(f"{file}: class '{name}' has no method `call`; allowed: call(self, inputs)")
    if not _has_one_input(cls):
        raise ConfigError(f"{file}: class '{name}': `call` needs several inputs; allowed: one, because a "
                          "list gives each layer what the one before it made")
    given = inspect.signature(cls.__init__).parameters
    if "name" not in given and not any(p.kind is p.VAR_KEYWORD for p in given.values()):
        raise ConfigError(f"{file}: class '{name}': `__init__` takes no name; allowed: one that ends in "
                          "**kwargs and hands them on, super().__init__(**kwargs)")
