"""`book/readings.yaml`: what is claimed, which findings it is about, and what it predicts of them.

A claim has no effect, word or p value of its own: it reads findings.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Literal

import pydantic
from pydantic import Field

from pipeline.config.claims import ARM, Name, arm_name, base
from pipeline.config.errors import ConfigError, Spec, gathered, nearest, shown, tell, validate
from pipeline.config.read_yaml import read_yaml
from pipeline.config.metrics import TRIVIAL, metric_of
from pipeline.config.schema import Params

READINGS = Path("book/readings.yaml")
CHANGES = Path("book/claims_changes.yaml")
#: Of an effect whose metric one direction of is better, and of one that nobody judges.
JUDGED = ("better", "worse", "much_worse", "useless", "positive", "equivalent", "not_worse", "not_better", "differs")
MEASURED = ("more", "less", "differs")


class Pair(Spec):
    """A treatment and its control: experiments, or variants of a sweep as `name[value=8]`.

    `name[tuned]`: of all variants the one that validation data choose; `name[rates]`: a sweep of the learning rate as
    a whole; where the probe measured, `name[layer]` is a layer. The control may be the trivial predictor.
    """

    treatment: str
    control: str

    @pydantic.model_validator(mode="after")
    def _two_arms(self):
        for name in (self.treatment, self.control):
            if not ARM.match(name) and (name != TRIVIAL or name == self.treatment):
                raise ValueError(f"found '{name}'; allowed: name, or name[variant]")
        if self.treatment == self.control:
            raise ValueError(f"found '{self.treatment}' twice; a comparison needs two arms")
        return self


class Other(Pair):
    """The pair whose effect an interaction takes off, on the same data sets or on another one."""

    data: str | None = None


class Asked(Pair):
    """A comparison: a pair; with `minus` an interaction; with `slope` the effect's slope over a dose.

    A slope is that over the logarithm of the swept value `slope`, of which the treatment has a variant each, and the
    control has, too, or none; it is told as the change from the least value to the greatest.
    """

    minus: Other | None = None
    slope: str = ""
    #: What it is called where a claim has several.
    called: str = ""
    #: Instead of the claim's.
    endpoint: Literal["best", "last"] | None = None

    @pydantic.model_validator(mode="after")
    def _one_form(self):
        if self.minus and self.slope:
            raise ValueError("found minus and slope; allowed: one of them")
        return self


class Premise(Pair):
    """What must hold before a claim can explain it."""

    region: Literal["better", "worse"]


class Prediction(Spec):
    """What a claim predicts, and who predicts it.

    `one`: each finding is read on its own; `some`: one of them at least; `each`: all of them.
    """

    by: Literal["thread", "ours"]
    region: Literal[*JUDGED, "more", "less"]
    quantifier: Literal["one", "some", "each"] = "one"


class Claim(Spec):
    """One claim: what is said, and the findings that it is about."""

    slug: Name
    #: Of the ledger: the letter of a thread, and a number.
    rows: Annotated[list[Annotated[str, Field(pattern=r"^[A-Z]\d+$")]], Field(min_length=1)]
    who: str
    says: str
    #: The chapter, by the name of its page.
    topic: Name
    #: Required unless the claim is an identity.
    predicts: Prediction | None = None
    findings: list[Asked] = []
    #: Findings that are shown beside, and have no say.
    beside: list[Asked] = []
    #: A claim that says why: without these there is nothing to explain.
    explains: list[Premise] = []
    #: Experiments without which a claim that says why cannot be told; they need not exist yet.
    needs: list[Name] = []
    #: Names of exact checks: the claim is true if all of them hold.
    checks: list[Name] = []
    #: Kinds (families, invented sets) or strata that are read; or real data sets, each by itself. Default: all.
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
        """The experiments that the claim is about, each once."""
        pairs = [pair for one in (*self.findings, *self.beside) for pair in (one, one.minus) if pair]
        names = [name for pair in (*pairs, *self.explains) for name in (pair.treatment, pair.control)]
        return list(dict.fromkeys(base(name) for name in names if name != TRIVIAL))

    @pydantic.model_validator(mode="after")
    def _one_way_to_decide(self):
        if bool(self.findings) == bool(self.checks):
            raise ValueError(f"found {'findings and checks' if self.checks else 'none'}; exactly one of findings, checks "
                             "decides a claim")
        if self.checks:
            return self
        if self.predicts is None:
            raise ValueError("predicts is missing; a comparison needs a predicted region")
        about = metric_of(self.metric)
        allowed = JUDGED if about.judged else MEASURED
        if about.margin == "measure":
            allowed = [one for one in allowed if one in ("better", "worse", "positive", *MEASURED)]
        if self.predicts.region not in allowed:
            raise ValueError(f"predicts.region: found '{self.predicts.region}'; allowed for {self.metric}: "
                             f"{', '.join(allowed)}")
        if any(TRIVIAL == one.control for one in self.findings) and self.metric not in ("error", "loss"):
            raise ValueError(f"metric: found '{self.metric}'; allowed with the {TRIVIAL}: error, loss")
        if self.data and len(set(self.data)) < len(self.data):
            raise ValueError(f"data: found {self.data}; a data set may stand once")
        called = [one.called for one in self.findings]
        if len(called) > 1 and ("" in called or len(set(called)) < len(called)):
            raise ValueError("findings: found several; each needs `called`, a name of its own")
        return self


class Changed(Spec):
    """A claim that is not what it was before, and why."""

    slug: Name
    what: str
    why: str


def read_claims(path: Path = READINGS) -> list[Claim]:
    """The claims of a YAML file, a list with one entry a claim.

    Raises:
        ConfigError: names the file, the claim and the place of each mistake.
    """
    found: list[ConfigError] = []
    claims = understood(read_yaml(path), path, found)
    tell(found)
    return claims


def understood(content, path: Path, found: list[ConfigError]) -> list[Claim]:
    """The claims of a file's content that have no mistake; the mistakes of others are added to `found`."""
    claims, entries = [], []
    with gathered(found):
        entries = _listed(path, content)
    for number, entry in enumerate(entries, 1):
        with gathered(found):
            claims.append(validate(path, Claim, entry, (_name_of(entry, number),)))
    found.extend(ConfigError(f"{path}: the slug '{slug}' stands twice; a slug may stand once", at=f"{path}: {slug}")
                 for slug, count in Counter(c.slug for c in claims).items() if count > 1)
    return claims


def read_changes(path: Path = CHANGES) -> list[Changed]:
    """What was changed of the claims after the study, and why.

    Raises:
        ConfigError: names the file and the place of the first mistake.
    """
    return [validate(path, Changed, entry, (number,)) for number, entry in enumerate(_listed(path, read_yaml(path)))]


def _listed(path: Path, content) -> list:
    if not isinstance(content, list):
        raise ConfigError(f"{path}: found {shown(content)}; allowed: a list")
    return content


def _name_of(entry, number: int) -> str:
    """How a message calls a claim: by its slug, if it has one."""
    slug = entry.get("slug") if isinstance(entry, dict) else None
    return slug if isinstance(slug, str) and slug else f"claim {number}"


def check_claims(claims: Sequence[Claim], params: Params) -> None:
    """Every experiment, variant and data set that a claim names exists in params.yaml.

    Raises:
        ConfigError: names each claim, what was found and the nearest existing name.
    """
    found: list[ConfigError] = []
    kinds = [entry.family or name for name, entry in params.data.items()]
    strata = [entry.stratum for entry in params.data.values() if entry.stratum]
    known = [*dict.fromkeys([*kinds, *strata]), *params.data]
    for claim in claims:
        for place, name in _arms(claim):
            with gathered(found):
                _check_arm(name, claim.probe, params, f"{READINGS}: {claim.slug}.{place}")
        others = [(f"findings[{i}].minus.data", one.minus.data) for i, one in enumerate(claim.findings)
                  if one.minus and one.minus.data]
        for place, data in [("data", data) for data in claim.data or []] + others:
            with gathered(found):
                _check_data(data, params, f"{READINGS}: {claim.slug}.{place}", known if place == "data" else list(params.data))
    tell(found)


def _check_data(data: str, params: Params, where: str, allowed: Sequence[str]) -> None:
    """A data set of the study has a name, or a kind or stratum of them where that may be."""
    if data in params.own:
        raise ConfigError(f"{where}: found '{data}', which is a reader's own; allowed: a data set of the study")
    if data not in allowed:
        raise ConfigError(f"{where}: there is no data set, family or stratum '{data}'{nearest(data, allowed)}")


def _arms(claim: Claim) -> Iterator[tuple[str, str]]:
    """The place and the name of every arm that a claim names."""
    for part in ("findings", "beside", "explains"):
        for i, one in enumerate(getattr(claim, part)):
            for place, pair in (("", one), (".minus", getattr(one, "minus", None))):
                for side in ("treatment", "control"):
                    name = getattr(pair, side, TRIVIAL)
                    if name != TRIVIAL and not (getattr(one, "slope", "") and not place):
                        yield f"{part}[{i}]{place}.{side}", name


def _check_arm(name: str, probe: bool, params: Params, where: str) -> None:
    """`name` or `name[variant]` exists; of the probe, whose variants are layers, the experiment does."""
    experiment = base(name)
    if experiment not in params.experiments:
        raise ConfigError(f"{where}: there is no experiment '{experiment}'{nearest(experiment, params.experiments)}")
    if probe:
        if experiment not in params.probe.experiments:
            raise ConfigError(f"{where}: the probe does not watch '{experiment}'; allowed: "
                              f"{', '.join(params.probe.experiments)}{nearest(experiment, params.probe.experiments)}")
        return
    known = [arm_name(experiment, label) for label in params.variants(experiment, measuring=True)]
    chosen = [f"{experiment}[tuned]", f"{experiment}[rates]"] if len(params.variants(experiment)) > 1 else []
    if name not in known + chosen:
        raise ConfigError(f"{where}: found '{name}'; allowed: {', '.join(known + chosen)}{nearest(name, known + chosen)}")
