"""`params.yaml` as frozen, validated specs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

import pydantic
from pydantic import Field

from pipeline.spec.base import ConfigError, Spec, explain, nearest, read_yaml, validate
from pipeline.spec.layers import Layer, Scalar

PARAMS = Path("params.yaml")
NAME = re.compile(r"[a-z0-9_]+\Z")
Count = Annotated[int, Field(ge=1)]
Rate = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Optimizer = str | Annotated[dict[str, dict[str, Scalar]], Field(min_length=1, max_length=1)]


class Train(Spec):
    """How a network is trained. A data set or an experiment may override any value."""

    epochs: Count
    batch_size: Count
    optimizer: Optimizer
    #: The default rate, and the grid that is searched (extended if a choice is at its edge).
    learning_rate: Rate
    learning_rates: Annotated[list[Rate], Field(min_length=1)]
    tuning_seeds: Annotated[int, Field(ge=2)]
    #: 'standard': inputs standardised with training statistics; 'none': as they are.
    scaling: Literal["standard", "none"] = "standard"
    #: The share of the training split that is used.
    train_fraction: Annotated[float, Field(gt=0, le=1)] = 1.0
    #: 1 gives other initial weights, batches and tuning seeds than 0, on the same data.
    repetition: Annotated[int, Field(ge=0, le=1)] = 0
    #: A run ends when its validation loss has not fallen for so many epochs; 0: it never does.
    patience: Annotated[int, Field(ge=0)] = 0

    @pydantic.model_validator(mode="after")
    def _default_is_on_the_grid(self):
        if self.learning_rate not in self.learning_rates:
            raise ValueError(f"learning_rate {self.learning_rate} is not one of learning_rates "
                             f"{self.learning_rates}")
        return self


_OVERRIDES = {
    name: (field.annotation | None if not field.metadata else
           Annotated[(field.annotation, *field.metadata)] | None, None)
    for name, field in Train.model_fields.items() if name != "tuning_seeds"
}
#: Every training value but the tuning seeds, which all experiments share; each optional.
Overrides = pydantic.create_model("Overrides", __base__=Spec, **_OVERRIDES)


def _merge(train: Train, *special: Spec, **varied) -> Train:
    """Training values, each of the last spec that has it."""
    values = train.model_dump()
    for spec in special:
        values |= {k: v for k in Train.model_fields if (v := getattr(spec, k, None)) is not None}
    if "learning_rate" in varied:  # A rate that is swept is not searched for.
        varied["learning_rates"] = [varied["learning_rate"]]
    return Train(**(values | varied))


class DataSet(Spec):
    """One data set: its source, the source's arguments, its group, its number of study seeds."""

    group: str
    source: str
    seeds: Count
    arguments: dict[str, Scalar | list[Scalar]] = {}
    train: Overrides = Overrides()
    title: str = ""


class Experiment(Overrides):
    """One experiment: a list of layers in the network's order, and what it is compared with."""

    #: A group, a data set, or a list of them.
    data: str | Annotated[list[str], Field(min_length=1)]
    layers: Annotated[list[Layer], Field(min_length=1)]
    versus: str | None = None
    #: The output's activation, or the layers that follow the output's linear layer.
    head: str | Annotated[list[Layer], Field(min_length=1)] | None = None
    #: Values to sweep: a training value, or `word.argument` of a layer in `layers`.
    vary: Annotated[dict[str, Annotated[list[Scalar], Field(min_length=1)]],
                    Field(min_length=1)] | None = None
    title: str = ""
    note: str = ""


class Verdicts(Spec):
    """Constants of the rule that a person may change, and the arms that measure the rule."""

    confidence: Annotated[float, Field(gt=0, lt=1)] = 0.95
    #: The smallest relative change of an error that counts.
    margin: Annotated[float, Field(gt=0, lt=1)] = 0.10
    #: Experiments that repeat their `versus` with other initial weights and batches.
    repeated: list[str] = []
    #: Experiments that train their `versus` on half the data.
    half_data: list[str] = []


class Probe(Spec):
    """Which experiments have their layers measured while they train, and on how many study seeds."""

    #: The rule counts no measure of fewer seeds.
    seeds: Annotated[int, Field(ge=10)] = 10
    experiments: list[str] = []


class Params(Spec):
    """The whole of `params.yaml`."""

    data: Annotated[dict[str, DataSet], Field(min_length=1)]
    layers: dict[str, Layer]
    experiments: Annotated[dict[str, Experiment], Field(min_length=1)]
    train: Train
    verdicts: Verdicts = Verdicts()
    probe: Probe = Probe()

    def data_sets(self, experiment: str) -> list[str]:
        """The names of the data sets that an experiment runs on, in the file's order."""
        wanted = self.experiments[experiment].data
        wanted = {wanted} if isinstance(wanted, str) else set(wanted)
        return [name for name, data in self.data.items() if name in wanted or data.group in wanted]

    def seeds(self, data: str) -> list[int]:
        """Every seed that a data set may be asked for."""
        count = self.train.tuning_seeds
        return study_seeds(self.data[data].seeds) + tuning_seeds(count, 0) + tuning_seeds(count, 1)

    def training(self, experiment: str, data: str, **varied) -> Train:
        """The training values of an experiment on a data set; the most special one wins."""
        return _merge(self.train, self.data[data].train, self.experiments[experiment], **varied)


def study_seeds(count: int) -> list[int]:
    """Seeds of the study. Lower ones were looked at while the pipeline was made, and never count."""
    return list(range(2_000, 2_000 + count))


def tuning_seeds(count: int, repetition: int) -> list[int]:
    """Seeds that only choose learning rates: shared by all experiments, never study seeds."""
    first = 10_000 * (1 + repetition)
    return list(range(first, first + count))


def _require(ok: bool, path: Path, place: str, message: str) -> None:
    if not ok:
        raise ConfigError(f"{path}: {place}: {message}")


def _check_training(path: Path, place: str, *values: Spec) -> None:
    """Training values fit together when later ones override earlier ones."""
    try:
        _merge(*values)
    except pydantic.ValidationError as error:
        raise explain(f"{path}: {place}", Train, error) from None


def _check_references(params: Params, path: Path) -> None:
    """Every name that points at another entry points at one that exists and fits."""
    groups = list(dict.fromkeys(d.group for d in params.data.values()))
    for section in ("data", "experiments"):
        for name in getattr(params, section):
            _require(bool(NAME.match(name)), path, f"{section}.{name}",
                     "a name may have lower-case letters, digits and _ only")
    clash = set(groups) & set(params.data)
    _require(not clash, path, "data",
             f"a group and a data set share the name '{', '.join(sorted(clash))}'")
    for name, data in params.data.items():
        _check_training(path, f"data.{name}.train", params.train, data.train)
    for name, experiment in params.experiments.items():
        place = f"experiments.{name}"
        known = groups + list(params.data)
        wanted = [experiment.data] if isinstance(experiment.data, str) else experiment.data
        for word in wanted:
            _require(word in known, path, f"{place}.data", f"unknown group or data set '{word}'; "
                     f"groups: {', '.join(groups)}; data sets: {', '.join(params.data)}"
                     f"{nearest(word, known)}")
        other = experiment.versus
        if other is not None:
            _require(other in params.experiments, path, f"{place}.versus",
                     f"there is no experiment '{other}'; allowed: any other experiment"
                     f"{nearest(other, params.experiments)}")
            _require(other != name, path, f"{place}.versus", "an experiment cannot be its own control")
            _require(bool(set(params.data_sets(name)) & set(params.data_sets(other))), path,
                     f"{place}.versus", f"'{other}' runs on {', '.join(params.data_sets(other))} and "
                     f"shares no data set with '{name}', which runs on "
                     f"{', '.join(params.data_sets(name))}")
        for data in params.data_sets(name):
            _check_training(path, f"{place}: on data set '{data}'", params.train,
                            params.data[data].train, experiment)
    for role in ("repeated", "half_data"):
        for name in getattr(params.verdicts, role):
            place = f"verdicts.{role}"
            _require(name in params.experiments, path, place,
                     f"there is no experiment '{name}'{nearest(name, params.experiments)}")
            _require(params.experiments[name].versus is not None, path, place,
                     f"experiment '{name}' has no versus")
    probed = params.probe.experiments
    for name in probed:
        _require(name in params.experiments, path, "probe.experiments",
                 f"there is no experiment '{name}'{nearest(name, params.experiments)}")
        _require(probed.count(name) == 1, path, "probe.experiments",
                 f"'{name}' stands twice; an experiment may stand once")


def load(path: Path = PARAMS) -> Params:
    """`params.yaml` as a spec.

    Raises:
        ConfigError: with one message that names the file, the place and what is allowed.
    """
    path = Path(path)
    params = validate(path, Params, read_yaml(path))
    _check_references(params, path)
    return params
