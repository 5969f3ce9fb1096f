"""The page of a real data set, and the overview of all."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from pipeline.book.data_set import shape
from pipeline.book.pages import data_set
from pipeline.book.pages.data_set import linked, sample, used
from pipeline.tables.schemas import BASELINE_COLUMNS
from tests.book.test_data_set import images, table

ABOUT = {"title": "wages of men", "origin": "Doe (1990), https://doi.org/10.1/2", "package": "things",
         "member": "things/wages.csv", "licence": {"name": "CC BY 4.0", "how": "quoted", "source": "a page"},
         "citation": "Doe (1990), Wages", "done": "Rounded.", "cautions": ["Men only.", "See https://a.b/c."]}


@pytest.fixture
def known(study, tmp_path):
    """The invented study with the arrays, and the description, of one data set."""
    np.savez(tmp_path / "wages.npz", **table() | {"about_rows": np.array(1234), "about_used": np.array("drawn"),
                                                  "about_missing": np.array(5), "about_duplicates": np.array(0)})
    simple = pd.DataFrame([("wages", 5, 0.5, np.nan, np.nan, 0.4, 0.25, 0.3, "")], columns=BASELINE_COLUMNS)
    return replace(study, files={"wages": tmp_path / "wages.npz"}, described={"wages": ABOUT},
                   tables={**study.tables, "baselines": simple})


def test_every_real_data_set_has_a_page_and_no_other(study):
    pages = {path for path in data_set.write(study) if path.startswith("data_sets/")}
    assert pages == {f"data_sets/{name}.md" for name, entry in study.params.data.items() if entry.unit}


def test_a_page_shows_the_data_and_says_where_they_come_from(known):
    files = data_set.write(known)
    text = files["data_sets/wages.md"]
    for part in ("# A table of wages", "of the family *tables*; unit: wages", "figures/data-wages.svg",
                 "Predict one of 2 classes from a row: 4 columns",
                 "A split has 6 / 3 / 3 samples", "<https://doi.org/10.1/2>", "its file `things/wages.csv`",
                 "CC BY 4.0; others quote the owner; the owner's own words were not read (a page)",
                 "Rounded.", "The file has 1,234 rows; a fixed random part of them is used; 5 with a missing value "
                 "were left out.", "- Men only.", "- See <https://a.b/c>."):
        assert part in text, part
    assert files["figures/data-wages"].name == "data-wages"


def test_how_hard_it_is_is_said_by_predictors_over_the_trivial_one(known):
    text = data_set.hardness(known, "wages")
    assert "| the trivial predictor | 0.5 | 1.00 |" in text and "| a linear model | 0.4 | 0.80 |" in text
    assert "| a random forest | 0.25 | 0.50 |" in text and "| gradient boosting | 0.3 | 0.60 |" in text
    assert "the last known value" not in text and "season" not in text
    control = known.data_sets.set_index("data").loc["wages"]
    row = f"| the study's control, [mlp](#experiment-mlp){{}} | {control['error']:.3g} | {control['of_trivial']:.2f} |"
    assert row.format("") in text
    competent = replace(known, tables={**known.tables, "data_sets": known.data_sets.assign(competent=True)})
    assert row.format(", competent") in data_set.hardness(competent, "wages")
    # Half the data costs nothing there.
    dull = data_set.hardness(known, "storms")
    assert "Half the data makes no difference here" in dull and "Half the data" not in text


def test_without_arrays_and_description_a_page_says_what_is_known(study):
    text = data_set.write(study)["data_sets/tides.md"]
    assert text.startswith("(data-tides)=\n# Tides by the hour") and "forecasts; unit: tides" in text
    assert "figures/" not in text and "## Where it comes from" not in text


def test_the_overview_lists_families_by_stratum_and_the_others(known):
    text = data_set.overview(known)["generated/data_sets.md"]
    assert "12 data sets of 11 units." in text and "### Forecasts" in text and "### Classes" in text
    row = next(line for line in text.splitlines() if "`wages`" in line)
    of_trivial = known.data_sets.set_index("data").loc["wages", "of_trivial"]
    assert row == ("| [A table of wages](/data_sets/wages.md) `wages` | wages | CC BY 4.0 | 4 columns | 2 classes | 6 | "
                   f"{of_trivial:.2f} | 0.80 | 0.50 | 0.60 |")
    assert "## Sets that stand for themselves" in text and "| badly_scaled |" in text


def test_images_are_pixels_and_never_steps(known, tmp_path):
    np.savez(tmp_path / "wages.npz", **images() | {"about_recordings": np.array(4), "about_used": np.array("all")})
    page = data_set.write(known)["data_sets/wages.md"]
    assert "Tell which of 2 classes an image has: 2 × 3 pixels." in page and "The file has 4 images" in page
    row = next(line for line in data_set.overview(known)["generated/data_sets.md"].splitlines() if "`wages`" in line)
    assert "| 2 × 3 pixels | 2 classes | 6 |" in row
    assert "steps" not in page and "steps" not in row
    coloured = images() | {"x": np.ones((4, 2, 3, 3), np.float32)}
    assert sample(shape(coloured)) == "2 × 3 pixels × 3 channels"


def test_addresses_become_links_without_what_follows_them():
    assert linked("see https://a.b/c: it, and (https://d.e/f).") == "see <https://a.b/c>: it, and (<https://d.e/f>)."


@pytest.mark.parametrize(("arrays", "words"), [
    ({"about_rows": 10, "about_used": "all", "about_windows": 8, "about_windows_dropped": 2},
     "The file has 10 rows; all are used; of 8 windows, the 2 that touch a missing value are left out."),
    ({"about_recordings": 10, "about_used": "all", "about_duplicates": 3},
     "The file has 10 recordings; all are used; 3 duplicates were left out."), ({}, "")])
def test_what_is_used_of_a_file(arrays, words):
    assert used({name: np.array(value) for name, value in arrays.items()}) == words
