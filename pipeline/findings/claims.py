"""Claims are readings: what findings say of a sentence. A claim has no effect, word or p value of its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.config.errors import ConfigError, nearest
from pipeline.config.readings import Claim, READINGS
from pipeline.findings.asked import Question
from pipeline.findings.estimate import Estimate, holm
from pipeline.findings.finding import ALL, Average
from pipeline.findings.numbers import capital
from pipeline.findings.regions import CODES, REGIONS, Reading, together
from pipeline.findings.rule import Rule
from pipeline.findings.words import FAMILY, THESE_SETS, choose, said
from pipeline.tables.schemas import PART_COLUMNS, READING_COLUMNS

#: The questions of each comparison of a claim, each with 1, or -1 where it is put the other way round.
Asked = Sequence[Sequence[tuple[Question, int]]]


@dataclass(frozen=True, eq=False)
class Part:
    """A finding in a stratum, or on a data set, as a claim sees it.

    Attributes:
        id: of the finding.
        stratum, data: where; `data` is empty but for single sets.
        called: what the finding is called in the claim.
        turn: -1 where the claim puts it the other way round.
        estimate: so turned.
        word: the finding's own, not turned.
    """

    id: str
    stratum: str
    data: str
    called: str
    turn: int
    estimate: Estimate
    delta: float
    family: bool
    word: str

    @property
    def where(self) -> str:
        return self.data or self.stratum


@dataclass(frozen=True, eq=False)
class Read:
    """A claim with its reading.

    Attributes:
        parts: what it rests on.
        says: of each part what it says, a key of `CODES`.
        proven: of each part whether it decides `some`, or to disagree with `each`.
        why: why nothing can be told, else empty.
    """

    claim: Claim
    reading: Reading
    parts: Sequence[Part] = ()
    says: Sequence[int] = ()
    proven: Sequence[bool] = ()
    why: str = ""


@dataclass(frozen=True, eq=False)
class Reader:
    """Reads claims.

    Attributes:
        averages: id of a finding → its averages that are read.
        sets: id and data set → the effect's estimate there.
        checks: whether each exact check holds, by name.
        experiments: those that there are.
    """

    averages: Mapping[str, Sequence[Average]]
    sets: Mapping[tuple[str, str], Estimate]
    checks: Mapping[str, bool]
    experiments: Sequence[str]
    rule: Rule

    def identity(self, claim: Claim) -> Read:
        """A claim that exact checks decide. Raises ConfigError: it names a check that does not exist."""
        for i, check in enumerate(claim.checks):
            if check not in self.checks:
                raise ConfigError(f"{READINGS}: {claim.slug}.checks[{i}]: found '{check}'; allowed: "
                                  f"{', '.join(self.checks) or 'none was stored'}{nearest(check, self.checks)}")
        return Read(claim, Reading.TRUE if all(self.checks[check] for check in claim.checks) else Reading.FALSE)

    def read(self, claim: Claim, asked: Asked, premises: Asked = ()) -> Read:
        """A claim that findings decide.

        Args:
            asked: the questions of each of its findings, with their turns.
            premises: those of what it would explain; it is read where these hold.
        """
        parts = [part for one, questions in zip(claim.findings, asked, strict=True)
                 for part in self.parts(claim, questions, one.called)]
        if not parts:
            return Read(claim, Reading.CANNOT_TELL, why="no data set has the measure on enough seeds")
        explained = [part for part in parts if self._explained(claim, part, premises)]
        why = self._why_not(claim, explained)
        parts = explained or parts
        region, tail = REGIONS[claim.predicts.region], self.rule.tail
        chances = [region.chances(part.estimate, part.delta, tail) for part in parts]
        yes, no = (np.array(p, float) for p in zip(*chances, strict=True))
        says = np.where(yes < tail, 1, np.where(no < tail, -1, 0)).tolist()
        if why:
            return Read(claim, Reading.CANNOT_TELL, parts, says, [False] * len(parts), why)
        code = int(together(claim.predicts.quantifier, yes, no, tail))
        proven = holm(yes if claim.predicts.quantifier == "some" else no) < tail
        return Read(claim, CODES[code], parts, says, proven.tolist())

    def _explained(self, claim: Claim, part: Part, premises: Asked) -> bool:
        """Whether what a claim would explain is so, where this part was measured."""
        for premise, questions in zip(claim.explains, premises, strict=True):
            mine = [one for one in self.parts(claim.model_copy(update={"data": None}), questions, "")
                    if ALL in (one.stratum, part.stratum) or one.stratum == part.stratum]
            chances = [REGIONS[premise.region].chances(one.estimate, one.delta, self.rule.tail)[0] for one in mine]
            if not any(chance < self.rule.tail for chance in chances):
                return False
        return True

    def _why_not(self, claim: Claim, explained: Sequence[Part]) -> str:
        """What keeps a claim that says why from being told; empty if nothing."""
        absent = [name for name in claim.needs if name not in self.experiments]
        needs = [f"it needs {', '.join(absent)}, which was not tried"] if absent else []
        what = {"better": "gain", "worse": "harm"}.get(claim.explains[0].region if claim.explains else "", "")
        return "; and ".join(([] if explained else [f"no {what} is shown that it could explain"]) + needs)

    def parts(self, claim: Claim, questions: Sequence[tuple[Question, int]], called: str) -> list[Part]:
        """The averages of a finding that a claim reads; single sets where it names these."""
        found, wanted = [], claim.data or ()
        for question, turn in questions:
            averages, named = self.averages[question.id], {*question.sets} & {*wanted} - {question.kind}
            rows = [("", data, self.sets[question.id, data], averages[0].finding.delta, False) for data in question.sets
                    if data in named and (question.id, data) in self.sets] if named else [
                (one.stratum, "", one.estimate, one.finding.delta, one.family) for one in averages
                if not wanted or {one.stratum, question.kind} & {*wanted}]
            for stratum, data, estimate, delta, family in rows:
                word = said(choose(*estimate.bounds(self.rule.tail), delta), question.comparison.metric)
                turned = estimate if turn > 0 else -estimate
                found.append(Part(question.id, stratum, data, called, turn, turned, delta, family, word))
        return found


def reads(read: Read) -> str:
    """How a reading is printed: `agrees`, or `agrees on ReLU, disagrees on tanh (classes)`."""
    return _by_part(read) if read.reading == Reading.MIXED else str(read.reading)


def _by_part(read: Read) -> str:
    """What each part says."""
    texts = []
    for code in (1, -1, 0):
        names = _names([part for part, said in zip(read.parts, read.says, strict=True) if said == code], read.parts)
        texts += [f"{CODES[code]} on {names}"] if names else []
    return ", ".join(texts)


def _names(some: Sequence[Part], parts: Sequence[Part]) -> str:
    """Parts by name, each finding with where it is, if that does not go without saying."""
    several, called = len({part.where for part in parts}) > 1, len({part.called for part in parts}) > 1
    if not called:
        return _listed([part.where for part in some])
    found: dict[str, list[str]] = {}
    for part in some:
        found.setdefault(part.called, []).append(part.where)
    return _listed([f"{name} ({_listed(where)})" if several else name for name, where in found.items()])


def _listed(names: Sequence[str]) -> str:
    names = list(dict.fromkeys(names))
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]])) if names else ""


def sentence(read: Read) -> str:
    """A reading in one sentence, with what it rests on."""
    if read.reading == Reading.WAITING:
        return "An experiment that it needs is being measured; nothing is said before."
    if read.reading in (Reading.TRUE, Reading.FALSE):
        number = len(read.claim.checks)
        return f"{capital(read.reading)}: {number} exact check{'s decide' if number > 1 else ' decides'} it."
    text = capital(reads(read))
    if read.why:
        return f"{text}, because {read.why}."
    return f"{text}{_because(read)}{'' if all(part.family for part in read.parts) else ', on the sets that were tried'}."


def _because(read: Read) -> str:
    """How the parts of a claim that has several make its reading."""
    quantifier, count = read.claim.predicts.quantifier, len(read.parts)
    if count == 1 or read.reading == Reading.MIXED:
        return ""
    proven = _names([part for part, yes in zip(read.parts, read.proven, strict=True) if yes], read.parts)
    if read.reading == Reading.AGREES:
        return f": at least one of {count} is shown to be so, {proven}" if quantifier == "some" else (
            ": both are so" if count == 2 else f": all {count} are so")
    if read.reading == Reading.DISAGREES:
        return f": not so on {proven}" if quantifier == "each" else ": neither is so" if count == 2 else (
            f": none of {count} is so")
    return f": {_by_part(read)}" if any(read.says) else ""


def tables(found: Sequence[Read]) -> dict[str, pd.DataFrame]:
    """`READING_COLUMNS`, one row a claim; `PART_COLUMNS`, one row a finding and stratum (or set) that it rests on.

    `says` is what a part by itself says of the claim.
    """
    readings = [(one.claim.slug, one.claim.topic, str(one.reading), reads(one), sentence(one),
                 *(getattr(one.claim.predicts, name, "") for name in ("region", "quantifier", "by")),
                 FAMILY if one.parts and all(part.family for part in one.parts) else THESE_SETS if one.parts else "",
                 one.claim.analogue, one.claim.primary) for one in found]
    parts = [(one.claim.slug, part.called, part.id, part.stratum, part.data, part.turn, part.word, str(CODES[code]),
              bool(proven)) for one in found for part, code, proven in zip(one.parts, one.says, one.proven, strict=True)]
    return {"readings": pd.DataFrame(readings, columns=READING_COLUMNS), "parts": pd.DataFrame(parts, columns=PART_COLUMNS)}
