"""A chapter's answers are the sentences of their claims' verdicts."""

from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.book.answers import answers
from pipeline.spec.base import read_yaml
from pipeline.spec.claims import read_claims
from pipeline.spec.params import load

ROOT = Path(__file__).parents[2]


def test_an_answer_is_the_sentence_of_its_claims_verdict(study):
    first, second = answers(study, "sequences")
    assert first.sentence == "Put it before." and list(first.cells["effect"]) == [0.3]
    assert second.sentence == "It does nothing." and not len(second.cells)
    assert answers(study, "elsewhere") == []


@pytest.mark.parametrize(("verdict", "way", "sentence"), [
    ("contradicted", "the opposite effect", "Put it after."),
    ("contradicted", "no effect of that size", "Put it anywhere."),
    ("undecided", "", "Nobody knows."), ("mixed", "", "This is not measured yet.")])
def test_another_verdict_gives_another_sentence(study, verdict, way, sentence):
    changed = study.verdicts.copy()
    changed.loc[0, ["verdict", "reads", "way"]] = [verdict, verdict, way]
    other = replace(study, tables={**study.tables, "verdicts": changed})
    assert answers(other, "sequences")[0].sentence == sentence


def test_every_chapter_opens_with_two_answers_that_no_verdict_leaves_silent():
    params = load(ROOT / "params.yaml")
    claims = {claim.slug: claim for claim in read_claims(ROOT / "book/claims.yaml")}
    found = read_yaml(ROOT / "book/answers.yaml")
    assert set(found) == {claim.topic for claim in claims.values()}
    for topic, chapter in found.items():
        assert set(chapter) <= {"question", "sweeps", "places", "answers"}
        assert {name for names in chapter.get("sweeps", ()) for name in names} <= set(params.experiments)
        assert all(params.experiments[name].everywhere for name in chapter.get("places", ()))
        assert len(chapter["answers"]) == 2 and chapter["question"].endswith("?")
        assert (ROOT / "book" / f"{topic}.md").exists()
        for answer in chapter["answers"]:
            claim = claims[answer["claim"]]
            assert claim.topic == topic, answer
            words = {"true", "false"} if claim.checks else {
                "supported", "opposite", "no_effect", "mixed", "undecided"}
            assert set(answer) == {"claim", *words}, answer
