"""The page of the first study sets its verdicts beside those of this one."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from pipeline.book.first_study import COLUMNS
from pipeline.book.pages.first_study import (
    CONTRADICTED, GONE, LATER, LOST, NO_EFFECT, SAME, SPLIT, TURNED, WON, beyond, change, changed, counts,
    cut, effects, rested, signs, write)


ROOT = Path(__file__).parents[3]


def first(slug, verdict="supported", **more):
    return dict.fromkeys(COLUMNS, "") | {
        "slug": slug, "says": f"What {slug} says.", "metric": "error", "verdict": verdict, "fragile": False, "D": 2,
        "F": 1, "A": 0, "data": "vowels, tabular", "sets": 2, "real": 1, "seeds": 60, "scale": "log ratio",
        "least": -0.1, "greatest": 0.2, "learning_treatment": 0.5, "learning_control": 0.25, "beyond_trivial": 0} | more


def table(*rows):
    return pd.DataFrame(rows, columns=COLUMNS)


@pytest.mark.parametrize(("before", "now", "is_so"), [
    ("supported", ["supported"], SAME), ("supported", ["contradicted"], TURNED),
    ("supported", ["no effect that matters"], TURNED), ("true", ["true"], SAME), ("true", ["false"], TURNED),
    ("no effect that matters", ["no effect that matters"], SAME), ("contradicted", ["undecided"], LOST),
    ("mixed", ["undecided"], SAME), ("mixed", ["supported"], WON), ("undecided", ["contradicted"], WON),
    ("supported", ["supported", "supported"], SAME), ("supported", ["supported", "undecided"], SPLIT),
    ("supported", [], GONE), ("undecided", ["being measured"], LATER), ("supported", ["not measured"], LATER)])
def test_how_a_claim_came_out(before, now, is_so):
    assert change(before, now) == is_so


def test_claims_are_paired_by_slug_and_counted(study):
    found = replace(study, first_study=table(
        first("before_helps"), first("dropout_helps"), first("tables_bn_helps"), first("selu_helps"),
        first("forgotten"), first("exact_one", "false", data="", sets=float("nan"), least=float("nan"))))
    text = counts(found)
    # before_helps is contradicted now, tables_bn_helps supported, and exact_one is true.
    assert text.startswith("Of 6 claims of the first study:\n\n- 1 came out as before\n- 2 turned")
    assert "- 1 with verdicts that differ between kinds of data" in text and "- 1 being measured" in text
    assert f"- {len(study.claims) - 5} that were not asked then" in text and "- 1 no longer asked" in text
    turned = changed(found, [TURNED]).splitlines()[2:]
    assert turned[0].startswith("| [Batch normalisation before the activation lowers the error](/claims/before_helps.md) | "
                                "supported | vowels, tabular (1 of 2 real) | test error: −18 to +11 % | contradicted |")
    assert len(turned) == 2 and "| exact checks | – | true | turned |" in turned[1]
    assert "forecasts: contradicted; classes: supported" in changed(found, [SPLIT])
    assert "| What forgotten says | supported |" in changed(found, [GONE])


def test_contradicted_by_no_effect_is_a_verdict_of_its_own(study):
    row = first("before_helps", CONTRADICTED, way="no effect of that size")
    assert f"| {NO_EFFECT} | vowels" in changed(replace(study, first_study=table(row)), [TURNED])
    row = first("before_helps", CONTRADICTED, way="the opposite effect")
    assert "- 1 came out as before" in counts(replace(study, first_study=table(row)))


def test_what_the_verdicts_rested_on_is_counted():
    rows = table(first("a", data="vowels", sets=1), first("b", data="tabular, tokens, eeg", sets=3, real=0, seeds=30),
                 first("c", data="", sets=float("nan")))
    assert rested(rows) == ("Of 2 measured claims, 1 rested on one or two data sets, and 1 on none that is real; 4 data "
                            "sets, 1 of them real, served all. Behind each comparison stood 30 to 60 seeds.\n")
    assert rested(table()) == cut(table()) == beyond(table()) == signs(table()) == ""


def test_signs_lengths_and_capped_errors_are_counted():
    rows = table(first("a"), first("b", least=0.1, learning_treatment=0.25), first("c", scale="share"),
                 first("d", D=1, beyond_trivial=3))
    assert signs(rows).startswith("Of 2 claims with several comparisons of errors, losses or epochs, 1 had")
    # Means of 0.5, 0.25, 0.5, 0.5 and of 0.25 four times; three are 25 points apart.
    assert "44 % of the runs with the change and 25 % of those" in cut(rows) and "In 3 claims" in cut(rows)
    assert beyond(rows).startswith("1 claim had")


@pytest.mark.parametrize(("row", "text"), [
    (first("a", least=0.0, greatest=0.6931), "test error: −50 to 0 %"),
    (first("a", metric="divergence", scale="share", least=-0.2, greatest=0.05), "points"),
    (first("a", least=0.1, greatest=0.1), "test error: −9.5 %"),
    (first("a", least=float("nan")), "–")])
def test_effects_are_changes_of_the_score(row, text):
    assert text in effects(row)


def test_every_piece_of_the_page_is_written(study):
    text = (ROOT / "book/first_study.md").read_text()
    assert set(write(study)) == {f"generated/first_study/{name}.md" for name in
                                 ("source", "rested", "cut", "beyond", "signs", "counts", "turned", "all")}
    assert all(f"```{{include}} {path}" in text for path in write(study))
