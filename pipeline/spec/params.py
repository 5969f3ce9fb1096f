"""`params.yaml` as frozen, validated specs, every chain of `of` written out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import pydantic
from pydantic import Field

from pipeline.spec.base import ConfigError, Spec, explain, nearest, read_yaml, validate
from pipeline.spec.layers import (
    Block, Change, Item, Layer, Scalar, Variant, changed, checked_argument, flat, variants)

PARAMS = Path("params.yaml")
NAME = re.compile(r"[a-z0-9_]+\Z")
WORD = re.compile(r"[A-Za-z0-9_]+\Z")
#: No epochs, samples of a batch or rates beyond these were meant.
Count = Annotated[int, Field(ge=1, le=100_000)]
Rate = Annotated[float, Field(gt=0, le=1_000, allow_inf_nan=False)]
#: Fewer than lie between the first study seed and the first tuning seed.
Seeds = Annotated[int, Field(ge=1, le=8_000)]
Optimizer = str | Annotated[dict[str, dict[str, Scalar]], Field(min_length=1, max_length=1)]


class Train(Spec):
    """How a network is trained. A data set or an experiment may override any value."""

    epochs: Count
    batch_size: Count
    optimizer: Optimizer
    #: The default rate, and the grid that is searched (extended if a choice is at its edge).
    learning_rate: Rate
    learning_rates: Annotated[list[Rate], Field(min_length=1)]
    tuning_seeds: Annotated[int, Field(ge=2, le=10_000)]
    #: 'standard': inputs standardised with training statistics; 'none': as they are.
    scaling: Literal["standard", "none"] = "standard"
    #: The share of the training split that is used.
    train_fraction: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)] = 1.0
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
    if "learning_rate" in varied:  # A rate that is swept is not searched for.
        varied["learning_rates"] = [varied["learning_rate"]]
    return Train(**(values | varied))


class DataSet(Spec):
    """One data set: its source, the source's arguments, its group, its number of study seeds."""

    group: str
    source: str
    seeds: Seeds
    arguments: dict[str, Scalar | list[Scalar]] = {}
    train: Overrides = Overrides()
    title: str = ""
    #: The data set that this one is a change of.
    of: str | None = None


class _WrittenData(Spec):
    """A data set as a person writes it: whole, or as a change of another."""

    of: str | None = None
    group: str | None = None
    source: str | None = None
    seeds: Seeds | None = None
    arguments: dict[str, Scalar | list[Scalar]] | None = None
    train: Overrides | None = None
    title: str = ""


_Groups = str | Annotated[list[str], Field(min_length=1)]
_Head = str | Annotated[list[Layer], Field(min_length=1)]
_Vary = Annotated[dict[str, Annotated[list[Scalar], Field(min_length=1)]], Field(min_length=1)]
_Blocks = Annotated[dict[str, Block], Field(min_length=1)]


class Experiment(Overrides):
    """One experiment: a list of layers in the network's order, and what it is compared with."""

    #: A group, a data set, or a list of them.
    data: _Groups
    #: The whole list; of an `everywhere` experiment, the one into which its layers are put.
    layers: Annotated[list[Layer], Field(min_length=1)]
    versus: str | None = None
    #: The output's activation, or the layers that follow the output's linear layer.
    head: _Head | None = None
    #: Values to sweep: a training value, or `word.argument` of a layer in `layers`.
    vary: _Vary | None = None
    title: str = ""
    note: str = ""
    #: The experiment that this one is a change of, and how it changes that one's list.
    of: str | None = None
    changes: tuple[Change, ...] = ()
    #: Layers to put in at every place of the list, one place after the other: a sweep over places.
    everywhere: list[Layer] | None = None


class _WrittenExperiment(Overrides):
    """An experiment as a person writes it: a list of layers, or a change of another experiment."""

    of: str | None = None
    data: _Groups | None = None
    layers: Annotated[list[Item], Field(min_length=1)] | None = None
    without: str | Annotated[list[str], Field(min_length=1)] | None = None
    replace: _Blocks | None = None
    set: Annotated[dict[str, Any], Field(min_length=1)] | None = None
    before: _Blocks | None = None
    after: _Blocks | None = None
    everywhere: Block | None = None
    versus: str | None = None
    head: _Head | None = None
    vary: _Vary | None = None
    title: str = ""
    note: str = ""

    @pydantic.field_validator("set")
    @classmethod
    def _arguments(cls, given):
        for place, value in (given or {}).items():
            try:
                checked_argument(value)
            except ValueError as error:
                raise ValueError(f"{place}: {error}") from None
        return given


class Verdicts(Spec):
    """Constants of the rule that a person may change, and the arms that measure the rule."""

    confidence: Annotated[float, Field(gt=0, lt=1, allow_inf_nan=False)] = 0.95
    #: The smallest relative change of an error that counts.
    margin: Annotated[float, Field(gt=0, lt=1, allow_inf_nan=False)] = 0.10
    #: Experiments, or variants as `name[batch_size=32]`, that are trained twice more to measure the
    #: rule: from another start, and on half the data.
    controls: list[str] = []


class Probe(Spec):
    """Which experiments have their layers measured while they train, and on how many study seeds."""

    #: The rule counts no measure of fewer seeds.
    seeds: Annotated[int, Field(ge=10, le=8_000)] = 10
    experiments: list[str] = []


class Params(Spec):
    """The whole of `params.yaml`."""

    data: Annotated[dict[str, DataSet], Field(min_length=1)]
    layers: dict[str, Layer]
    experiments: Annotated[dict[str, Experiment], Field(min_length=1)]
    train: Train
    verdicts: Verdicts = Verdicts()
    probe: Probe = Probe()

    @property
    def controls(self) -> list[str]:
        """The experiments, or variants as `name[variant]`, whose repetitions measure the rule."""
        return self.verdicts.controls

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

    def sweep(self, experiment: str, where: str = "") -> list[Variant]:
        """An experiment's variants, then those of them that only measure the rule.

        Args:
            where: the file and the experiment, for messages.

        Raises:
            ConfigError: its `vary` cannot be followed.
        """
        spec = self.experiments[experiment]
        found = variants(spec.layers, spec.vary, spec.everywhere, tuple(Train.model_fields),
                         where or f"{PARAMS}: experiments.{experiment}")
        controls = [control.partition("[")[2].removesuffix("]") for control in self.controls
                    if control.partition("[")[0] == experiment]
        return found + [
            Variant(f"{one.name},{key}={value}".lstrip(","), {**one.values, key: value}, one.layers,
                    {**one.training, key: value}, measuring=True)
            for control in controls for one in found if one.name == control
            for key, value in MEASURING.values()]

    def variants(self, experiment: str, measuring: bool = False) -> dict[str, dict[str, Any]]:
        """Label -> the values that a variant of an experiment is swept over, key -> value.

        Without a sweep the only label is empty. Of `everywhere`, the key is `place`.

        Args:
            measuring: whether to list also the variants that only measure the rule.
        """
        return {one.name: dict(one.values) for one in self.sweep(experiment)
                if measuring or not one.measuring}


def study_seeds(count: int) -> list[int]:
    """Seeds of the study. Lower ones were looked at while the pipeline was made, and never count."""
    return list(range(2_000, 2_000 + count))


def tuning_seeds(count: int, repetition: int) -> list[int]:
    """Seeds that only choose learning rates: shared by all experiments, never study seeds."""
    first = 10_000 * (1 + repetition)
    return list(range(first, first + count))


#: What a control is trained with once more, to measure the rule: kind -> training value.
MEASURING = {"A/A": ("repetition", 1), "half the data": ("train_fraction", 0.5)}


def control_arms(control: str) -> dict[str, str]:
    """Kind of measurement -> the variant of a control that makes it.

    `cnn_lstm` has `{"A/A": "cnn_lstm[repetition=1]", "half the data": "cnn_lstm[train_fraction=0.5]"}`.
    """
    name, _, variant = control.partition("[")
    inside = [variant.removesuffix("]")] if variant else []
    return {kind: f"{name}[{','.join([*inside, f'{key}={value}'])}]"
            for kind, (key, value) in MEASURING.items()}


# What is written → what is meant

class _Written(Spec):
    """The whole of `params.yaml` as a person writes it."""

    data: Annotated[dict[str, _WrittenData], Field(min_length=1)]
    layers: dict[str, Layer]
    experiments: Annotated[dict[str, _WrittenExperiment], Field(min_length=1)]
    train: Train
    verdicts: Verdicts = Verdicts()
    probe: Probe = Probe()


def _bases_first(entries: Mapping[str, Any], path: Path, section: str) -> list[str]:
    """The names of a section, each behind the one that it is a change of.

    Raises:
        ConfigError: an `of` that names nothing, or leads back to where it began.
    """
    found: dict[str, None] = {}
    for name in entries:
        chain = []
        while name is not None and name not in found:
            if name in chain:
                circle = " → ".join([*chain[chain.index(name):], name])
                raise ConfigError(f"{path}: {section}.{chain[-1]}.of: it leads back: {circle}; allowed: "
                                  "a chain that ends at an entry without of")
            chain.append(name)
            name = entries[name].of
            _require(name is None or name in entries, path, f"{section}.{chain[-1]}.of",
                     f"there is no '{name}' in {section}", name, entries)
        found |= dict.fromkeys(reversed(chain))
    return list(found)


def _given(spec: Spec) -> dict[str, Any]:
    """What a spec says itself."""
    return {name: getattr(spec, name) for name in spec.model_fields_set}


def _over(base: dict[str, Any], own: dict[str, Any], reset: bool) -> dict[str, Any]:
    """Values of a base under one's own; with `reset`, an own value that is null is the default again."""
    found = base | own
    return {k: v for k, v in found.items() if v is not None} if reset else found


def _data_set(written: _WrittenData, base: DataSet | None, path: Path, name: str) -> DataSet:
    own, inherited = _given(written), _given(base) if base else {}
    inherited.pop("title", None)
    if own.get("source", inherited.get("source")) != inherited.get("source"):
        inherited.pop("arguments", None)  # They are the other source's.
    found = _over(inherited, own, base is not None) | {"of": written.of}
    if base and written.arguments and "arguments" in inherited:
        found["arguments"] = _over(base.arguments, written.arguments, True)
    if base and written.train and "train" in inherited:
        found["train"] = Overrides(**_over(_given(base.train), _given(written.train), True))
    return validate(path, DataSet, found, ("data", name))


_CHANGES = ("without", "replace", "set", "before", "after")


def _changes(written: _WrittenExperiment, path: Path, place: str) -> tuple[Change, ...]:
    """The elementary changes that an experiment writes, in their order."""
    asked = [kind for kind in _CHANGES if getattr(written, kind) is not None]
    if asked and written.of is None:
        raise ConfigError(f"{path}: {place}: found {asked[0]} without of; allowed: of, with the experiment "
                          "whose list is changed")
    if asked and written.layers is not None:
        raise ConfigError(f"{path}: {place}: found layers and {asked[0]}; allowed: a list of layers, or "
                          f"changes of the list of '{written.of}'")
    if written.of is not None and written.layers is not None:
        return (Change(kind="layers", value=flat(written.layers)),)
    found = []
    for kind in asked:
        given = getattr(written, kind)
        if kind == "without":
            given = dict.fromkeys([given] if isinstance(given, str) else given)
        found += [Change(kind=kind, place=place, value=value) for place, value in given.items()]
    return tuple(found)


#: What an experiment does not take over from the one that it is a change of.
_OWN = ("title", "note", "versus", "of", "changes", "everywhere")


def _experiment(written: _WrittenExperiment, base: Experiment | None, path: Path, name: str) -> Experiment:
    place = f"experiments.{name}"
    changes = _changes(written, path, place)
    own = {k: v for k, v in _given(written).items() if k not in _CHANGES}
    inherited = {k: v for k, v in _given(base).items() if k not in _OWN} if base else {}
    found = _over(inherited, own, base is not None)
    if base:
        found["layers"] = changed(base.layers, changes, f"{path}: {place}")
        found["versus"] = own.get("versus", written.of)
    elif written.layers is not None:
        found["layers"] = changed([], [Change(kind="layers", value=flat(written.layers))],
                                  f"{path}: {place}")
    return validate(path, Experiment, found | {"of": written.of, "changes": changes}, ("experiments", name))


def _expand(written: _Written, path: Path) -> Params:
    """Every entry with all that it takes over from the one that it is a change of."""
    made: dict[str, dict] = {}
    for section, make in (("data", _data_set), ("experiments", _experiment)):
        entries, found = getattr(written, section), {}
        for name in _bases_first(entries, path, section):
            found[name] = make(entries[name], found.get(entries[name].of), path, name)
        made[section] = {name: found[name] for name in entries}
    return validate(path, Params, _given(written) | made)


# Names that must exist

def _require(ok: bool, path: Path, place: str, message: str, found: str = "", allowed=()) -> None:
    """ConfigError unless `ok`; of what is allowed, the message ends with the word nearest to `found`."""
    if not ok:
        raise ConfigError(f"{path}: {place}: {message}{nearest(found, allowed)}")


def _check_training(path: Path, place: str, *values: Spec, **varied) -> None:
    """Training values fit together when later ones override earlier ones."""
    try:
        _merge(*values, **varied)
    except pydantic.ValidationError as error:
        raise explain(f"{path}: {place}", Train, error) from None


def _check_names(params: Params, path: Path) -> None:
    for section in ("data", "experiments"):
        for name in getattr(params, section):
            _require(bool(NAME.match(name)), path, f"{section}.{name}",
                     "a name may have lower-case letters, digits and _ only")
    for word in params.layers:
        _require(bool(WORD.match(word)), path, f"layers.{word}",
                 "a word may have letters, digits and _ only")
    clash = {d.group for d in params.data.values()} & set(params.data)
    _require(not clash, path, "data",
             f"a group and a data set share the name '{', '.join(sorted(clash))}'")


def _check_data(params: Params, path: Path, name: str) -> None:
    """An experiment's data sets exist, and its training values fit together on each."""
    experiment, place = params.experiments[name], f"experiments.{name}"
    groups = list(dict.fromkeys(d.group for d in params.data.values()))
    known = groups + list(params.data)
    for word in [experiment.data] if isinstance(experiment.data, str) else experiment.data:
        _require(word in known, path, f"{place}.data", f"unknown group or data set '{word}'; "
                 f"groups: {', '.join(groups)}; data sets: {', '.join(params.data)}", word, known)
    swept = [one.training for one in params.sweep(name, f"{path}: {place}")]
    for data in params.data_sets(name):
        values = params.train, params.data[data].train, experiment
        _check_training(path, f"{place}: on data set '{data}'", *values)
        for training in swept:
            _check_training(path, f"{place}.vary", *values, **training)


def _check_versus(params: Params, path: Path, name: str) -> None:
    """What an experiment is compared with exists, and can be compared with it."""
    other, place = params.experiments[name].versus, f"experiments.{name}.versus"
    if other is None:
        return
    _require(other in params.experiments, path, place,
             f"there is no experiment '{other}'; allowed: any other experiment", other, params.experiments)
    _require(other != name, path, place, "an experiment cannot be its own control")
    mine, its = params.data_sets(name), params.data_sets(other)
    _require(bool(set(mine) & set(its)), path, place,
             f"'{other}' runs on {', '.join(its)} and shares no data set with '{name}', which runs on "
             f"{', '.join(mine)}")
    theirs = params.variants(other)
    lone = [label for label in params.variants(name) if label not in theirs and list(theirs) != [""]]
    _require(not lone, path, place, f"'{other}' has no variant '{lone[0] if lone else ''}'; it has: "
             f"{', '.join(theirs)}; allowed: an experiment with the same variants, or without any")


def _check_control(params: Params, path: Path, control: str) -> None:
    """A control is one network, trained as it is on all the data."""
    place, (name, _, variant) = "verdicts.controls", control.partition("[")
    _require(name in params.experiments, path, place,
             f"there is no experiment '{name}'", name, params.experiments)
    known = [f"{name}[{label}]" if label else name for label in params.variants(name)]
    _require(control in known, path, place,
             f"found '{control}'; allowed: {', '.join(known)}", control, known)
    _require(params.controls.count(control) == 1, path, place,
             f"'{control}' stands twice; a control may stand once")
    swept = params.variants(name)[variant.removesuffix("]")]
    for data in params.data_sets(name):
        train = params.training(name, data)
        for key, value in (("repetition", 0), ("train_fraction", 1.0)):
            _require(key not in swept and getattr(train, key) == value, path, place,
                     f"'{control}' sets {key} itself; allowed: a network that is trained on all the "
                     "data, and not a repetition")


def _check_references(params: Params, path: Path) -> None:
    """Every name that points at another entry points at one that exists and fits."""
    _check_names(params, path)
    for name, data in params.data.items():
        _check_training(path, f"data.{name}.train", params.train, data.train)
    for name in params.experiments:
        _check_data(params, path, name)
    for name in params.experiments:
        _check_versus(params, path, name)
    for control in params.controls:
        _check_control(params, path, control)
    probed = params.probe.experiments
    for name in probed:
        _require(name in params.experiments, path, "probe.experiments",
                 f"there is no experiment '{name}'", name, params.experiments)
        _require(probed.count(name) == 1, path, "probe.experiments",
                 f"'{name}' stands twice; an experiment may stand once")


def parse(content, path: Path = PARAMS) -> Params:
    """The content of a params file as a spec.

    Args:
        content: as YAML gives it; it is not changed.
        path: the file's name, for messages.

    Raises:
        ConfigError: with one message that names the file, the place and what is allowed.
    """
    params = _expand(validate(path, _Written, content), path)
    _check_references(params, path)
    return params


def load(path: Path = PARAMS) -> Params:
    """`params.yaml` as a spec.

    Raises:
        ConfigError: with one message that names the file, the place and what is allowed.
    """
    return parse(read_yaml(Path(path)), Path(path))
