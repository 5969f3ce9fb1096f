"""`params.yaml` as one frozen, validated spec."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

import pydantic
from pydantic import Field

from pipeline.config.errors import ConfigError, Spec, explain, nearest, read_yaml, shown, validate
from pipeline.config.experiments import SWEPT, AnyDataSet, Experiment, Groups, Train, merge
from pipeline.config.data_files import FileSource
from pipeline.config.layer_list import Layer, Variant, variants
from pipeline.config.extends import WrittenData, WrittenExperiment, expand, given_by

PARAMS = Path("params.yaml")
#: Names become the names of files and of stages, and stand on command lines.
NAME = re.compile(r"[a-z0-9_]{1,100}\Z")
WORD = re.compile(r"[A-Za-z0-9_]{1,100}\Z")


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
    #: The groups or data sets on which they are watched; without it, all of an experiment's.
    data: Groups | None = None
    experiments: list[str] = []


class Params(Spec):
    """The whole of `params.yaml`."""

    data: Annotated[dict[str, AnyDataSet], Field(min_length=1)]
    layers: dict[str, Layer]
    experiments: Annotated[dict[str, Experiment], Field(min_length=1)]
    train: Train
    verdicts: Verdicts = Verdicts()
    probe: Probe = Probe()
    #: Experiments that are not trained yet, but on a reader's own data; the book says that they are being measured.
    being_measured: list[str] = []
    #: Files with layer classes of one's own, whose names are words then.
    modules: list[str] = []
    #: Group → the experiments that `make ask` tries on a file of one's own.
    ask: dict[str, list[str]] = {}

    @property
    def controls(self) -> list[str]:
        """The experiments, or variants as `name[variant]`, whose repetitions measure the rule."""
        return self.verdicts.controls

    def data_sets(self, experiment: str) -> list[str]:
        """The names of the data sets that an experiment runs on, in the file's order."""
        return [name for name in self._named(self.experiments[experiment].data) if self._asks(name, experiment)]

    def _asks(self, data: str, experiment: str) -> bool:
        """Whether a data set of one of an experiment's groups wants it; only an own one may not."""
        wanted, named = self.data[data].experiments, self.experiments[experiment].data
        return wanted is None or data in ([named] if isinstance(named, str) else named) or experiment in {
            one for name in wanted if name in self.experiments
            for one in (name, self.experiments[name].versus)}

    @property
    def own(self) -> list[str]:
        """The names of a reader's own data sets."""
        return [name for name, data in self.data.items() if data.own]

    def _named(self, wanted: str | list[str]) -> list[str]:
        """The data sets that are named, or belong to a group that is."""
        wanted = {wanted} if isinstance(wanted, str) else set(wanted)
        return [name for name, data in self.data.items() if wanted.intersection((name, *data.groups))]

    def watched(self, experiment: str) -> list[str]:
        """The data sets on which the probe watches an experiment; a reader's own are none of them."""
        mine = self.data_sets(experiment)
        wanted = mine if self.probe.data is None else self._named(self.probe.data)
        return [name for name in mine if name in wanted and not self.data[name].own]

    def seeds(self, data: str) -> list[int]:
        """Every seed that a data set may be asked for."""
        return study_seeds(self.data[data].seeds)

    def training(self, experiment: str, data: str, **varied) -> Train:
        """The training values of an experiment on a data set; the most special one wins."""
        return merge(self.train, self.data[data].train, self.experiments[experiment], **varied)

    def sweep(self, experiment: str, where: str = "") -> list[Variant]:
        """An experiment's variants, then those of them that only measure the rule.

        Args:
            where: the file and the experiment, for messages.

        Raises:
            ConfigError: its `vary` cannot be followed.
        """
        spec = self.experiments[experiment]
        found = variants(spec.layers, spec.vary, spec.everywhere, SWEPT,
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
    return list(range(3_000, 3_000 + count))


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


class _Written(Spec):
    """The whole of `params.yaml` as a person writes it."""

    data: Annotated[dict[str, WrittenData], Field(min_length=1)]
    layers: dict[str, Layer]
    experiments: Annotated[dict[str, WrittenExperiment], Field(min_length=1)]
    train: Train
    verdicts: Verdicts = Verdicts()
    probe: Probe = Probe()
    being_measured: list[str] = []
    modules: list[str] = []
    ask: dict[str, list[str]] = {}


# Names that must exist

def _require(ok: bool, path: Path, place: str, message: str, found: str = "", allowed=()) -> None:
    """ConfigError unless `ok`; of what is allowed, the message ends with the word nearest to `found`."""
    if not ok:
        raise ConfigError(f"{path}: {place}: {message}{nearest(found, allowed)}")


def _check_training(path: Path, place: str, *values: Spec, **varied) -> None:
    """Training values fit together when later ones override earlier ones."""
    try:
        merge(*values, **varied)
    except pydantic.ValidationError as error:
        raise explain(f"{path}: {place}", Train, error) from None


def _check_names(params: Params, path: Path) -> None:
    for section in ("data", "experiments"):
        for name in getattr(params, section):
            _require(bool(NAME.match(name)), path, f"{section}.{name}",
                     "a name may have lower-case letters, digits and _ only, at most 100")
    for name, data in params.data.items():
        for group in data.groups:
            _require(bool(NAME.match(group)), path, f"data.{name}.group",
                     f"found {shown(group)}; allowed: lower-case letters, digits and _, at most 100")
    for word in params.layers:
        _require(bool(WORD.match(word)), path, f"layers.{word}",
                 "a word may have letters, digits and _ only, at most 100")
    clash = {group for d in params.data.values() for group in d.groups} & set(params.data)
    _require(not clash, path, "data",
             f"a group and a data set share the name '{', '.join(sorted(clash))}'")


def _check_own(params: Params, path: Path, name: str) -> None:
    """An own data set is a file, in a group of the study, and asks for experiments that there are."""
    entry, place = params.data[name], f"data.{name}"
    _require(entry.own or entry.experiments is None, path, f"{place}.experiments",
             "found without own; allowed: own: true beside it; the study's own data sets get all experiments")
    if not entry.own:
        return
    _require(isinstance(entry, FileSource), path, f"{place}.own",
             "found true without a file; allowed: a data set that is a `file`")
    _require(not entry.unit, path, f"{place}.unit",
             f"found '{entry.unit}' beside own; allowed: no unit, because no average counts an own data set")
    # A misspelt group would be a new one, of which no experiment knows.
    known = list(dict.fromkeys(group for one in params.data.values() if not one.own for group in one.groups))
    asked = {word for one in params.experiments.values()
             for word in ([one.data] if isinstance(one.data, str) else one.data)}
    for group in entry.groups:
        _require(group in known or bool(asked & {group, name}), path, f"{place}.group",
                 f"unknown group '{group}'; groups: {', '.join(known)}", group, known)
    at_hand = [one for one, spec in params.experiments.items()
               if {name, *entry.groups}.intersection([spec.data] if isinstance(spec.data, str) else spec.data)]
    for number, one in enumerate(entry.experiments or ()):
        _require(one in at_hand, path, f"{place}.experiments[{number}]",
                 (f"'{one}' does not run on the group '{entry.group}'" if one in params.experiments else
                  f"there is no experiment '{one}'")
                 + f"; allowed: those of its groups, {', '.join(at_hand[:12])}"
                 f"{', …' if len(at_hand) > 12 else ''}", one, at_hand)
        _require(entry.experiments.count(one) == 1, path, f"{place}.experiments",
                 f"'{one}' stands twice; an experiment may stand once")
    _require(bool(at_hand), path, f"{place}.group", f"no experiment runs on '{entry.group}'; allowed: "
             f"{', '.join(known)}", entry.group, known)


def _check_groups(params: Params, path: Path, place: str, words: str | list[str]) -> None:
    """Each word is a group or a data set."""
    groups = list(dict.fromkeys(group for d in params.data.values() for group in d.groups))
    known = groups + list(params.data)
    for word in [words] if isinstance(words, str) else words:
        _require(word in known, path, place, f"unknown group or data set '{word}'; "
                 f"groups: {', '.join(groups)}; data sets: {', '.join(params.data)}", word, known)


def _check_data(params: Params, path: Path, name: str) -> None:
    """An experiment's data sets exist, and its training values fit together on each."""
    experiment, place = params.experiments[name], f"experiments.{name}"
    _check_groups(params, path, f"{place}.data", experiment.data)
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


def _check_modules(params: Params, path: Path) -> None:
    """Files with layer classes stand in the project and are Python's."""
    for number, file in enumerate(params.modules):
        place = f"modules[{number}]"
        _require(not file.startswith("/") and not {"", ".", ".."} & set(file.split("/")) and ":" not in file,
                 path, place, f"found '{file}'; allowed: a path inside the project, such as my_layers.py")
        _require(file.endswith(".py"), path, place, f"found '{file}'; allowed: a file that ends in .py")
        _require(params.modules.count(file) == 1, path, place, f"'{file}' stands twice; a file may stand once")
        beside = [str(one.relative_to(path.parent)) for one in (path.parent / file).parent.glob("*.py")]
        _require((path.parent / file).is_file(), path, place, f"found '{file}'; there is no such file", file, beside)


def _check_references(params: Params, path: Path) -> None:
    """Every name that points at another entry points at one that exists and fits."""
    _check_names(params, path)
    _check_modules(params, path)
    for name, data in params.data.items():
        _check_training(path, f"data.{name}.train", params.train, data.train)
        _require(bool(data.unit) or not data.stratum, path, f"data.{name}.stratum",
                 "found without a unit; allowed: a data set of a family, which has a unit")
        _check_own(params, path, name)
    for name in params.experiments:
        _check_data(params, path, name)
    for name in params.experiments:
        _check_versus(params, path, name)
    for control in params.controls:
        _check_control(params, path, control)
    _check_groups(params, path, "probe.data", params.probe.data or [])
    asked = {f"ask.{group}": names for group, names in params.ask.items()}
    for group in params.ask:
        _check_groups(params, path, "ask", group)
    for place, listed in (("probe.experiments", params.probe.experiments),
                          ("being_measured", params.being_measured), *asked.items()):
        for name in listed:
            _require(name in params.experiments, path, place,
                     f"there is no experiment '{name}'", name, params.experiments)
            _require(listed.count(name) == 1, path, place,
                     f"'{name}' stands twice; an experiment may stand once")


def parse(content, path: Path = PARAMS) -> Params:
    """The content of a params file as a spec.

    Args:
        content: as YAML gives it; it is not changed.
        path: the file's name, for messages.

    Raises:
        ConfigError: with one message that names the file, the place and what is allowed.
    """
    written = validate(path, _Written, content)
    params = validate(path, Params, given_by(written) | expand(written.data, written.experiments, path))
    _check_references(params, path)
    return params


def load(path: Path = PARAMS) -> Params:
    """`params.yaml` as a spec.

    Raises:
        ConfigError: with one message that names the file, the place and what is allowed.
    """
    return parse(read_yaml(Path(path)), Path(path))
