"""`book/claims.yaml`: what is claimed, what would decide it, and what it predicts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import pydantic
from pydantic import Field

from pipeline.config.errors import ConfigError, Spec, nearest, read_yaml, shown, validate
from pipeline.config.metrics import metric_of
from pipeline.config.schema import Params

CLAIMS = Path("book/claims.yaml")
ARM = re.compile(r"([a-z0-9_]+)(?:\[([A-Za-z0-9_ .,:;>/+*^()=-]+)\])?\Z")


#: What becomes the name of a page.
Name = Annotated[str, Field(pattern=r"^[a-z0-9_]{1,100}$")]


class Pair(Spec):
    """A treatment and its control: experiments, or variants of a sweep as `name[value=8]`.

    `name[tuned]`: of all variants, each seed keeps the one of least validation loss; `name[rates]` is
    a sweep of the learning rate as a whole; in a claim that the probe decides, `name[layer]` is a
    layer of the network.
    """

    treatment: str
    control: str

    @pydantic.model_validator(mode="after")
    def _two_arms(self):
        for name in (self.treatment, self.control):
            if not ARM.match(name):
                raise ValueError(f"found '{name}'; allowed: name, or name[variant]")
        if self.treatment == self.control:
            raise ValueError(f"found '{self.treatment}' twice; a contrast needs two arms")
        return self


class Other(Pair):
    """The pair that an interaction takes off, on the same data set or on another."""

    data: str | None = None


class Contrast(Pair):
    """A pair, or with `minus` an interaction: the pair's effect less that of another."""

    minus: Other | None = None


class Prediction(Spec):
    """What a claim predicts, fixed before training, and who predicts it."""

    by: Literal["thread", "ours"]
    region: Literal["better", "worse", "equivalent", "not_worse", "not_better", "differs",
                    "positive"]
    quantifier: Literal["generally", "some", "always"] = "generally"


class Claim(Spec):
    """One claim: what is said, what would decide it, and on which data sets."""

    slug: Name
    rows: Annotated[list[str], Field(min_length=1)]
    who: str
    says: str
    #: The chapter, by the name of its page.
    topic: Name
    #: Required unless the claim is an identity.
    predicts: Prediction | None = None
    contrasts: list[Contrast] = []
    #: Experiments compared with the trivial predictor, one-sided.
    baseline: list[str] = []
    #: Names of exact checks: the claim is true if all of them hold.
    checks: list[Name] = []
    #: Groups or data sets; default: all data sets that every experiment of a contrast has.
    data: Annotated[list[str], Field(min_length=1)] | None = None
    metric: Name = "error"
    endpoint: Literal["best", "last"] = "best"
    #: Whether the probe measured what is compared, instead of the study's runs.
    probe: bool = False
    #: Whether the arms are said to be one function, so that no difference on any seed is a finding.
    identity: bool = False
    because: str | None = None
    analogue: bool = False
    #: Whether the first page or the opening of a chapter rests on it.
    primary: bool = False

    @property
    def experiments(self) -> list[str]:
        """The experiments that decide the claim, each once."""
        pairs = [pair for c in self.contrasts for pair in (c, c.minus) if pair]
        names = self.baseline + [n for p in pairs for n in (p.treatment, p.control)]
        return list(dict.fromkeys(name.partition("[")[0] for name in names))

    @pydantic.model_validator(mode="after")
    def _one_way_to_decide(self):
        ways = [w for w in ("contrasts", "baseline", "checks") if getattr(self, w)]
        if len(ways) != 1:
            raise ValueError(f"found {', '.join(ways) or 'none'}; exactly one of contrasts, "
                             "baseline, checks decides a claim")
        if self.checks:
            return self
        if self.predicts is None:
            raise ValueError("predicts is missing; a comparison needs a predicted region")
        if self.baseline and self.metric not in ("error", "loss"):
            raise ValueError(f"metric: found '{self.metric}'; allowed with baseline: error, loss")
        if self.predicts.region == "equivalent" and (
                self.baseline or metric_of(self.metric).margin == "measure"):
            raise ValueError("predicts.region: found 'equivalent'; a comparison without a margin "
                             "cannot show it; allowed: better, worse, differs, positive, "
                             "not_worse, not_better")
        if self.data and len(set(self.data)) < len(self.data):
            raise ValueError(f"data: found {self.data}; a data set may stand once")
        return self


def read_claims(path: Path = CLAIMS) -> list[Claim]:
    """The claims of a YAML file, a list with one entry a claim.

    Raises:
        ConfigError: names the file, the claim and the place of the first mistake.
    """
    content = read_yaml(path)
    if not isinstance(content, list):
        raise ConfigError(f"{path}: found {shown(content)}; allowed: a list of claims")
    claims = [validate(path, Claim, entry, (_name_of(entry, number),))
              for number, entry in enumerate(content, 1)]
    twice = [slug for slug, count in Counter(c.slug for c in claims).items() if count > 1]
    if twice:
        raise ConfigError(f"{path}: the slug '{twice[0]}' stands twice; a slug may stand once")
    return claims


def _name_of(entry, number: int) -> str:
    """How a message calls a claim: by its slug, if it has one."""
    slug = entry.get("slug") if isinstance(entry, dict) else None
    return slug if isinstance(slug, str) and slug else f"claim {number}"


def arm_name(experiment: str, variant: str) -> str:
    return f"{experiment}[{variant}]" if variant else experiment


def check_claims(claims: Sequence[Claim], params: Params) -> None:
    """Every experiment, variant and data set that a claim names exists in params.yaml.

    Raises:
        ConfigError: names the claim, what was found and the nearest existing name.
    """
    for claim in claims:
        pairs = [(f"contrasts[{i}]{inner}", pair) for i, contrast in enumerate(claim.contrasts)
                 for inner, pair in (("", contrast), (".minus", contrast.minus)) if pair]
        names = [(f"{place}.{side}", getattr(p, side)) for place, p in pairs
                 for side in ("treatment", "control")]
        names += [(f"baseline[{i}]", name) for i, name in enumerate(claim.baseline)]
        for place, name in names:
            _check_arm(name, claim.probe, params, f"{CLAIMS}: {claim.slug}.{place}")
        others = [(f"contrasts[{i}].minus.data", c.minus.data)
                  for i, c in enumerate(claim.contrasts) if c.minus and c.minus.data]
        groups = {group for entry in params.data.values() for group in entry.groups}
        for place, data in [("data", data) for data in claim.data or []] + others:
            if data in params.own:
                raise ConfigError(f"{CLAIMS}: {claim.slug}.{place}: found '{data}', which is a reader's own; "
                                  "allowed: a data set of the study")
            known = [*params.data, *groups] if place == "data" else list(params.data)
            if data not in known:
                raise ConfigError(f"{CLAIMS}: {claim.slug}.{place}: there is no data set '{data}'"
                                  f"{nearest(data, known)}")
        if not claim.checks:
            _check_family(claim, params)


def data_sets(claim: Claim, params: Params) -> list[str]:
    """The data sets that a claim is decided on, in the order of params.yaml.

    They are those that all of its experiments have; of these, the ones that it names, if it names any.
    """
    experiments = [name for name in claim.experiments if name not in _elsewhere(claim)]
    of = params.watched if claim.probe else params.data_sets
    shared = set.intersection(*(set(of(name)) for name in experiments)) - set(params.own)
    wanted = set(claim.data or params.data)
    return [name for name, entry in params.data.items()
            if name in shared and wanted.intersection((name, *entry.groups))]


def _elsewhere(claim: Claim) -> set[str]:
    """The experiments that a claim needs on another data set only."""
    other = {base(n) for c in claim.contrasts if c.minus and c.minus.data
             for n in (c.minus.treatment, c.minus.control)}
    return other - {base(n) for c in claim.contrasts for n in (c.treatment, c.control)}


def family(names: Sequence[str], params: Params) -> str:
    """The family that all of some data sets belong to; empty if they stand for themselves."""
    found = {params.data[name].family for name in names}
    return found.pop() if len(found) == 1 else ""


def _check_family(claim: Claim, params: Params) -> None:
    """A claim is decided on some data set, and real ones are not averaged with invented ones."""
    names = data_sets(claim, params)
    if not names:
        raise ConfigError(f"{CLAIMS}: {claim.slug}.data: its experiments share none of these data sets")
    found = {params.data[name].family for name in names}
    if len(found) > 1:
        raise ConfigError(f"{CLAIMS}: {claim.slug}.data: found data sets of {', '.join(map(repr, sorted(found)))}; "
                          "allowed: those of one family, or such as belong to none")


def _check_arm(name: str, probe: bool, params: Params, where: str) -> None:
    """`name` or `name[variant]` exists; of the probe, whose variants are layers, the experiment does."""
    experiment = base(name)
    if experiment not in params.experiments:
        raise ConfigError(f"{where}: there is no experiment '{experiment}'"
                          f"{nearest(experiment, params.experiments)}")
    if probe:
        if experiment not in params.probe.experiments:
            raise ConfigError(f"{where}: the probe does not watch '{experiment}'; allowed: "
                              f"{', '.join(params.probe.experiments)}"
                              f"{nearest(experiment, params.probe.experiments)}")
        return
    known = [arm_name(experiment, label) for label in params.variants(experiment, measuring=True)]
    chosen = [f"{experiment}[tuned]", f"{experiment}[rates]"] if len(params.variants(experiment)) > 1 else []
    if name not in known + chosen:
        raise ConfigError(f"{where}: found '{name}'; allowed: {', '.join(known + chosen)}"
                          f"{nearest(name, known + chosen)}")


def base(name: str) -> str:
    """The experiment of `name` or `name[variant]`."""
    return name.partition("[")[0]
