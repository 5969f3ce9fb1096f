"""What a reader of the guide picks by follows from claims, plans and data files."""

from dataclasses import replace

from pipeline.book.facets import FACETS, asked, choices, facets
from tests.book.invented import PLANS


def test_a_question_is_picked_by_its_topic_and_its_network(study):
    by_slug = {claim.slug: claim for claim in study.claims}
    assert asked(study, by_slug["tables_bn_helps"]) == {
        "topic": "What helps an MLP?", "network": "dense layers (MLP)"}
    assert asked(study, by_slug["before_helps"])["network"] == "Conv1D and LSTM"


def test_a_data_set_is_picked_by_what_its_samples_are_like(study):
    known = replace(study, plans=PLANS, sizes={"tides": 999, "vowels": 1000, "wine": 3001})
    assert facets(known, "tides") == {
        "target": "a number", "channels": "1", "length": "up to 24", "samples": "fewer than 1,000"}
    assert facets(known, "vowels") == {
        "target": "a class", "channels": "2 to 9", "length": "25 to 100", "samples": "1,000 to 3,000"}
    # A table has no steps.
    assert facets(known, "wine") == {"target": "a class", "channels": "10 or more", "samples": "more than 3,000"}


def test_what_nothing_stored_says_is_left_out(study):
    assert facets(study, "tides") == {}


def test_every_choice_of_numbers_is_one_that_a_reader_sees():
    assert set(choices()) < set(FACETS)
