"""A picture has its drawing and its rows as files."""

import io

import pandas as pd
from matplotlib.figure import Figure

from pipeline.book.picture import Picture, sha256


def draw(rows):
    figure = Figure()
    figure.suptitle(f"{len(rows)} rows")
    return figure


def test_the_files_are_the_drawing_and_the_rows():
    rows = pd.DataFrame({"experiment": ["a", "b"], "mean": [0.1, float("nan")]})
    picture = Picture("name", rows, draw, lambda rows: "what it shows")
    files = picture.files()
    assert list(files) == ["figures/name.svg", "figures/name.csv"]
    assert ">2 rows<" in files["figures/name.svg"]
    pd.testing.assert_frame_equal(pd.read_csv(io.StringIO(files["figures/name.csv"])), rows)
    assert picture.experiments == ["a", "b"] and picture.alt == "what it shows"


def test_a_hash_is_shown_by_its_start():
    # echo -n "some curves" | sha256sum
    assert sha256(b"some curves") == "92e86e3f20c0"
