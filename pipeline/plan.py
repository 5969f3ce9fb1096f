"""Specs → one small resolved file per experiment: all that its training depends on, nothing else."""

from __future__ import annotations

import argparse
import ast
import hashlib
import inspect
import json
import re
import shutil
import sys
from pathlib import Path

from pydantic import ValidationError

from pipeline import data, verdicts
from pipeline.config import (ConfigError, Experiment, Params, Train, complain, explain, load,
                             nearest)
from pipeline.results import PROBES, RUNS, write_text

PLAN = Path("plan")
DATA = Path("data")
REQUIREMENTS = Path("requirements.txt")
#: The definitions that decide a run's numbers; what they call in their module belongs to them.
DECIDE = {
    "data": ("load", "digest"),
    "model": ("build",),
    "train": ("Trainer", "batch_order"),
    "results": ("MEASURES", "significant"),
}
#: The packages that decide a run's numbers.
PINNED = ("tensorflow", "keras", "numpy")


def digest(path: Path, names: tuple[str, ...]) -> str:
    """A hash of definitions of a module and of all they use in it.

    Comments, docstrings, blank lines and the rest of the module change nothing.

    Raises:
        KeyError: the module has no definition of that name.
    """
    tree = ast.parse(Path(path).read_text(encoding="utf-8"))
    defined = {}
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            defined[node.name] = node
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            defined |= {t.id: node for t in targets if isinstance(t, ast.Name)}
    needed, waiting = {}, list(names)
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


def variants(experiment: Experiment, words: dict, place: str) -> list[tuple[str, dict, dict]]:
    """The members of a sweep: (name, varied training values, vocabulary with varied words).

    Without `vary` there is one, whose name is empty. Several keys make the full grid.
    """
    found = [("", {}, words)]
    listed = [item if isinstance(item, str) else next(iter(item)) for item in experiment.layers]
    for key, values in (experiment.vary or {}).items():
        grown = []
        for name, training, vocabulary in found:
            for value in values:
                label = f"{name},{key}={value}".lstrip(",")
                if key in Train.model_fields:
                    grown.append((label, training | {key: value}, vocabulary))
                    continue
                word, _, argument = key.partition(".")
                if not argument or word not in listed:
                    allowed = list(Train.model_fields) + [f"{w}.<argument>" for w in listed]
                    raise ConfigError(f"{place}.vary: unknown key '{key}'; allowed: "
                                      f"{', '.join(allowed)}{nearest(key, allowed)}")
                # Of the vocabulary so far: another key may have changed the same word.
                definition = vocabulary.get(word, word)
                cls, given = (definition, {}) if isinstance(definition, str) else next(
                    iter(definition.items()))
                changed = {cls: (given if isinstance(given, dict) else {"activation": given})
                           | {argument: value}}
                grown.append((label, training, vocabulary | {word: changed}))
        found = grown
    return found


def check_optimizer(spec, place: str) -> None:
    """Refuse an optimiser that Keras does not have, or an argument that it does not take.

    Raises:
        ConfigError: with the nearest valid word.
    """
    import keras

    known = {name: cls for name, cls in vars(keras.optimizers).items() if inspect.isclass(cls)
             and issubclass(cls, keras.optimizers.Optimizer) and name != "Optimizer"}
    name, arguments = (spec, {}) if isinstance(spec, str) else next(iter(spec.items()))
    found = {word.lower(): cls for word, cls in known.items()}.get(name.lower())
    if found is None:
        raise ConfigError(f"{place}: unknown optimiser '{name}'; allowed: {', '.join(sorted(known))}"
                          f"{nearest(name, known)}")
    allowed = set(inspect.signature(found.__init__).parameters) - {
        "self", "learning_rate", "name", "kwargs"}
    for argument in arguments:
        if argument not in allowed:
            more = "; the rate is set by learning_rate" if argument == "learning_rate" else ""
            raise ConfigError(f"{place}: optimiser '{name}' has no argument '{argument}'; allowed: "
                              f"{', '.join(sorted(allowed))}{nearest(argument, allowed)}{more}")


def head(experiment: Experiment, classes: int, words: dict, place: str) -> list[dict]:
    """What follows the output's linear layer: from the task, unless the experiment says."""
    from pipeline import model

    items = experiment.head
    if items is None:
        items = [{"Activation": "softmax"}] if classes else []
    elif isinstance(items, str):
        import keras

        try:
            keras.activations.get(items)
        except ValueError:
            allowed = [a for a in dir(keras.activations) if a.islower() and not a.startswith("_")]
            raise ConfigError(f"{place}.head: unknown activation '{items}'; allowed: "
                              f"{', '.join(allowed)}; or a list of layers{nearest(items, allowed)}"
                              ) from None
        items = [{"Activation": items}]
    return [model.resolve(item, words, f"{place}.head[{i}]") for i, item in enumerate(items)]


def resolve(params: Params, name: str, about: dict[str, dict], path: Path = Path("params.yaml")) -> dict:
    """The plan of an experiment.

    Args:
        about: data set → its `digest`, `shape` of a sample, `classes` and `train_size`.

    Raises:
        ConfigError: a word, layer or argument that cannot be used.
    """
    from pipeline import model

    experiment = params.experiments[name]
    place = f"{path}: experiments.{name}"
    words = params.layers
    arms = []
    for variant, varied, vocabulary in variants(experiment, words, place):
        layers = [model.resolve(item, vocabulary, f"{place}.layers[{i}]")
                  for i, item in enumerate(experiment.layers)]
        for data_set in params.data_sets(name):
            try:
                train = params.training(name, data_set, **varied)
            except ValidationError as error:
                raise explain(f"{place}.vary", Train, error) from None
            check_optimizer(train.optimizer, f"{place}.optimizer on '{data_set}'")
            known = about[data_set]
            size = round(known["train_size"] * train.train_fraction)
            if train.batch_size > size:
                raise ConfigError(f"{place}: batch_size {train.batch_size} is more than the {size} "
                                  f"training samples of '{data_set}'")
            arms.append({
                "variant": variant, "data": data_set, "shape": known["shape"],
                "classes": known["classes"], "train": train.model_dump(),
                "network": {"layers": layers,
                            "head": head(experiment, known["classes"], vocabulary, place)}})
    used = {item["class"] for arm in arms for part in arm["network"].values() for item in _all(part)}
    here = Path(__file__).parent
    code = {module: digest(here / f"{module}.py", names) for module, names in DECIDE.items()}
    own = sorted(used & set(model._own_layers()))
    code["layers"] = {cls: digest(here / "layers.py", (cls,)) for cls in own}
    # Part of no run's key: editing how a rate is chosen writes the tables anew, and trains nothing.
    tables = {"train": digest(here / "train.py", ("train",)),
              "config": digest(here / "config.py", ("study_seeds", "tuning_seeds"))}
    return {"experiment": name, "arms": arms, "code": code, "tables": tables, "versions": pins(),
            "data": {d: {"digest": about[d]["digest"], "seeds": params.data[d].seeds}
                     for d in params.data_sets(name)}}


def _all(items):
    """Resolved items and the layers nested in them."""
    for item in items:
        yield item
        yield from _all([v for v in item["arguments"].values() if isinstance(v, dict) and "class" in v])


def check(plan: dict, place: str) -> None:
    """Build every network of a plan on every shape, and run one compiled step of each layer list.

    Raises:
        ConfigError: Keras cannot connect the layers, or XLA cannot compile the network.
    """
    import numpy as np

    from pipeline import model, train

    compiled = set()
    for arm in plan["arms"]:
        size, classes, shape = 4, arm["classes"], tuple(arm["shape"])
        try:
            built = model.build(arm["network"], shape, classes, place=place)
        except ConfigError as error:
            raise ConfigError(f"{error} (on data set '{arm['data']}')") from None
        # Of the study's batch size, because a layer may ask for a multiple of something.
        batch = arm["train"]["batch_size"]
        layers = train.canonical([arm["network"]["layers"], arm["train"]["optimizer"], batch])
        if layers in compiled:
            continue
        compiled.add(layers)
        x = np.zeros((size, *shape), np.float32)
        y = np.arange(size, dtype=np.int32) % classes if classes else np.zeros((size, 1), np.float32)
        split = data.Split(x, y, x, y, x, y, "classes" if classes else "regression", classes)
        try:
            trainer = train.Trainer(arm["network"], shape, classes, arm["train"]["optimizer"])
            trainer.run([v.numpy() for v in built.variables], split, np.zeros((1, 1, batch), np.int32), 0.001)
        except Exception as error:
            words = ", ".join(item["word"] for item in arm["network"]["layers"])
            raise ConfigError(f"{place}: on data set '{arm['data']}' the network [{words}] cannot be "
                              f"trained: {model.first_lines(error)}") from None


def networks(plan: dict) -> list:
    """What `check` looks at: plans that agree in it need one check between them."""
    return [plan["versions"], plan["code"].get("model"), plan["code"].get("layers"),
            [(arm["network"], arm["shape"], arm["classes"], arm["train"]["optimizer"],
              arm["train"]["batch_size"]) for arm in plan["arms"]]]


def describe(params: Params, folder: Path = DATA) -> dict[str, dict]:
    """What plans need to know of each data set on disk."""
    about = {}
    for name in params.data:
        path = folder / f"{name}.npz"
        arrays = data.read(path)
        split = data.load(arrays, params.seeds(name)[0])
        about[name] = {"digest": hashlib.sha256(path.read_bytes()).hexdigest()[:16],
                       "shape": list(split.x_train.shape[1:]), "classes": split.classes,
                       "train_size": len(split.x_train)}
    return about


def tidy(folder: Path, kept) -> None:
    """Remove the folders, and the JSON files, inside `folder` that are not named in `kept`."""
    for inner in Path(folder).glob("*"):
        if inner.is_dir() and inner.name not in kept:
            shutil.rmtree(inner)
        elif inner.suffix == ".json" and inner.stem not in kept:
            inner.unlink()


def main() -> int:
    """Write `plan/`, tidy what a deleted experiment left; with `--check`, only check params.yaml."""
    parser = argparse.ArgumentParser(prog="python -m pipeline.plan", description=main.__doc__)
    parser.add_argument("--check", action="store_true", help="check params.yaml and claims, write nothing")
    only_check = parser.parse_args().check
    try:
        params = load()
        # DVC reads this list itself, and has only words of its own if there is none.
        if "experiments" not in params.probe.model_fields_set:
            raise ConfigError("params.yaml: probe.experiments: missing; allowed: a list of "
                              "experiments, also an empty one, []")
        for name, entry in params.data.items():
            data.check(entry.source, f"params.yaml: data.{name}", **entry.arguments)
        verdicts.check_claims(verdicts.read_claims(), params)
        if only_check:
            return 0
        about = describe(params)
        plans = {}
        for name in params.experiments:
            plans[name] = json.dumps(resolve(params, name, about), indent=1, sort_keys=True) + "\n"
        for name, text in plans.items():
            path = PLAN / f"{name}.json"
            plan = json.loads(text)
            if not path.exists() or networks(json.loads(path.read_text())) != networks(plan):
                print(f"checking the networks of {name}", flush=True)
                check(plan, f"params.yaml: experiments.{name}")
    except (ConfigError, ValueError) as error:
        return complain(error)
    for name, text in plans.items():
        write_text(PLAN / f"{name}.json", text)
    for folder in (PLAN, RUNS, Path("timings")):
        tidy(folder, plans)
    tidy(PROBES, params.probe.experiments)
    return 0


if __name__ == "__main__":
    sys.exit(main())
