"""Names in `params.yaml` that must be those of something, and values that must fit together."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pydantic

from pipeline.config.data_files import FileSource
from pipeline.config.errors import ConfigError, Spec, explain, gathered, nearest, shown
from pipeline.config.experiments import WAYS, Train, merge

if TYPE_CHECKING:
    from pipeline.config.schema import Params

#: Names become the names of files and of stages, and stand on command lines.
NAME = re.compile(r"[a-z0-9_]{1,100}\Z")
WORD = re.compile(r"[A-Za-z0-9_]{1,100}\Z")


# Each check gives its mistakes as texts that begin with their place.

def _training(place: str, *values: Spec, **varied) -> Iterator[str]:
    """Training values fit together when later ones override earlier ones."""
    try:
        merge(*values, **varied)
    except pydantic.ValidationError as error:
        yield from map(str, explain(place, Train, error).each)


def _twice(place: str, names: Collection[str], what: str) -> Iterator[str]:
    yield from (f"{place}: '{name}' stands twice; {what} may stand once"
                for name in dict.fromkeys(names) if list(names).count(name) > 1)


def _there(params: Params, place: str, names: Iterable[str]) -> Iterator[str]:
    """Each name is that of an experiment."""
    yield from (f"{place}: there is no experiment '{name}'{nearest(name, params.experiments)}"
                for name in names if name not in params.experiments)


def _groups(params: Params, place: str, words: str | list[str]) -> Iterator[str]:
    """Each word is a group or a data set."""
    groups = params.groups
    yield from (f"{place}: there is no group or data set '{word}'; groups: {', '.join(groups)}"
                f"{nearest(word, [*groups, *params.data])}"
                for word in ([words] if isinstance(words, str) else words) if word not in {*groups, *params.data})


def _names(params: Params) -> Iterator[str]:
    allowed = "may have lower-case letters, digits and _ only, at most 100"
    for section in ("data", "experiments"):
        yield from (f"{section}.{name}: a name {allowed}" for name in getattr(params, section) if not NAME.match(name))
    for name, data in params.data.items():
        yield from (f"data.{name}.group: found {shown(group)}; a group {allowed}"
                    for group in data.groups if not NAME.match(group))
    yield from (f"layers.{word}: a word may have letters, digits and _ only, at most 100"
                for word in params.layers if not WORD.match(word))
    yield from (f"data: a group and a data set share the name '{name}'" for name in params.groups if name in params.data)


def _modules(params: Params, path: Path) -> Iterator[str]:
    """Files with layer classes stand in the project and are Python's."""
    for number, file in enumerate(params.modules):
        place = f"modules[{number}]: found '{file}'"
        if file.startswith("/") or {"", ".", ".."} & set(file.split("/")) or ":" in file:
            yield f"{place}; allowed: a path inside the project, such as my_layers.py"
        elif not file.endswith(".py"):
            yield f"{place}; allowed: a file that ends in .py"
        elif not (path.parent / file).is_file():
            beside = [str(one.relative_to(path.parent)) for one in (path.parent / file).parent.glob("*.py")]
            yield f"{place}; there is no such file{nearest(file, beside)}"
    yield from _twice("modules", params.modules, "a file")


def _lists(params: Params) -> Iterator[str]:
    """What is said of experiments elsewhere names some that there are, each once."""
    yield from _groups(params, "probe.data", params.probe.data or [])
    yield from _groups(params, "ask", [*params.ask])
    for place, listed in (("probe.experiments", params.probe.experiments), ("being_measured", params.being_measured),
                          *((f"ask.{group}", names) for group, names in params.ask.items())):
        yield from _there(params, place, listed)
        yield from _twice(place, listed, "an experiment")
    yield from _twice("verdicts.controls", params.controls, "a control")
    for name in set(params.probe.experiments) & params.experiments.keys():
        ways = {way for data in params.watched(name) for way in WAYS if getattr(params.training(name, data), way)}
        if ways:
            yield f"probe.experiments: '{name}' has {min(ways)}; allowed: what trains by the usual loss, at one rate"


def _data_set(params: Params, name: str) -> Iterator[str]:
    entry = params.data[name]
    yield from _training(f"data.{name}.train", params.train, entry.train)
    if entry.stratum and not entry.unit:
        yield f"data.{name}.stratum: found without a unit; allowed: a data set of a family, which has a unit"


def _own(params: Params, name: str) -> Iterator[str]:
    """An own data set is a file, in a group of the study, and asks for experiments that there are."""
    entry, place = params.data[name], f"data.{name}"
    if not entry.own:
        if entry.experiments is not None:
            yield (f"{place}.experiments: found without own; allowed: own: true beside it; the study's own data sets "
                   "get all experiments")
        return
    if not isinstance(entry, FileSource):
        yield f"{place}.own: found true without a file; allowed: a data set that is a `file`"
    if entry.unit:
        yield (f"{place}.unit: found '{entry.unit}' beside own; allowed: no unit, because no average counts an own data "
               "set")
    # A misspelt group would be a new one, of which no experiment knows.
    known = list(dict.fromkeys(group for one in params.data.values() if not one.own for group in one.groups))
    at_hand = [one for one, spec in params.experiments.items() if {name, *entry.groups}.intersection(spec.named)]
    asked = {word for one in params.experiments.values() for word in one.named}
    unknown = [group for group in entry.groups if group not in known and not asked & {group, name}]
    yield from (f"{place}.group: unknown group '{group}'; groups: {', '.join(known)}{nearest(group, known)}"
                for group in unknown)
    if not at_hand and not unknown:
        yield (f"{place}.group: no experiment runs on '{entry.group}'; allowed: {', '.join(known)}"
               f"{nearest(entry.group, known)}")
    for number, one in enumerate(entry.experiments or ()):
        if one not in at_hand:
            there = (f"'{one}' does not run on the group '{entry.group}'" if one in params.experiments else
                     f"there is no experiment '{one}'")
            yield (f"{place}.experiments[{number}]: {there}; allowed: those of its groups, {', '.join(at_hand[:12])}"
                   f"{', …' if len(at_hand) > 12 else ''}{nearest(one, at_hand)}")
    yield from _twice(f"{place}.experiments", entry.experiments or (), "an experiment")


def _data(params: Params, name: str) -> Iterator[str]:
    """An experiment's data sets exist, and its training values fit together on each."""
    experiment, place = params.experiments[name], f"experiments.{name}"
    yield from _groups(params, f"{place}.data", experiment.data)
    swept = [one.training for one in params.sweep(name)]
    for data in params.data_sets(name):
        values = params.train, params.data[data].train, experiment
        yield from _training(f"{place}: on data set '{data}'", *values)
        for training in swept:
            yield from _training(f"{place}.vary", *values, **training)


def _versus(params: Params, name: str) -> Iterator[str]:
    """What an experiment is compared with exists, and can be compared with it."""
    other, place = params.experiments[name].versus, f"experiments.{name}.versus"
    if other is None:
        return
    if other == name:
        yield f"{place}: an experiment cannot be its own control"
    elif other not in params.experiments:
        yield from _there(params, place, [other])
    elif not {*params.data_sets(name)} & {*params.data_sets(other)}:
        mine, its = (", ".join(params.experiments[one].named) for one in (name, other))
        yield f"{place}: '{other}' runs on {its} and shares no data set with '{name}', which runs on {mine}"
    else:
        theirs = params.variants(other)
        lone = [label for label in params.variants(name) if label not in theirs and list(theirs) != [""]]
        if lone:
            yield (f"{place}: '{other}' has no variant '{lone[0]}'; it has: {', '.join(theirs)}; allowed: an experiment "
                   "with the same variants, or without any")


def _control(params: Params, control: str) -> Iterator[str]:
    """A control is one network, trained as it is on all the data."""
    place, (name, _, variant) = "verdicts.controls", control.partition("[")
    if name not in params.experiments:
        yield from _there(params, place, [name])
        return
    known = [f"{name}[{label}]" if label else name for label in params.variants(name)]
    if control not in known:
        yield f"{place}: found '{control}'; allowed: {', '.join(known)}{nearest(control, known)}"
        return
    swept = params.variants(name)[variant.removesuffix("]")]
    trained = [params.training(name, data) for data in params.data_sets(name)]
    for key, value in (("repetition", 0), ("train_fraction", 1.0)):
        if key in swept or any(getattr(train, key) != value for train in trained):
            yield (f"{place}: '{control}' sets {key} itself; allowed: a network that is trained on all the data, and "
                   "not a repetition")


def without(params: Params, wrong: set[str]) -> Params:
    """A study without some experiments, without what rests on them, and without their names in its lists."""
    experiments = params.experiments
    while more := {name for name, one in experiments.items() if wrong & {one.versus, one.of}} - wrong:
        wrong = wrong | more

    def kept(names: Iterable[str]) -> list[str]:
        return [name for name in names if name.partition("[")[0] not in wrong]

    return params if not wrong else params.model_copy(update={
        "experiments": {name: experiments[name] for name in kept(experiments)},
        "verdicts": params.verdicts.model_copy(update={"controls": kept(params.controls)}),
        "probe": params.probe.model_copy(update={"experiments": kept(params.probe.experiments)}),
        "being_measured": kept(params.being_measured),
        "ask": {group: kept(names) for group, names in params.ask.items()}})


def checked(params: Params, path: Path, found: list[ConfigError], whole: bool) -> Params | None:
    """A study without the experiments that name what there is not, or do not fit.

    Args:
        path: of params.yaml.
        found: mistakes are added here.
        whole: whether it has all experiments that were written, of which own data sets may ask for any.

    Returns:
        None where the files with layer classes are not those that were meant: what they define is not known then.
    """
    def told(texts: Iterable[str]) -> bool:
        """Whether a check finds mistakes, which are kept."""
        known = len(found)
        with gathered(found):
            found.extend(ConfigError(f"{path}: {text}") for text in texts)
        return len(found) > known

    def wrong(check: Callable, names: Iterable[str]) -> set[str]:
        return {name for name in names if told(check(params, name))}

    told(_names(params))
    usable = not told(_modules(params, path))
    for check in (_data_set, _own) if whole else (_data_set,):
        wrong(check, params.data)
    for check in (_data, _versus):
        params = without(params, wrong(check, params.experiments))
    wrong(_control, dict.fromkeys(params.controls))
    told(_lists(params))
    return params if usable else None
