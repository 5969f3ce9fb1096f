"""A claim's page has all that decides it."""

import hashlib
from dataclasses import replace

import pytest

from pipeline.book.pages.claim import page, robustness, write


def test_a_claims_page_has_all_that_decides_it(study):
    text = write(study)["claims/before_is_better.md"]
    for part in ("(before_is_better)=", "# Before is better", "`supported on forecast`", "`fragile`",
                 "1 of 1 comparison on forecast came out as predicted",
                 "The thread's prediction: test error lower by more than the margin",
                 "figures/claim-before_is_better.svg", ":alt: Forest plot of the test error.",
                 "26 % lower test error (95 % interval 18 % to 33 %)", "only a hand-made reason",
                 "| supported | supported | contradicted |", "[before](#experiment-before)",
                 "[lab record](/records/before.ipynb)", "Thread A, answer; row A6"):
        assert part in text, part


def test_below_the_figure_stand_its_data_with_their_hash(study):
    files = write(study)
    picture = files["figures/claim-before_is_better"]
    digest = hashlib.sha256(picture.files()["figures/claim-before_is_better.csv"].encode()).hexdigest()
    assert f"SHA-256 `{digest[:12]}…`" in files["claims/before_is_better.md"]
    assert list(picture.rows["effect"]) == [0.3]


def test_an_identity_shows_its_checks(study):
    text = page(study, study.claims[1])
    assert "| `never_added` | It does nothing | 0 | 0 | yes |" in text
    none = replace(study, tables={**study.tables, "checks": study.checks.iloc[:0]})
    assert "None is stored yet." in page(none, study.claims[1])


def test_a_claim_without_a_result_says_so(study):
    text = page(study, study.claims[2])
    assert "`not measured`" in text and "No stored result decides" in text
    assert "Our prediction, as the thread makes none" in text and "## What was measured" not in text


@pytest.mark.parametrize(("claim", "values", "words"), [
    (0, {"because": "It must."}, "**Because.** It must. The verdict is on the statement, not on its reason."),
    (1, {"because": "It must."}, "**Note.** It must."),
    (0, {"analogue": True}, "out of reach; this is our analogue of it.")])
def test_a_reason_and_an_analogue_are_told(study, claim, values, words):
    assert words in page(study, study.claims[claim].model_copy(update=values))


def test_a_measure_has_no_other_choice(study):
    assert "there is no other choice" in robustness(study, study.claims[0].model_copy(update={"probe": True}))
    assert robustness(study, study.claims[2]) == ""
