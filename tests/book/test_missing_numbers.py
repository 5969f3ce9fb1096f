"""Where a number is missing, no page and no picture says `nan`."""

import math
import re
from dataclasses import replace

import pandas as pd
import pytest

from pipeline.book.assemble import PAGES
from pipeline.book.picture import Picture
from pipeline.findings.numbers import MISSING, number, share
from pipeline.tables.schemas import FOUND as FINDINGS, STORED
from tests.book.hostile_book import FOUND, MORE, PLACE, TORTURE

NAN = re.compile(r"(?<![\w.])[+−-]?(nan|inf)(?![\w.])")


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_number_that_is_none_is_a_dash(value):
    assert number(value, ".3g", " %") == number(None, ".3g") == share(None) == share(value) == MISSING


@pytest.mark.parametrize("first", range(0, 60, 13))
def test_no_page_says_nan(study, first):
    """In each column of numbers one is missing, each time that of another row."""
    tables = {**study.tables, **{name: pd.DataFrame(rows * 8, columns=list({**STORED, **FINDINGS}[name].columns)) for name, rows in MORE.items()}}
    for name, table in tables.items():
        table = tables[name] = table.copy()
        for place, column in enumerate(table.select_dtypes("float").columns):
            table.iloc[(first + 3 * place) % len(table), table.columns.get_loc(column)] = math.nan
    test = {"family": "images", "seeds": 12, "references": 90, "p_shift": math.nan, "p_excess": math.nan}
    certificate = FOUND | {"largest": math.nan, "median": math.nan, "chance_of_one_in_a_hundred": math.nan, "tests": [test]}
    broken = replace(study, tables=tables, certificates={"mine": certificate}, scale_place=PLACE, torture=TORTURE)
    written = {path: content for page in PAGES for path, content in page.write(broken).items()}
    texts = {path: content.alt if isinstance(content, Picture) else content for path, content in written.items()
             if isinstance(content, Picture | str)}
    assert len(texts) > 60
    for path, text in texts.items():
        assert not NAN.search(text), (path, text[max(0, NAN.search(text).start() - 80):NAN.search(text).end() + 20])
