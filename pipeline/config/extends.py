"""What a person writes in `params.yaml` → entries as they are meant, every chain of `of` written out."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import pydantic
from pydantic import ConfigDict, Field

from pipeline.config.changes import Change, changed
from pipeline.config.errors import ConfigError, Spec, gathered, nearest, validate
from pipeline.config.experiments import (
    FILES, AnyDataSet, DataSet, Experiment, FirstSeed, Groups, Head, Overrides, Quantiles, Seeds, Vary)
from pipeline.config.file_kinds import kind
from pipeline.config.layer_list import Block, Items, Scalar, checked_argument, flat


class WrittenData(Spec):
    """A data set as a person writes it: whole, or as a change of another.

    What else it says belongs to its file, of whose kind only the whole entry is.
    """

    model_config = ConfigDict(extra="allow")

    of: str | None = None
    group: str | None = None
    also: list[str] | None = None
    unit: str | None = None
    stratum: str | None = None
    own: bool = False
    experiments: Annotated[list[str], Field(min_length=1)] | None = None
    source: str | None = None
    seeds: Seeds | None = None
    first_seed: FirstSeed | None = None
    arguments: dict[str, Scalar | list[Scalar]] | None = None
    train: Overrides | None = None
    title: str = ""


_Blocks = Annotated[dict[str, Block], Field(min_length=1)]


#: `except` is a word of Python's own.
_Except = pydantic.create_model("_Except", __base__=Overrides, **{
    "except": (Annotated[list[str], Field(min_length=1)] | None, None)})


class WrittenExperiment(_Except):
    """An experiment as a person writes it: a list of layers, or a change of another experiment."""

    of: str | None = None
    data: Groups | None = None
    layers: Items | None = None
    without: str | Annotated[list[str], Field(min_length=1)] | None = None
    replace: _Blocks | None = None
    set: Annotated[dict[str, Any], Field(min_length=1)] | None = None
    before: _Blocks | None = None
    after: _Blocks | None = None
    everywhere: Block | None = None
    versus: str | None = None
    head: Head | None = None
    vary: Vary | None = None
    quantiles: Quantiles | None = None
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


def _bases_first(entries: Mapping[str, Any], path: Path, section: str, found: list[ConfigError]) -> list[str]:
    """The names of a section, each behind the one that it is a change of.

    Those are left out that are None, whose `of` names nothing or leads back to where it began, and what is a change
    of them.
    """
    order: dict[str, None] = {}
    left = {name for name, entry in entries.items() if entry is None}
    for name in entries:
        chain: dict[str, None] = {}
        with gathered(found):
            while name not in (None, *left, *order):
                if name in chain:
                    left.update(chain)
                    circle = " → ".join([*list(chain)[list(chain).index(name):], name])
                    raise ConfigError(f"{path}: {section}.{list(chain)[-1]}.of: it leads back: {circle}; allowed: "
                                      "a chain that ends at an entry without of")
                chain[name] = None
                last, name = name, entries[name].of
                if name is not None and name not in entries:
                    left.update(chain)
                    raise ConfigError(f"{path}: {section}.{last}.of: there is no '{name}' in {section}"
                                      f"{nearest(name, entries)}")
        if name in left or left.intersection(chain):
            left.update(chain)
        else:
            order |= dict.fromkeys(reversed(chain))
    return list(order)


def given_by(spec: Spec) -> dict[str, Any]:
    """What a spec says itself."""
    return {name: getattr(spec, name) for name in spec.model_fields_set}


def _over(base: dict[str, Any], own: dict[str, Any], reset: bool) -> dict[str, Any]:
    """Values of a base under one's own; with `reset`, an own value that is null is the default again."""
    found = base | own
    return {k: v for k, v in found.items() if v is not None} if reset else found


def _data_set(written: WrittenData, base: AnyDataSet | None, path: Path, name: str) -> AnyDataSet:
    own, inherited = given_by(written), given_by(base) if base else {}
    inherited.pop("title", None)
    if ("source" if "file" in inherited else "file") in own:  # The rest is about the other one.
        inherited = {k: v for k, v in inherited.items() if k in AnyDataSet.model_fields}
    if own.get("source", inherited.get("source")) != inherited.get("source"):
        inherited.pop("arguments", None)  # They are the other source's.
    found = _over(inherited, own, base is not None) | {"of": written.of}
    if base and written.arguments and "arguments" in inherited:
        found["arguments"] = _over(base.arguments, written.arguments, True)
    if base and written.train and "train" in inherited:
        found["train"] = Overrides(**_over(given_by(base.train), given_by(written.train), True))
    if not {"source", "file"} & found.keys() and written.model_extra:
        extra = next(iter(written.model_extra))
        raise ConfigError(f"{path}: data.{name}: unknown key '{extra}'; allowed: source or file, and what "
                          f"belongs to it{nearest(extra, ('source', 'file'))}")
    return validate(path, FILES.get(kind(found), DataSet), found, ("data", name))


_CHANGES = ("without", "replace", "set", "before", "after")


def _changes(written: WrittenExperiment, lists: Mapping, where: str) -> tuple[Change, ...]:
    """The elementary changes that an experiment writes, in their order, the lists of the vocabulary written out."""
    asked = [kind for kind in _CHANGES if getattr(written, kind) is not None]
    if asked and written.of is None:
        raise ConfigError(f"{where}: found {asked[0]} without of; allowed: of, with the experiment "
                          "whose list is changed")
    if asked and written.layers is not None:
        raise ConfigError(f"{where}: found layers and {asked[0]}; allowed: a list of layers, or "
                          f"changes of the list of '{written.of}'")
    if written.of is not None and written.layers is not None:
        return (Change(kind="layers", value=flat(written.layers, lists)),)
    found = []
    for way in asked:
        given = getattr(written, way)
        if way == "without":
            given = dict.fromkeys([given] if isinstance(given, str) else given)
        found += [Change(kind=way, place=place, value=flat(value, lists) if isinstance(value, list) and way != "set" else value)
                  for place, value in given.items()]
    return tuple(found)


#: What an experiment does not take over from the one that it is a change of.
_OWN = ("title", "note", "versus", "of", "changes", "items", "everywhere", "left_out")


def _experiment(written: WrittenExperiment, base: Experiment | None, path: Path, name: str,
                lists: Mapping) -> Experiment:
    where = f"{path}: experiments.{name}"
    try:
        changes = _changes(written, lists, where)
        items, put_in = (flat(one, lists) if one else None for one in (written.layers, written.everywhere))
    except ConfigError:
        raise
    except ValueError as error:
        raise ConfigError(f"{where}: {error}") from None
    own = {k: v for k, v in given_by(written).items() if k not in _CHANGES}
    inherited = {k: v for k, v in given_by(base).items() if k not in _OWN} if base else {}
    found = _over(inherited, own, base is not None)
    if base:
        found["layers"] = changed(base.layers, changes, where)
        found["versus"] = own.get("versus", written.of)
    elif written.layers is not None:
        found["layers"] = changed([], [Change(kind="layers", value=items)], where)
    found["left_out"] = found.pop("except", None) or []
    return validate(path, Experiment, found | {"of": written.of, "changes": changes, "items": written.layers} | (                        {"everywhere": put_in} if put_in else {}),
                    ("experiments", name))


def expand(data: Mapping[str, WrittenData | None], experiments: Mapping[str, WrittenExperiment | None], lists: Mapping,
           path: Path, found: list[ConfigError]) -> dict[str, dict]:
    """The sections `data` and `experiments`, each entry with all that it takes over from its `of`.

    The lists of the vocabulary are written out.

    Left out are those that are None, and those with a mistake, which is added to `found`: a chain of `of` that cannot be
    followed, a change that does not fit its list, or something that is missing.
    """
    made: dict[str, dict] = {}
    for section, entries, make in (("data", data, _data_set), ("experiments", experiments, partial(_experiment, lists=lists))):
        whole: dict[str, Spec] = {}
        for name in _bases_first(entries, path, section, found):
            of = entries[name].of
            if of is None or of in whole:
                with gathered(found):
                    whole[name] = make(entries[name], whole.get(of), path, name)
        made[section] = {name: whole[name] for name in entries if name in whole}
    return made
