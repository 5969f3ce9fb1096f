"""Neither a stage nor a check lets a file that it reads run as code."""

import ast
from pathlib import Path

import pytest

FILES = sorted(path for folder in ("pipeline", ".ci") for path in Path(folder).rglob("*.py")
               if "venv" not in path.parts)
#: Modules whose readers run what a file says, and calls that do.
MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve", "jsonpickle"}
CALLS = {"eval", "exec", "compile", "read_pickle", "load_model", "from_pickle",
         "enable_unsafe_deserialization", "system", "popen"}


def complaints(source):
    """What is wrong in a module's source."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.partition(".")[0] in MODULES)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in MODULES:
            yield node.module
        elif isinstance(node, ast.Call):
            yield from _calls(node)


def _calls(node):
    given = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
    called = ast.unparse(node.func)
    # `re.compile` and a network's own `compile` run nothing that was read.
    if called in CALLS or called.rpartition(".")[2] in CALLS - {"compile", "eval"}:
        yield called
    if called in ("np.load", "numpy.load") and given.get("allow_pickle") != "False":
        yield f"{called} without allow_pickle=False"
    if given.get("allow_pickle") == "True" or given.get("shell") == "True" or given.get("safe_mode") == "False":
        yield called
    if called == "YAML" and given.get("typ") == "'unsafe'":
        yield called


@pytest.mark.parametrize("file", FILES, ids=str)
def test_nothing_that_is_read_runs(file):
    assert not list(complaints(file.read_text(encoding="utf-8")))


@pytest.mark.parametrize("source", [
    "import pickle", "from joblib import load", "np.load(path)", "np.load(path, allow_pickle=True)",
    "pd.read_pickle(path)", "keras.models.load_model(path)", "eval(text)",
    "keras.config.enable_unsafe_deserialization()", "subprocess.run(words, shell=True)", "YAML(typ='unsafe')"])
def test_each_mistake_is_found(source):
    assert list(complaints(source))
