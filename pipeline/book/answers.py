"""A chapter's answers: what was found of the claims that it opens with, in the averages' words."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.book.advice import Finding, findings
from pipeline.book.study import Study
from pipeline.book.words.numbers import capital
from pipeline.config.claims import Claim


@dataclass(frozen=True)
class Answer:
    """An answer: its claim, what was found of it (nothing of an identity), and both in a sentence or two."""

    claim: Claim
    found: tuple[Finding, ...]
    sentence: str


def answers(study: Study, topic: str) -> list[Answer]:
    """The answers of a chapter; one whose claim is not declared is left out.

    An entry of book/answers.yaml has the `change` that its claim tries, in words, and `instead`, the two ways,
    where that is a choice between them; that of an identity has a sentence for `true` and one for `false`.
    """
    claims = {claim.slug: claim for claim in study.claims}
    made = []
    for entry in study.answers.get(topic, {}).get("answers", ()):
        if not (claim := claims.get(entry["claim"])):
            continue
        found = tuple(findings(study, claim, entry.get("instead", ())))
        text = (" ".join(sentence(entry["change"], one) for one in found) if found else
                entry.get(study.verdict(claim)["verdict"], "This is not measured yet."))
        made.append(Answer(claim, found, text))
    return made


def sentence(change: str, one: Finding) -> str:
    """A change with what was found of it, as Markdown."""
    where = f", on {one.group}" if one.group else ""
    text = f"**{change}{where}: {one.head[:1].lower()}{one.head[1:]}.**"
    return " ".join(filter(None, [text, capital(one.words) + "." if one.words else "", one.note]))
