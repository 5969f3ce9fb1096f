"""A chapter's answers are what was found of its claims, in the averages' words."""

from dataclasses import replace
from pathlib import Path

from pipeline.book.answers import answers
from pipeline.config.errors import read_yaml
from pipeline.config.claims import read_claims
from pipeline.config.schema import load

ROOT = Path(__file__).parents[2]


def test_an_answer_names_its_change_and_says_what_came_of_it(study):
    first, second = answers(study, "sequences")
    assert first.sentence.startswith("**Batch normalisation before the activation: leave it out.** 21 % more error")
    assert second.sentence.startswith("**Batch normalisation before the activation rather than after it: makes no "
                                      "difference on average.** ")
    assert answers(study, "elsewhere") == []


def test_strata_that_differ_have_a_sentence_each(study):
    text = answers(study, "dropout")[0].sentence
    assert "Dropout before the LSTM, on forecasts: leave it out.**" in text
    assert "Dropout before the LSTM, on classes: put it in.**" in text


def test_an_identity_has_the_sentence_of_its_verdict(study):
    one, = answers(study, "mechanics")
    assert one.sentence == "It does nothing." and one.found == ()
    rows = study.verdicts.assign(verdict=study.verdicts["verdict"].replace("true", "false"))
    other = replace(study, tables={**study.tables, "verdicts": rows})
    assert answers(other, "mechanics")[0].sentence == "It does something."


def test_every_chapter_opens_with_two_answers_of_its_own_topic():
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
            assert set(answer) == {"claim", "true", "false"} if claim.checks else (
                {"claim", "change"} <= set(answer) <= {"claim", "change", "instead"}), answer


def test_a_choice_names_its_two_ways():
    found = read_yaml(ROOT / "book/guide.yaml") + [
        answer for chapter in read_yaml(ROOT / "book/answers.yaml").values() for answer in chapter["answers"]]
    chosen = [entry["instead"] for entry in found if "instead" in entry]
    assert len(chosen) > 20
    for ways in chosen:
        assert isinstance(ways, list) and len(set(ways)) == 2 and all(isinstance(way, str) for way in ways), ways


def test_the_guide_has_every_primary_question_once():
    claims = {claim.slug: claim for claim in read_claims(ROOT / "book/claims.yaml")}
    listed = [entry["claim"] for entry in read_yaml(ROOT / "book/guide.yaml")]
    assert len(set(listed)) == len(listed) and set(listed) <= set(claims)
    asked = {comparison(claims[slug]) for slug in listed}
    assert {comparison(claim) for claim in claims.values() if claim.primary} <= asked


def comparison(claim):
    """What a claim compares, whichever way round."""
    return frozenset(frozenset((one.treatment, one.control)) for one in claim.contrasts)
