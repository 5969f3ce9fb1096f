"""An invented study of a chosen size: networks and claims of the real one, multiplied by names."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pipeline.spec.claims import Claim
from pipeline.spec.params import Params

#: The families, with their control and the sources of their data sets in turn, which are small.
FAMILIES = {"sequences": ("cnn_lstm", ("noise", "forecast")), "tables": ("mlp_tanh", ("tabular",))}
#: Samples of each part.
PARTS = {"train": 160, "validation": 80, "test": 160}
#: Besides what `make ask` tries: a sweep over places and two over values.
SWEEPS = ("bn_anywhere", "dropout_rate", "mlp_samples")
#: The experiment whose line is edited, before and after; it runs on one data set.
EDITED = "edited"
BEFORE, AFTER = ({"of": "cnn_lstm", "data": "sequences_1", "after": {"lstm": {"dropout": {"rate": rate}}}}
                 for rate in (0.25, 0.35))


@dataclass(frozen=True, order=True)
class Size:
    """How many experiments, and data sets in each family, a study has."""

    experiments: int
    sets: int


def family(name: str, count: int) -> dict[str, dict]:
    """The data sets of a family, each a unit, every other one in the group of a few; a stratum a source."""
    _, sources = FAMILIES[name]
    found = {}
    for number in range(1, count + 1):
        source = sources[(number - 1) % len(sources)]
        found[f"{name}_{number}"] = {
            "group": name, "unit": f"{name} {number}", "stratum": source, "source": source, "seeds": 15, "arguments": dict(PARTS),
            "title": f"{source}, copy {number}", **({"also": [f"few_{name}"]} if number % 4 in (1, 2) else {})}
    return found


def multiplied(params: Params, written: Mapping[str, Mapping], count: int) -> dict[str, dict]:
    """So many experiments: the networks that `make ask` tries and the sweeps, again and again under new names.

    Each copy is whole: what an experiment is a change of, or is compared with, is of the same copy.

    Args:
        params: of the real study.
        written: its experiments as params.yaml writes them.
    """
    names = _with_what_they_need({*SWEEPS, *(name for some in params.ask.values() for name in some)}, params)
    groups = {group for name in FAMILIES for group in (name, f"few_{name}")}
    found: dict[str, dict] = {}
    for number in range(1, 2 + count // len(names)):
        for name in names:
            entry = copy.deepcopy(dict(written[name]))
            for key in {"of", "versus"} & {key for key, value in entry.items() if value}:
                entry[key] = called(entry[key], number)
            if "data" in entry:
                asked = [entry["data"]] if isinstance(entry["data"], str) else entry["data"]
                entry["data"] = [group for group in asked if group in groups]
            found[called(name, number)] = entry
    return dict(list(found.items())[:count - 1]) | {EDITED: dict(BEFORE)}


def called(name: str, number: int) -> str:
    """The name of a copy; the first keeps its own."""
    return name if number == 1 else f"{name}_copy_{number}"


def _with_what_they_need(names: Iterable[str], params: Params) -> list[str]:
    """Experiments with all that they are changes of or compared with, these first."""
    found: dict[str, None] = {}

    def add(name: str) -> None:
        for other in (params.experiments[name].of, params.experiments[name].versus):
            if other and other not in found:
                add(other)
        found[name] = None

    for name in params.experiments:
        if name in names:
            add(name)
    return list(found)


def invented(params: Params, written: Mapping, size: Size) -> dict:
    """The content of a params.yaml of a size: its data small, its rates and seeds the real ones.

    Args:
        params, written: the real study's, as a spec and as it is written.
    """
    return {"data": {name: entry for one in FAMILIES for name, entry in family(one, size.sets).items()},
            "layers": dict(written["layers"]),
            "experiments": multiplied(params, written["experiments"], size.experiments),
            "train": dict(written["train"]) | {"epochs": 5},
            "probe": {"experiments": []},
            "verdicts": dict(written.get("verdicts") or {}) | {
                "controls": [control for control, *_ in FAMILIES.values()]}}


def claimed(claims: Iterable[Claim], written: Iterable[Mapping], experiments: Iterable[str]) -> list[dict]:
    """The real claims about a study's experiments, in each copy of these.

    Args:
        claims, written: the real ones, as specs and as claims.yaml writes them.
    """
    known, groups = set(experiments), {*FAMILIES, *(f"few_{name}" for name in FAMILIES)}
    mine = [(claim, entry) for claim, entry in zip(claims, written, strict=True)
            if claim.experiments and not claim.probe and set(claim.experiments) <= known
            and set(claim.data or groups) <= groups]
    found, number = [], 1
    while some := [_copied(entry, number) for claim, entry in mine
                   if {called(name, number) for name in claim.experiments} <= known]:
        found, number = found + some, number + 1
    return found


def _copied(entry: Mapping, number: int) -> dict:
    """A claim about the experiments of a copy; only of the first does the first page speak."""
    if number == 1:
        return dict(entry)
    entry = {key: value for key, value in entry.items() if key != "primary"}
    return entry | {"slug": f"{entry['slug']}_copy_{number}", "says": f"{entry['says'].rstrip('.')} (copy {number})."} | {
        "contrasts": [_renamed(contrast, number) for contrast in entry.get("contrasts", ())]} | (
        {"baseline": [_renamed(name, number) for name in entry["baseline"]]} if "baseline" in entry else {})


def _renamed(value, number: int):
    """A contrast, or an experiment or its variant, of a copy."""
    if isinstance(value, Mapping):
        return {key: value if key == "data" else _renamed(value, number) for key, value in value.items()}
    name, bracket, variant = value.partition("[")
    return called(name, number) + bracket + variant
