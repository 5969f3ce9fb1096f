"""The first page has a row for each of its situations, and says the best and the worst."""

from dataclasses import replace

import pandas as pd

from pipeline.book.advice import advice
from pipeline.book.pages.index import ends, in_short, verdicts, write
from tests.book.made import cell


def table(study):
    return write(study)["generated/index/answers.md"]


def test_the_first_page_has_a_row_for_each_situation_of_its_own(guided):
    rows = [line for line in table(guided).splitlines() if line.startswith("| [")]
    assert len(rows) == 2
    assert "[BN after a Conv1D](/order.md) | **Do it:** it helps." in rows[0]
    # exp(-0.3) - 1 = -0.2592, exp(-0.4) - 1 = -0.3297, exp(-0.2) - 1 = -0.1813
    assert "| −26 % (−33 to −18 %), forecast |" in rows[0]
    assert "better in 1 of 1 (1 beyond the margin), worse in 0 |" in rows[0]
    assert "`supported` [It is so](/claims/conv.md) |" in rows[0]
    assert "Not measured yet. | nothing yet |" in rows[1] and "no comparison yet" in rows[1]


def test_the_best_comparison_and_the_worst():
    many = pd.DataFrame([cell(), cell(data="tabular", effect=-0.1, low=-0.2, high=-0.05, sign="-"),
                         cell(data="noise", effect=0.9, position="uninformative")])
    assert ends(many) == "best: −26 % (−33 to −18 %), forecast<br>worst: +11 % (+5.1 to +22 %), tabular"
    assert ends(many.iloc[2:]) == "nothing yet"


def test_a_first_page_without_situations_says_so(guided):
    assert table(replace(guided, guide=())).startswith("No situation")


def test_it_opens_with_the_situations_by_what_to_do(guided):
    short = in_short(advice(guided, front=True))
    assert "**Do it:** BN after a Conv1D.\n" in short and "Nobody looked" not in short
    assert "behind these lines: 1; with a clear direction: 1; beyond the margin, below" in short
    key = table(guided).partition("| situation")[0]
    assert "30 seeds each. In brackets: 95 % intervals" in key and "10 % or more where" in key
    assert in_short(advice(replace(guided, claims=guided.claims[2:]), front=True)) == ""


def test_the_figure_has_the_comparisons_of_its_rows(guided):
    files = write(guided)
    rows = files["figures/answers"].rows
    assert list(rows["answer"]) == ["BN after a Conv1D"] and list(rows["data"]) == ["forecast"]
    assert "/figures/answers.svg" in files["generated/index/figure.md"]


def test_comparisons_of_another_score_are_not_drawn(guided):
    tables = {**guided.tables, "cells": pd.DataFrame([cell(claim="conv", metric="loss")])}
    files = write(replace(guided, tables=tables))
    assert "figures/answers" not in files and "figures/answers.svg" not in files["generated/index/figure.md"]


def test_claims_are_counted_by_verdict(study):
    assert verdicts(study) == (
        "Of 3 claims: **1 supported, 1 not measured**; decided by exact checks: **1 true**.\n")
    assert verdicts(replace(study, claims=[])) == "No claim is declared.\n"
