"""The whole pipeline on a tiny profile, from nothing, in a scratch copy: stored results untouched."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Collection
from pathlib import Path

from ruamel.yaml import YAML

from pipeline.tables.stored import CERTIFICATES, SCALE, TORTURE
from pipeline.config.readings import READINGS, read_claims
from pipeline.config.read_yaml import read_yaml
from pipeline.config.schema import PARAMS

SCRATCH = Path(".tiny")
COPIED = (".dvcignore", "book", "extracts", "pipeline", "CITATION.cff", "dvc.yaml", "requirements.txt")
#: A network of each kind, a sweep of values and one of places; with each, what it is a change of.
EXPERIMENTS = ("cnn_lstm", "bn_after_relu", "bn_anywhere", "standardised_input", "raw_input", "mlp_tanh",
               "mlp_bn_before_tanh", "cnn_tanh", "cnn_relu", "token_cnn_lstm", "many_class_mlp",
               "mlp_imbalanced", "mlp_depth_2")
#: Of each family a few data sets, and what they are changes of; those that are invented stay.
REAL = ("household_power", "state_load", "smartwatch", "word_stress", "letter", "satimage", "digits")
#: The control that measures the rule.
CONTROLS = ("cnn_lstm",)
#: Enough for an item of every class in every part.
SIZES = {"train": 128, "validation": 128, "test": 128}


def shrink(params: dict, experiments: Collection[str] = EXPERIMENTS) -> dict:
    """The tiny profile of a params.yaml: few experiments, seeds, epochs and samples."""
    params["experiments"] = {n: e for n, e in params["experiments"].items() if n in experiments}
    params["train"] |= {"epochs": 2}
    for experiment in params["experiments"].values():
        if "epochs" in experiment:
            experiment["epochs"] = 2
    # What is said of experiments that it has not.
    params.pop("being_measured", None)
    params.pop("ask", None)
    data = params["data"]
    params["data"] = {n: e for n, e in data.items() if n in REAL or _kind(e, data) == "source" and not e.get("unit")}
    for entry in params["data"].values():
        entry["seeds"] = 3
        entry["train"] = (entry.get("train") or {}) | {"epochs": 2}
        if _kind(entry, data) == "file":
            entry["split"] = dict(SIZES)
        else:
            entry["arguments"] = (entry.get("arguments") or {}) | SIZES
    section = params["verdicts"]
    section["controls"] = [name for name in section.get("controls", []) if name in CONTROLS]
    if "probe" in params:
        section = params["probe"]
        section["experiments"] = [n for n in section.get("experiments", []) if n in experiments]
    return params


def _kind(entry: dict, data: dict) -> str:
    """Whether a data set, or the one that it is a change of, is a `source` or a `file`."""
    while not {"source", "file"} & entry.keys():
        entry = data[entry["of"]]
    return "source" if "source" in entry else "file"


def copied(folder: Path) -> None:
    """Put this project's code and prose into an empty folder, without what is measured beside the study."""
    for name in COPIED:
        copy = shutil.copytree if Path(name).is_dir() else shutil.copy
        copy(name, folder / name)
    for stored in (CERTIFICATES, SCALE, TORTURE):
        (folder / stored).mkdir(parents=True)


def project(folder: Path, made: Callable[[dict], dict] = shrink, without: Collection[str] = ()) -> None:
    """A new project in a folder: this one's code and prose, and a profile of its params.yaml, which `made` makes.

    Claims on experiments that the profile has not are left out, and so are the stages `without`.
    """
    copied(folder)
    params = made(read_yaml(PARAMS))
    kept = {c.slug for c in read_claims() if set(c.experiments) <= set(params["experiments"])}
    dump(params, folder / PARAMS)
    dump([c for c in read_yaml(READINGS) if c["slug"] in kept], folder / READINGS)
    content = read_yaml("dvc.yaml")
    content["stages"] = {name: stage for name, stage in content["stages"].items() if name not in without}
    dump(content, folder / "dvc.yaml")


def dump(content: dict | list, path: Path) -> None:
    """Write YAML."""
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style, yaml.sort_base_mapping_type_on_output = False, False
    with open(path, "w", encoding="utf-8") as file:
        yaml.dump(content, file)


def dvc(folder: Path, *arguments: str) -> None:
    """Run DVC on a project; subprocess.CalledProcessError if it fails."""
    subprocess.run(["dvc", *arguments], cwd=folder, env=os.environ | {"PYTHONPATH": str(folder.resolve())}, check=True)


def begin(folder: Path) -> None:
    """Make a folder one of DVC's."""
    dvc(folder, "init", "--quiet", "--no-scm")
    dvc(folder, "config", "core.analytics", "false")


def main() -> int:
    """Copy, shrink, run `dvc repro`; the exit code is its own."""
    shutil.rmtree(SCRATCH, ignore_errors=True)
    SCRATCH.mkdir()
    project(SCRATCH)
    began = time.perf_counter()
    try:
        begin(SCRATCH)
        dvc(SCRATCH, "repro")
    except subprocess.CalledProcessError as error:
        return error.returncode
    print(f"the whole pipeline, tiny, in {time.perf_counter() - began:.0f} s: {SCRATCH}/build/html")
    return 0


if __name__ == "__main__":
    sys.exit(main())
