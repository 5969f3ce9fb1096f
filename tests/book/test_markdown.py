"""Pieces of Markdown: tables that nothing breaks, figures with their source, links that lead somewhere."""

import hashlib
import io

import pandas as pd
import pytest
from matplotlib.figure import Figure

from pipeline.book.markdown import claim_link, experiment_link, finding_link, image, record_link, source, table
from pipeline.book.picture import Picture, sha256


def test_table_cells_cannot_break_a_table():
    assert table(["a"], [["x|y\nz"]]) == "| a |\n| --- |\n| x\\|y z |\n"
    assert table(["a"], []) == ""


def test_links_name_what_is_there(study):
    assert claim_link(study.claims[0]) == "[Batch normalisation before the activation lowers the error](#claim-before_helps)"
    assert claim_link(study.claims[0], "more") == "[more](#claim-before_helps)"
    assert finding_link(study, "mlp_bn_or_mlp_tables", "more") == "[more](/findings/mlp_bn_or_mlp_tables.md)"
    assert experiment_link(study, "before[rate=1]") == "[before (rate=1)](#experiment-before)"
    assert experiment_link(study, "trivial predictor") == "trivial predictor"
    assert record_link(study, "before", "record") == "[record](/records/before.ipynb)"
    assert record_link(study, "after") == ""


def test_the_line_below_a_figure_has_data_hash_experiments_and_records(study):
    line = source(study, "x.csv", b"some data", ["after", "before[rate=1]", "trivial predictor"])
    digest = hashlib.sha256(b"some data").hexdigest()[:12]
    assert f"Drawn from {{download}}`x.csv </figures/x.csv>`, SHA-256 `{digest}…`. Experiments: " in line
    # In the order of params.yaml.
    assert ("[before](#experiment-before) ([record](/records/before.ipynb)), [after](#experiment-after)."
            in line)
    assert "Experiments" not in source(study, "x.csv", b"", [])


def test_an_image_has_its_text_on_one_line_and_the_source_of_its_rows(study):
    rows = pd.DataFrame({"treatment": ["before"], "control": ["plain"]})
    picture = Picture("drawn", rows, lambda rows: None, lambda rows: "two\nlines  long", small=True)
    text = image(study, picture)
    assert '```{image} /figures/drawn.svg\n:alt: "two lines long"\n:class: figure small\n```' in text
    assert hashlib.sha256(b"treatment,control\nbefore,plain\n").hexdigest()[:12] in text
    assert "[plain](#experiment-plain)" in text and "[before](#experiment-before)" in text


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
    with pytest.raises(ValueError, match="at least one row"):
        Picture("name", rows.iloc[:0], draw, lambda rows: "nothing")


def test_a_hash_is_shown_by_its_start():
    # echo -n "some curves" | sha256sum
    assert sha256(b"some curves") == "92e86e3f20c0"
