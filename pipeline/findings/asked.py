"""Everything that the project asks: each comparison once, whichever way and however often it is asked."""

import hashlib
import math
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace

import pandas as pd

from pipeline.config.claims import arm_name, base
from pipeline.config.errors import ConfigError, nearest
from pipeline.config.metrics import TRIVIAL
from pipeline.config.readings import Asked, Claim, READINGS
from pipeline.config.schema import MEASURING, PARAMS, control_arms
from pipeline.findings.arms import Arm, Arms, Comparison, GUESSING, Pair
from pipeline.findings.compare import check_that_arms_differ
from pipeline.findings.study import Study, kind_of, stratum_of
from pipeline.tables.schemas import ASKED_COLUMNS

SAME, HALF = MEASURING
#: What asks for a comparison: an experiment's `versus`, a reader's own data, a claim, or the rule, which is measured by a
#: control's repetition and by half the data.
VERSUS, OWN, CLAIM = "versus", "own", "claim"
#: The name of a page may be so long.
LONGEST = 100


@dataclass(frozen=True, eq=False)
class Question:
    """A comparison on one kind of network and data.

    Attributes:
        id: its name everywhere.
        sets: its data sets.
        role: what asked first.
    """

    id: str
    comparison: Comparison
    kind: str
    sets: tuple[str, ...]
    role: str


@dataclass
class Asker:
    """Collects questions; a comparison that is asked again, or the other way round, is the same question.

    Attributes:
        questions: by what they ask and of which kind.
        log: who asked what: rows of `ASKED_COLUMNS`.
    """

    study: Study
    questions: dict[tuple, Question] = field(default_factory=dict)
    log: list[tuple] = field(default_factory=list)

    def ask(self, comparison: Comparison, role: str, by: str, where: str, wanted: Collection[str] | None = None
            ) -> list[tuple[Question, int]]:
        """The questions that a comparison means, one a kind, each with 1, or -1 if it is put the other way round.

        Args:
            by: who asks: an experiment or a claim.
            where: the place in a file, for messages.
            wanted: the kinds, strata and data sets that are asked about; None: all.

        Raises:
            ConfigError: the arms share no such data set.
        """
        kinds: dict[str, list[str]] = {}
        for data in self._shared(comparison):
            kinds.setdefault(kind_of(data, self.study.params), []).append(data)
        if wanted is not None:
            strata = {data: stratum_of(data, self.study.params) for sets in kinds.values() for data in sets}
            kinds = {kind: sets for kind, sets in kinds.items() if {kind, *sets, *map(strata.get, sets)} & set(wanted)}
        elif role == CLAIM:  # A claim is about other data than a reader's own.
            kinds = {kind: sets for kind, sets in kinds.items() if kind not in self.study.params.own}
        if not kinds:
            raise ConfigError(f"{where}: its arms share none of the data sets that are asked about")
        found = []
        for kind, sets in kinds.items():
            new = Question(_identifier(comparison, kind), comparison, kind, tuple(sets), role)
            question = self.questions.setdefault((comparison.key, kind), new)
            turn = question.comparison.turn * comparison.turn
            self.log.append((*names(comparison), comparison.metric, comparison.endpoint, kind, role, by, question.id, turn))
            found.append((question, turn))
        return found

    def _shared(self, comparison: Comparison) -> list[str]:
        """The data sets that all arms have, in the order of params.yaml, but those compared on a set of their own."""
        here = [arm for _, pair in comparison.pairs if not pair.data for arm in (pair.treatment, pair.control)]
        arms, params = self.study.of(comparison), self.study.params
        for _, pair in comparison.pairs:
            if pair.data and pair.data not in arms.shared([pair.treatment, pair.control]):
                raise ConfigError(f"{pair}: the two do not share that data set")
        shared = set(arms.shared([arm for arm in dict.fromkeys(here) if arm != GUESSING]))
        return [data for data in params.data if data in shared]

    def table(self) -> pd.DataFrame:
        """`ASKED_COLUMNS`: whoever asked, with the id of the finding, and the turn that makes it the answer."""
        return pd.DataFrame(self.log, columns=ASKED_COLUMNS)


def names(comparison: Comparison) -> tuple[str, str, str, str, str]:
    """Treatment, control, and of an interaction those of the pair that is taken off, and its data set."""
    first = comparison.pairs[0][1]
    other = comparison.pairs[1][1] if len(comparison.pairs) == 2 and not comparison.slope else None
    if comparison.slope:
        return first.treatment[0], first.control[0] if first.control[1] else arm_name(*first.control), "", "", ""
    found = [arm_name(*first.treatment), arm_name(*first.control)]
    found += [arm_name(*other.treatment), arm_name(*other.control), other.data] if other else ["", "", ""]
    return tuple(found)


def _identifier(comparison: Comparison, kind: str) -> str:
    """The name of a comparison, of letters, digits and _."""
    treatment, control, *other, data = names(comparison)
    words = [treatment, "or", control, *(["less", *other, data] if other[0] else []),
             *(["along", comparison.slope] if comparison.slope else []),
             kind, comparison.metric if comparison.metric != "error" else "",
             comparison.endpoint if comparison.endpoint != "best" and comparison.about.endpoint else ""]
    text = re.sub(r"[^a-z0-9]+", "_", " ".join(filter(None, words)).lower()).strip("_")
    whole = f"{treatment}|{control}|{other}|{data}|{comparison}|{kind}"
    digest = hashlib.sha256(whole.encode()).hexdigest()[:8]
    return text if len(text) <= LONGEST else f"{text[:LONGEST - 9].rstrip('_')}_{digest}"


def of_experiments(asker: Asker, names: Iterable[str]) -> None:
    """Experiments, or each variant of their sweeps, against their `versus`.

    Each variant meets the control's variant of the same name, or the control itself if that has no sweep.
    """
    params, arms = asker.study.params, asker.study.arms
    for name in names:
        spec = params.experiments[name]
        if spec.versus is None or not (name in arms.variants and spec.versus in arms.variants):
            continue
        where = f"{PARAMS}: experiments.{name}.versus"
        for variant in arms.variants[name]:
            treatment = arms.find(arm_name(name, variant), where)
            control = arms.find(arm_name(spec.versus, variant), where, fallback=True)
            if set(arms.sets[treatment]) & set(arms.sets[control]):
                asker.ask(Comparison(((1.0, Pair(treatment, control)),)), VERSUS, arm_name(name, variant), where)


def of_own(asker: Asker) -> None:
    """On each of a reader's own data sets, every network against one plain one, whatever it is a change of."""
    params, arms = asker.study.params, asker.study.arms
    for data in params.own:
        plain = (params.plain(data), "")
        others = [(name, variant) for name, variants in arms.variants.items() for variant in variants]
        for arm in others if data in arms.sets.get(plain, ()) else ():
            same_error = params.experiments[arm[0]].quantiles == params.experiments[plain[0]].quantiles
            if arm != plain and data in arms.sets[arm] and same_error:
                asker.ask(Comparison(((1.0, Pair(arm, plain)),)), OWN, arm_name(*arm), f"{PARAMS}: data.{data}", [data])


def of_controls(asker: Asker) -> None:
    """Every control against itself from another start, and on half the data."""
    arms = asker.study.arms
    for control in asker.study.params.controls:
        for kind, name in control_arms(control).items():
            experiment, _, variant = name.removesuffix("]").partition("[")
            if (experiment, variant) in arms.sets:
                pair = Pair((experiment, variant), arms.find(control, "verdicts.controls"))
                asker.ask(Comparison(((1.0, pair),)), kind, control, "verdicts.controls")


def of_claim(claim: Claim, asker: Asker) -> list[list[tuple[Question, int]]]:
    """The questions of a claim: a list for each of its findings.

    Raises:
        ConfigError: an arm that does not exist, or no data set that its arms share.
    """
    found = []
    for part in ("findings", "beside"):
        for i, one in enumerate(getattr(claim, part)):
            where = f"{READINGS}: {claim.slug}.{part}[{i}]"
            asked = asker.ask(comparison_of(one, claim, asker.study, where), CLAIM, claim.slug, where, claim.data)
            for question, _ in asked if not (claim.identity or claim.probe) else ():
                for data in question.sets:
                    check_that_arms_differ(question.comparison, data, asker.study, where)
            found += [asked] if part == "findings" else []
    return found


def of_premises(claim: Claim, asker: Asker) -> list[list[tuple[Question, int]]]:
    """The questions of what a claim would explain."""
    return [asker.ask(comparison_of(Asked(treatment=one.treatment, control=one.control), claim.model_copy(update={
        "metric": "error", "endpoint": "best", "probe": False}), asker.study, f"{READINGS}: {claim.slug}.explains[{i}]"),
        CLAIM, claim.slug, f"{READINGS}: {claim.slug}.explains[{i}]") for i, one in enumerate(claim.explains)]


def comparison_of(one: Asked, claim: Claim, study: Study, where: str) -> Comparison:
    """What an entry of a claim compares."""
    about = Comparison((), claim.metric, one.endpoint or claim.endpoint, claim.probe)
    arms = study.of(about)
    if one.slope:
        return replace(about, pairs=tuple(_slope(one, study, arms, where)), slope=one.slope)
    pairs = [(1.0, _pair(one.treatment, one.control, arms, where))]
    if one.minus:
        pair = _pair(one.minus.treatment, one.minus.control, arms, f"{where}.minus")
        pairs.append((-1.0, replace(pair, data=one.minus.data or "")))
    return replace(about, pairs=tuple(pairs))


def _pair(treatment: str, control: str, arms: Arms, where: str) -> Pair:
    guess = control == TRIVIAL
    return Pair(arms.find(treatment, where), GUESSING if guess else arms.find(control, where, fallback=True))


def _slope(one: Asked, study: Study, arms: Arms, where: str) -> Iterator[tuple[float, Pair]]:
    """A pair for each dose, with the weights of the least-squares line over the dose's logarithm, times its range.

    So the sum is the change of the effect from the least dose to the greatest, as the line has it.
    """
    doses = {label: values[one.slope] for label, values in study.params.variants(base(one.treatment)).items()
             if set(values) == {one.slope}}
    if len(doses) < 2 or not all(isinstance(dose, int | float) and dose > 0 for dose in doses.values()):
        raise ConfigError(f"{where}.slope: found '{one.slope}'; allowed: what '{one.treatment}' sweeps alone, over "
                          f"numbers above 0{nearest(one.slope, study.params.experiments[base(one.treatment)].vary or ())}")
    x = [math.log(dose) for dose in doses.values()]
    centre, spread = sum(x) / len(x), max(x) - min(x)
    squares = sum((value - centre) ** 2 for value in x)
    for value, label in zip(x, doses, strict=True):
        control: Arm = arms.find(arm_name(one.control, label), where, fallback=True)
        yield (value - centre) / squares * spread, Pair(arms.find(arm_name(one.treatment, label), where), control)
