"""`params.yaml` as one frozen, validated spec."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from pipeline.config.errors import ConfigError, Spec, gathered, tell, validate
from pipeline.config.experiments import FIRST_SEED, SWEPT, AnyDataSet, Experiment, Groups, Train, merge
from pipeline.config.extends import WrittenData, WrittenExperiment, expand, given_by
from pipeline.config.layer_list import Definition, checked_vocabulary
from pipeline.config.read_yaml import read_yaml
from pipeline.config.references import checked, without
from pipeline.config.sweeps import Variant, variants

PARAMS = Path("params.yaml")


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


class _Written(Spec):
    """The whole of `params.yaml` as a person writes it, but for the entries of `data` and `experiments`."""

    data: Annotated[dict[str, Any], Field(min_length=1)]
    layers: Annotated[dict[str, Definition], AfterValidator(checked_vocabulary)]
    experiments: Annotated[dict[str, Any], Field(min_length=1)]
    train: Train
    verdicts: Verdicts = Verdicts()
    probe: Probe = Probe()
    #: Experiments that are not trained yet, but on a reader's own data; the book says that they are being measured.
    being_measured: list[str] = []
    #: Files with layer classes of one's own, whose names are words then.
    modules: list[str] = []
    #: Group → the experiments that `make ask` tries on a file of one's own.
    ask: dict[str, list[str]] = {}


class Params(_Written):
    """The whole of `params.yaml`."""

    data: Annotated[dict[str, AnyDataSet], Field(min_length=1)]
    experiments: Annotated[dict[str, Experiment], Field(min_length=1)]

    @property
    def controls(self) -> list[str]:
        """The experiments, or variants as `name[variant]`, whose repetitions measure the rule."""
        return self.verdicts.controls

    def data_sets(self, experiment: str) -> list[str]:
        """The names of the data sets that an experiment runs on, in the file's order."""
        return [name for name in self._named(self.experiments[experiment].named) if self._asks(name, experiment)]

    def _asks(self, data: str, experiment: str) -> bool:
        """Whether a data set of one of an experiment's groups wants it; only an own one may not."""
        wanted = self.data[data].experiments
        return wanted is None or data in self.experiments[experiment].named or experiment in {
            one for name in wanted if name in self.experiments
            for one in (name, self.experiments[name].versus)}

    @property
    def groups(self) -> list[str]:
        """The groups of data sets."""
        return list(dict.fromkeys(group for one in self.data.values() for group in one.groups))

    @property
    def own(self) -> list[str]:
        """The names of a reader's own data sets."""
        return [name for name, data in self.data.items() if data.own]

    def plain(self, data: str) -> str | None:
        """The network that most others on a data set come from by changes, with which all there are compared."""
        here = [name for name in self.experiments if data in self.data_sets(name)]
        versus = {name: self.experiments[name].versus for name in here if self.experiments[name].versus in here}
        first = Counter(versus.values())
        for _ in here:  # As far as any chain goes.
            first = Counter(versus.get(name, name) for name in first.elements())
        return next((name for name, _ in first.most_common(1)), next(iter(here), None))

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
        return study_seeds(self.data[data].seeds, self.data[data].first_seed)

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
                         where or f"{PARAMS}: experiments.{experiment}", self.layers, spec.left_out)
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


def study_seeds(count: int, first: int = FIRST_SEED) -> list[int]:
    """So many seeds of the study, from the first one on."""
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


def understood(content, path: Path, found: list[ConfigError]) -> Params | None:
    """What of a params file can be understood: without the experiments that have mistakes, and what rests on them.

    Args:
        content: as YAML gives it; it is not changed.
        found: its mistakes are added here.

    Returns:
        None if too little is left: of the sections, the data sets and the modules, none may have a mistake.
    """
    written = None
    with gathered(found):
        written = validate(path, _Written, content)
    entries: dict[str, dict] = {}
    for section, model in (("data", WrittenData), ("experiments", WrittenExperiment)):
        given = content.get(section) if isinstance(content, dict) else None
        entries[section] = dict.fromkeys(given if isinstance(given, dict) else ())
        for name in entries[section]:
            with gathered(found):
                entries[section][name] = validate(path, model, given[name], (section, name))
    if written is None or None in entries["data"].values():
        return None
    made = expand(entries["data"], entries["experiments"], written.layers, path, found)
    if made["data"].keys() != entries["data"].keys() or not made["experiments"]:
        return None
    params = validate(path, Params, given_by(written) | made)
    wrong = entries["experiments"].keys() - made["experiments"].keys()
    return checked(without(params, wrong), path, found, whole=not wrong)


def parse(content, path: Path = PARAMS) -> Params:
    """The content of a params file as a spec.

    Args:
        content: as YAML gives it; it is not changed.
        path: the file's name, for messages.

    Raises:
        ConfigError: each mistake in a line that names the file, the place and what is allowed.
    """
    found: list[ConfigError] = []
    params = understood(content, path, found)
    tell(found)
    return params


def load(path: Path = PARAMS) -> Params:
    """`params.yaml` as a spec.

    Raises:
        ConfigError: each mistake in a line that names the file, the place and what is allowed.
    """
    return parse(read_yaml(Path(path)), Path(path))
