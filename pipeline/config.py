"""`params.yaml` as frozen, validated specs. Imports no other module of the project."""

from __future__ import annotations

import difflib
import json
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
#: A layer: a word of the vocabulary, a Keras class name, or either with `{argument: value}`.
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


def read_yaml(path: Path):
    """A YAML 1.2 file, as DVC reads it.

    Raises:
        ConfigError: the file is missing, broken (with line and column) or has a duplicate key.
    """
    try:
        return YAML(typ="safe", pure=True).load(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{path}: there is no such file") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    except DuplicateKeyError as error:
        mark = error.problem_mark
        raise ConfigError(f"{path}, line {mark.line + 1}, column {mark.column + 1}: "
                          f"{str(error.problem).split(' with value')[0]}; a key may stand once") from None
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise ConfigError(f"{path}, line {mark.line + 1}, column {mark.column + 1}: "
                          f"not YAML: {', '.join(filter(None, (error.context, error.problem)))}"
                          ) from None
    except (YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not YAML: {error}") from None


def _allowed_keys(model: Any, location: tuple) -> list[str]:
    """The keys that the spec at `location` (a pydantic error's path) may have."""
    sections = {"data": DataSet, "experiments": Experiment, "train": Train, "verdicts": Verdicts,
                "probe": Probe}
    if not isinstance(model, type) or model is not Params:
        return list(model.model_fields)
    if len(location) <= 1:
        return list(Params.model_fields)
    spec = sections.get(location[0], Params)
    if location[0] == "data" and len(location) > 3 and location[2] == "train":
        spec = Overrides
    return list(spec.model_fields)


#: What is allowed where pydantic finds another type.
_TYPES = {"string_type": "a word", "float_type": "a number", "int_type": "a whole number",
          "int_from_float": "a whole number", "bool_type": "true or false", "list_type": "a list",
          "dict_type": "a mapping", "model_type": "a mapping", "model_attributes_type": "a mapping"}
#: What is allowed where pydantic finds another value, with the fields of its error's context.
_VALUES = {"greater_than_equal": "a number of at least {ge}", "greater_than": "a number above {gt}",
           "less_than_equal": "a number of at most {le}", "less_than": "a number below {lt}",
           "too_short": "at least {min_length} entry", "too_long": "at most {max_length} entry",
           "literal_error": "{expected}", "finite_number": "a finite number"}


def _place(error) -> tuple:
    """Where a mistake is, without pydantic's marks of the alternatives that it tried."""
    return tuple(p for p in error["loc"] if isinstance(p, int) or not (
        re.search(r"[\[(<]", p) or p in ("str", "int", "float", "bool")))


def _shown(value) -> str:
    """A value as YAML shows it, on one short line."""
    if value is None:
        return "nothing"
    text = repr(value) if isinstance(value, str) else json.dumps(value, default=str)
    return text if len(text) <= 80 else text[:79] + "…"


def explain(path: Path | str, model: type[Spec], error: pydantic.ValidationError) -> ConfigError:
    """One message for one mistake: file, place, what was found, what is allowed.

    Of several mistakes an unknown key comes first, because a misspelt key is also a missing one.
    """
    errors = error.errors()
    first = next((e for e in errors if e["type"] == "extra_forbidden"), errors[0])
    # A value of several allowed types gives an error for each; the deepest says most.
    place = _place(first)
    same = [e for e in errors if _place(e)[:len(place)] == place]
    place = max(map(_place, same), key=len)
    same = [e for e in same if _place(e) == place]
    first = next((e for e in same if e["type"] not in _TYPES), same[0])
    if first["type"] == "invalid_key" or first["loc"][-1:] == ("[key]",):
        *place, key = place
        return ConfigError(f"{_where(path, place)}: found the key {_shown(key)}; allowed: words")
    where = _where(path, place)
    if first["type"] == "extra_forbidden":
        allowed = _allowed_keys(model, first["loc"])
        return ConfigError(f"{_where(path, place[:-1])}: unknown key '{place[-1]}'; allowed: "
                           f"{', '.join(allowed)}{nearest(place[-1], allowed)}")
    if first["type"] == "missing":
        return ConfigError(f"{where}: missing; it is required")
    if first["type"] not in _TYPES and first["type"] not in _VALUES:
        return ConfigError(f"{where}: {first['msg'].removeprefix('Value error, ')}")
    if first["type"] in _VALUES:
        wanted = [_VALUES[first["type"]].format(**first["ctx"])]
    else:
        wanted = list(dict.fromkeys(_TYPES[e["type"]] for e in same))
    if first["input"] is None:
        return ConfigError(f"{where}: empty; it needs {' or '.join(wanted)}")
    near = (nearest(first["input"], re.findall(r"'(\w+)'", wanted[0]))
            if first["type"] == "literal_error" else "")
    return ConfigError(f"{where}: found {_shown(first['input'])}; allowed: {' or '.join(wanted)}{near}")


def _where(path: Path | str, place) -> str:
    """`params.yaml: experiments.cnn.layers[0]`."""
    inside = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in place).lstrip(".")
    return f"{path}: {inside}" if inside else str(path)


def validate(path: Path, model: type[Spec], content) -> Any:
    """`content` as a spec; ConfigError names the file and the place of a mistake."""
    if not isinstance(content, dict):
        found = "empty" if content is None else f"found {_shown(content)}"
        raise ConfigError(f"{path}: {found}; it needs a mapping with: "
                          f"{', '.join(model.model_fields)}")
    for key in content:
        if not isinstance(key, str):
            raise ConfigError(f"{path}: found the key {_shown(key)}; allowed: "
                              f"{', '.join(model.model_fields)}")
    try:
        return model(**content)
    except pydantic.ValidationError as error:
        raise explain(path, model, error) from None


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


def complain(error: Exception) -> int:
    """Print a mistake as one message and return the exit code of a failed command."""
    print(f"error: {error}", file=sys.stderr)
    return 1
