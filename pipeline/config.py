"""`params.yaml` as frozen, validated specs. Imports no other module of the project."""

from __future__ import annotations

import difflib
import re
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import pydantic
from pydantic import BaseModel, ConfigDict, Field
from ruamel.yaml import YAML
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError

PARAMS = Path("params.yaml")
NAME = re.compile(r"[a-z0-9_]+\Z")

Scalar = bool | int | float | str | None
#: A layer: a word of the vocabulary, a Keras class name, or `{Class: {argument: value}}`.
Layer = str | Annotated[dict[str, dict[str, Any] | Scalar | list[Any]], Field(min_length=1, max_length=1)]


class ConfigError(ValueError):
    """A mistake in a file that a person edits; its message is all that the person sees."""


def nearest(word: str, allowed) -> str:
    """`; did you mean 'x'?` for the allowed word most like `word`, else an empty string."""
    close = difflib.get_close_matches(str(word), [str(a) for a in allowed], n=1, cutoff=0.5)
    return f"; did you mean '{close[0]}'?" if close else ""


class Spec(BaseModel):
    """Base of all specs: frozen, unknown keys forbidden, no silent change of type."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


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

    @pydantic.model_validator(mode="after")
    def _default_is_on_the_grid(self):
        if self.learning_rate not in self.learning_rates:
            raise ValueError(f"learning_rate {self.learning_rate} is not one of {self.learning_rates}")
        return self


_OVERRIDES = {
    name: (field.annotation | None if not field.metadata else
           Annotated[(field.annotation, *field.metadata)] | None, None)
    for name, field in Train.model_fields.items() if name != "tuning_seeds"
}
#: Every training value but the tuning seeds, which all experiments share; each optional.
Overrides = pydantic.create_model("Overrides", __base__=Spec, **_OVERRIDES)


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


class Params(Spec):
    """The whole of `params.yaml`."""

    data: Annotated[dict[str, DataSet], Field(min_length=1)]
    layers: dict[str, Layer]
    experiments: Annotated[dict[str, Experiment], Field(min_length=1)]
    train: Train
    verdicts: Verdicts = Verdicts()

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
        values = self.train.model_dump()
        for special in (self.data[data].train, self.experiments[experiment]):
            values |= {k: v for k in Train.model_fields if (v := getattr(special, k, None)) is not None}
        return Train(**(values | varied))


def study_seeds(count: int) -> list[int]:
    """Seeds of the study. Lower ones were looked at while the pipeline was made, and never count."""
    return list(range(1_000, 1_000 + count))


def tuning_seeds(count: int, repetition: int) -> list[int]:
    """Seeds that only choose learning rates: shared by all experiments, never study seeds."""
    first = 10_000 * (1 + repetition)
    return list(range(first, first + count))


def read_yaml(path: Path):
    """A YAML 1.2 file, as DVC reads it.

    Raises:
        ConfigError: the file is missing, broken (with line and column) or has a duplicate key.
    """
    try:
        return YAML(typ="safe", pure=True).load(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{path}: there is no such file") from None
    except DuplicateKeyError as error:
        mark = error.problem_mark
        raise ConfigError(f"{path}, line {mark.line + 1}, column {mark.column + 1}: "
                          f"{str(error.problem).split(' with value')[0]}; a key may stand once") from None
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise ConfigError(f"{path}, line {mark.line + 1}, column {mark.column + 1}: "
                          f"not YAML: {error.problem or error.context}") from None
    except (YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not YAML: {error}") from None


def _allowed_keys(model: Any, location: tuple) -> list[str]:
    """The keys that the spec at `location` (a pydantic error's path) may have."""
    sections = {"data": DataSet, "experiments": Experiment, "train": Train, "verdicts": Verdicts}
    if not isinstance(model, type) or model is not Params:
        return list(model.model_fields)
    if len(location) <= 1:
        return list(Params.model_fields)
    spec = sections.get(location[0], Params)
    if location[0] == "data" and len(location) > 3 and location[2] == "train":
        spec = Overrides
    return list(spec.model_fields)


def explain(path: Path, model: type[Spec], error: pydantic.ValidationError) -> ConfigError:
    """One message for the first mistake: file, place, what was found, what is allowed."""
    # A value of several allowed types gives an error for each: the longest path says most.
    first = error.errors()[0]
    same = [e for e in error.errors() if e["loc"][:1] == first["loc"][:1]
            and e["loc"][:3] == first["loc"][:3]]
    place = [str(p) for p in first["loc"] if not re.search(r"[\[\(<]", str(p))
             and p not in ("str", "int", "float", "bool", "constrained-str")]
    where = f"{path}: {'.'.join(place) or 'the file'}"
    if first["type"] == "extra_forbidden":
        allowed = _allowed_keys(model, first["loc"])
        return ConfigError(f"{where}: unknown key '{first['loc'][-1]}'; allowed: "
                           f"{', '.join(allowed)}{nearest(first['loc'][-1], allowed)}")
    if first["type"] == "missing":
        return ConfigError(f"{where}: missing; it is required")
    if first["type"] in ("model_type", "dict_type", "model_attributes_type") and first["input"] is None:
        return ConfigError(f"{where}: empty; it needs a mapping")
    wanted = " or ".join(dict.fromkeys(e["msg"].removeprefix("Value error, ") for e in same))
    return ConfigError(f"{where}: found {first['input']!r}; {wanted[0].lower()}{wanted[1:]}"
                       + (nearest(first["input"], re.findall(r"'(\w+)'", wanted))
                          if first["type"] == "literal_error" else ""))


def validate(path: Path, model: type[Spec], content) -> Any:
    """`content` as a spec; ConfigError names the file and the place of a mistake."""
    if not isinstance(content, dict):
        raise ConfigError(f"{path}: found {type(content).__name__}; it needs a mapping with: "
                          f"{', '.join(model.model_fields)}")
    try:
        return model(**content)
    except pydantic.ValidationError as error:
        raise explain(path, model, error) from None
    except TypeError:
        raise ConfigError(f"{path}: every key must be a word; found "
                          f"{[k for k in content if not isinstance(k, str)]}") from None


def _require(ok: bool, path: Path, place: str, message: str) -> None:
    if not ok:
        raise ConfigError(f"{path}: {place}: {message}")


def _check_references(params: Params, path: Path) -> None:
    """Every name that points at another entry points at one that exists and fits."""
    groups = list(dict.fromkeys(d.group for d in params.data.values()))
    for section in ("data", "experiments"):
        for name in getattr(params, section):
            _require(bool(NAME.match(name)), path, f"{section}.{name}",
                     "a name may have lower-case letters, digits and _ only")
    clash = set(groups) & set(params.data)
    _require(not clash, path, "data", f"a group and a data set share the name {sorted(clash)}")
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
                     f"{place}.versus", f"'{other}' runs on {params.data_sets(other)} and shares no "
                     f"data set with '{name}', which runs on {params.data_sets(name)}")
        for data in params.data_sets(name):
            try:
                params.training(name, data)
            except pydantic.ValidationError as error:
                raise ConfigError(f"{path}: {place}: on data set '{data}': "
                                  + error.errors()[0]["msg"].removeprefix("Value error, ")) from None
    for role in ("repeated", "half_data"):
        for name in getattr(params.verdicts, role):
            place = f"verdicts.{role}"
            _require(name in params.experiments, path, place,
                     f"there is no experiment '{name}'{nearest(name, params.experiments)}")
            _require(params.experiments[name].versus is not None, path, place,
                     f"experiment '{name}' has no versus")


def load(path: Path = PARAMS) -> Params:
    """`params.yaml` as a spec.

    Raises:
        ConfigError: with one message that names the file, the place and what is allowed.
    """
    path = Path(path)
    params = validate(path, Params, read_yaml(path))
    _check_references(params, path)
    return params


def complain(error: Exception) -> int:
    """Print a mistake as one message and return the exit code of a failed command."""
    print(f"error: {error}", file=sys.stderr)
    return 1
