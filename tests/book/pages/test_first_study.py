"""The page of the first study sets its verdicts beside those of this one; what its prose counts is in the stored table."""

import re
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from pipeline.book.pages.first_study import came_out, compared, effects, rows, write

BOOK = Path(__file__).parents[3] / "book"
FIRST = pd.read_csv(BOOK / "first_study.csv", keep_default_na=False, na_values=["NaN"])


def first(slug, verdict="supported", **more):
    return {"slug": slug, "says": f"What {slug} says.", "metric": "error", "verdict": verdict, "way": "", "fragile": False,
            "data": "vowels, tabular", "sets": 2, "real": 1, "scale": "log ratio", "least": -0.1, "greatest": 0.2} | more


@pytest.mark.parametrize(("before", "now", "is_so"), [
    ("supported", ["supported"], "as before"), ("supported", ["contradicted"], "turned"),
    ("supported", ["no effect that matters"], "turned"), ("true", ["false"], "turned"), ("mixed", ["undecided"], "as before"),
    ("contradicted", ["undecided"], "open now"), ("mixed", ["supported"], "decided now"),
    ("supported", ["supported", "supported"], "as before"), ("supported", ["supported", "undecided"], "depends on the kind of data"),
    ("supported", [], "no longer asked"), ("undecided", ["being measured"], "being measured"),
    ("supported", ["not measured"], "being measured")])
def test_how_a_claim_came_out(before, now, is_so):
    assert came_out(before, set(now)) == is_so


def test_claims_are_paired_by_slug_and_counted(study):
    found = replace(study, first_study=pd.DataFrame([
        first("before_helps"), first("dropout_helps"), first("tables_bn_helps"), first("selu_helps"),
        first("forgotten"), first("exact_one", "false", data="", sets=float("nan"), least=float("nan"))]))
    pages = write(found)
    text = pages["generated/first_study/counts.md"]
    # before_helps is contradicted now, tables_bn_helps supported, and exact_one is true.
    assert text.startswith("Of 6 claims of the first study:\n\n- 1 came out as before\n- 2 turned")
    assert "- 1 with verdicts that differ between kinds of data" in text and "- 1 being measured" in text
    assert f"- {len(study.claims) - 5} that were not asked then" in text and "- 1 no longer asked" in text
    turned = pages["generated/first_study/turned.md"]
    assert ("| [Batch normalisation before the activation lowers the error](/claims/before_helps.md) | supported | vowels, "
            "tabular (1 of 2 real) | test error: −18 to +11 % | contradicted | turned |") in turned
    assert "| exact checks | – | true | turned |" in turned and "forecasts: contradicted; classes: supported" in turned
    assert "| What forgotten says | supported |" in pages["generated/first_study/all.md"]


def test_contradicted_by_no_effect_is_a_verdict_of_its_own(study):
    def found(way):
        return compared(replace(study, first_study=pd.DataFrame([first("before_helps", "contradicted", way=way)])))

    assert "| no effect that matters | vowels" in rows(found("no effect of that size"))
    assert found("no effect of that size")[0]["came out"] == "turned" and found("")[0]["came out"] == "as before"


@pytest.mark.parametrize(("row", "text"), [
    (first("a", least=0.0, greatest=0.6931), "test error: −50 to 0 %"), (first("a", scale="median", least=0.1, greatest=0.1), "−9.5 %"),
    (first("a", metric="divergence", scale="share", least=-0.2, greatest=0.05), "points")])
def test_effects_are_changes_of_the_score(row, text):
    assert text in effects(row)


def test_the_numbers_of_the_prose_are_those_of_the_table():
    text = re.sub(r"\s+", " ", (BOOK / "first_study.md").read_text(encoding="utf-8"))
    measured = FIRST[FIRST.sets.notna()]
    names, real = {name for names in measured.data for name in names.split(", ")}, {"vowels", "co2", "cancer", "power", "digits"}
    assert (f"Of {len(measured)} measured claims, {(measured.sets <= 2).sum()} rested on one or two data sets, and "
            f"{(measured.real == 0).sum()} on none that is real; {len(names)} data sets, {len(names & real)} of them real") in text
    assert f"stood {measured.seeds.min():.0f} to {measured.seeds.max():.0f} seeds" in text
    ratios = FIRST[(FIRST.scale == "log ratio") & (FIRST.D > 1)]
    assert f"Of {len(ratios)} claims" in text and f"{((ratios.least < 0) & (ratios.greatest > 0)).sum()} had some" in text
    arms = FIRST[["learning_treatment", "learning_control"]].dropna()
    treatment, control = 100 * arms.mean()
    assert f"{treatment:.0f} % of the runs with the change and {control:.0f} %" in text
    assert f"In {(arms.learning_treatment - arms.learning_control).abs().gt(0.2).sum()} claims" in text
    assert f"{(FIRST.beyond_trivial > 0).sum()} claims had runs whose error was finite" in text
