"""What a person writes for the book alone: read whole, or refused in one message."""

from pathlib import Path

import pytest

from pipeline.book.written import read_answers, read_cards, read_evidence
from pipeline.config.errors import ConfigError
from pipeline.config.read_yaml import read_yaml
from pipeline.config.readings import read_claims
from pipeline.config.schema import load
from pipeline.tables.schemas import FOUND
from pipeline.tables.stored import read_table

ROOT = Path(__file__).parents[2]


def written(folder, text):
    (folder / "book").mkdir(exist_ok=True)
    (folder / "book/answers.yaml").write_text(text)
    return folder


def test_the_books_own_file_is_read_as_it_is_written():
    content = read_yaml(ROOT / "book/answers.yaml")
    assert read_answers(ROOT) == content["chapters"] and list(read_cards(ROOT)) == content["cards"]


def test_every_finding_of_a_card_is_one_of_its_stratum():
    table = read_table(ROOT / FOUND["findings"].path())
    known, waiting = set(zip(table["id"], table["stratum"], strict=True)), load(ROOT / "params.yaml").being_measured
    assert [(one["id"], card["stratum"]) for card in read_cards(ROOT) for one in card["findings"]
            if (one["id"], card["stratum"]) not in known and not any(name in one["id"] for name in waiting)] == []


def test_no_file_and_an_empty_one_ask_nothing(tmp_path):
    assert (read_answers(tmp_path), read_cards(tmp_path)) == ({}, ())
    assert (read_answers(written(tmp_path, "# nothing yet\n")), read_cards(tmp_path)) == ({}, ())


@pytest.mark.parametrize(("text", "found"), [
    ("- order\n", r'book/answers.yaml: found \["order"\]; allowed: cards, and chapters'),
    ("order: {places: [a]}\n", "allowed: cards, and chapters by their topics"),
    ("chapters: [order]\n", "chapters: found .*; it needs a mapping"),
    ("cards: {a: 1}\n", "cards: found .*; it needs a list"),
    ("cards: [{title: A, stratum: s, topic: t}]\n", r"cards\[0\].*findings"),
    ("cards: [{title: A, stratum: s, topic: t, findings: []}]\n", r"cards\[0\].findings.*at least 1"),
    ("chapters:\n  ../order: {places: [a]}\n", "found the topic '../order'; allowed: lower-case letters"),
    ("chapters:\n  3: {places: [a]}\n", "found the topic 3; allowed: lower-case letters"),
    ("chapters:\n  order: Where?\n", r"chapters.order: found 'Where\?'; it needs a mapping with: ")])
def test_a_mistake_is_named_with_its_place(tmp_path, text, found):
    with pytest.raises(ConfigError, match=found) as said:
        read_cards(written(tmp_path, text))
        read_answers(tmp_path)
    assert "\n" not in str(said.value)


ROOT = Path(__file__).parents[2]
EVIDENCE = """
- rows: [B5]
  says: It halves the error.
  cite: someone2000
  claims: [it_helps, it_harms]
- {rows: [A1], says: It is known., cite: other_2001}
"""

def cited(path, evidence):
    (path / "book").mkdir()
    (path / "book/evidence.yaml").write_text(evidence)
    (path / "book/references.bib").write_text("@misc{someone2000,\n}\n@inproceedings{other_2001,\n}\n")
    return path


def test_a_project_without_findings_has_none(tmp_path):
    assert read_evidence(tmp_path) == ()


@pytest.mark.parametrize(("old", "new", "message"), [
    ("cite: someone2000", "cite: someone_200", r"\[0\].cite: found 'someone_200'.*did you mean 'someone2000'"),
    ("says:", "sayz:", r"unknown key 'sayz'.*did you mean 'says'"),
    ("rows: [B5]", "rows: [C5]", r"\[0\].rows\[0\]")])
def test_a_mistake_in_evidence_is_answered_with_its_place(tmp_path, old, new, message):
    assert old in EVIDENCE
    with pytest.raises(ConfigError, match=message):
        read_evidence(cited(tmp_path, EVIDENCE.replace(old, new)))


def test_a_file_is_a_list(tmp_path):
    with pytest.raises(ConfigError, match="needs a list"):
        read_evidence(cited(tmp_path, "rows: [B5]\n"))


def test_the_findings_of_this_book_are_about_claims_of_their_rows():
    found, claims = read_evidence(ROOT), {one.slug: one for one in read_claims(ROOT / "book/readings.yaml")}
    assert len(found) > 20
    for entry in found:
        for slug in entry["claims"]:
            assert {*claims[slug].rows} & {*entry["rows"]}, (entry, slug)
