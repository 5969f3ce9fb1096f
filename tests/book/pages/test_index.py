"""The first page shows what to do and the data sets that say so, and says the same with links."""

from dataclasses import replace

from pipeline.book.pages.index import verdicts, write


def test_the_figure_stands_for_wide_screens_and_for_narrow_ones(study):
    files = write(study)
    text = files["generated/index/answers.md"]
    assert {"figures/answers", "figures/answers-narrow"} < set(files)
    assert text.index(":::{div} only-wide") < text.index("/figures/answers.svg") < text.index(":::{div} only-narrow")
    assert files["figures/answers"].rows.equals(files["figures/answers-narrow"].rows)
    assert text.count(':alt: "7 questions: 2 better') == 2


def test_it_says_the_same_in_words_with_links_in_the_order_of_the_figure(study):
    text = write(study)["generated/index/answers.md"]
    rows = [line for line in text.splitlines() if line.startswith("| [")]
    assert [line.split(" | ")[1] for line in rows] == [
        "**Put it in**", "**Put it in (helps a little)**", "**Leave it out**", "**Leave it out**",
        "**Makes no difference on average**", "**Open**", "**Being measured**"]
    assert rows[0].startswith("| [Dropout → LSTM](/dropout.md) (classes) | **Put it in** | 12 % less error on average")
    assert "(/claims/dropout_helps.md)" in rows[0] and "`being measured`" in rows[-1]


def test_the_key_has_the_rules_numbers(study):
    text = write(study)["generated/index/answers.md"]
    assert "each with 15 seeds" in text and "95 % interval" in text and "in about 80 % of cases" in text
    assert "less than a factor of 1.1 (−9.1 % to +10 %) hardly matters" in text and "a false discovery rate of 5 %" in text


def test_claims_are_counted_by_verdict(study):
    assert verdicts(study) == (
        "These questions are a few of [12 claims](/claims.md). A verdict says whether what a claim predicts "
        "was found; those on all of them (13, as some have one for forecasts and one for classes): **5 supported, 2 contradicted, 1 no effect that matters, 2 undecided, 1 being "
        "measured, 1 not measured**; decided by exact checks: **1 true**.\n")
    assert verdicts(replace(study, claims=[])) == "No claim is declared.\n"


def test_a_first_page_without_primary_questions_says_so(study):
    files = write(replace(study, guide=()))
    assert files["generated/index/answers.md"].startswith("No situation") and "figures/answers" not in files
