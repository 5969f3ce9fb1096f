"""What a data set's arrays say of it."""

import numpy as np
import pytest

from pipeline.book.data_set import COLUMNS, Shape, rows, shape, targets
from pipeline.book.figures.data_set import data_set, data_set_alt
from pipeline.style import svg

SIZES = {"train": np.array(6), "validation": np.array(3), "test": np.array(3)}


def series():
    """A ramp of 40 days in two channels; a window of 4, the target 2 days later; one value is missing."""
    x = np.stack([np.arange(40), -np.arange(40)], 1).astype(np.float32)
    x[20] = np.nan
    last = np.array([row for row in range(3, 38) if not 20 <= row <= 23 and row + 2 != 20])
    days = np.arange("2020-01-01", "2020-02-10", dtype="datetime64[D]").astype("datetime64[us]").astype(np.int64)
    return SIZES | {"task": np.array("regression"), "kind": np.array("windows"), "classes": np.array(0),
                    "window": np.array(4), "horizon": np.array(2), "x": x, "y": x[:, :1], "last": last,
                    "about_inputs": np.array(["up", "down"]), "about_times": days}


def recordings(channels=1):
    """Nine recordings of three classes, of 4 to 6 steps, each its own number."""
    lengths = np.tile([4, 5, 6], 3).astype(np.int32)
    x = np.repeat(np.arange(9), lengths)[:, None] + np.arange(channels)
    return SIZES | {"task": np.array("classes"), "kind": np.array("recordings"), "classes": np.array(3),
                    "x": x.astype(np.float32), "lengths": lengths, "y": np.repeat([0, 1, 2], 3).astype(np.int32),
                    "about_classes": np.array(["walk", "run", "rest"])}


def images():
    """Four images of two lines of three pixels, of one channel."""
    x = np.zeros((4, 2, 3), np.float32)
    x[:, 0, 0] = [1, 2, 3, 4]
    return SIZES | {"task": np.array("classes"), "kind": np.array("recordings"), "classes": np.array(2), "x": x[..., None],
                    "y": np.array([0, 1, 0, 1], np.int32)}


def table():
    """Two numbers, of which one tells the classes apart, and a category of two levels."""
    y = np.tile([0, 1], 6).astype(np.int32)
    x = np.stack([10 * y, np.arange(12)], 1).astype(np.float32)
    return SIZES | {"task": np.array("classes"), "kind": np.array("table"), "classes": np.array(2), "x": x, "y": y,
                    "codes": y[:, None], "levels": np.array([2]), "about_inputs": np.array(["apart", "same", "word"]),
                    "about_categories": np.array(["word=a", "word=b"]), "about_classes": np.array(["no", "yes"])}


@pytest.mark.parametrize(("arrays", "expected"), [
    (series(), Shape("series", 6, 3, 3, (4, 4), 2, 0)), (recordings(2), Shape("recordings", 6, 3, 3, (4, 6), 2, 3)),
    (images(), Shape("images", 6, 3, 3, (2, 3), 1, 2)), (table(), Shape("table", 6, 3, 3, (1, 1), 4, 2))])
def test_the_shape_of_a_sample(arrays, expected):
    assert shape(arrays) == expected


def test_a_window_is_shown_as_the_file_has_it_with_the_target_ahead_of_it():
    arrays = series()
    found = rows(arrays)
    last = int(arrays["last"][len(arrays["last"]) // 2])
    window = found[(found["part"] == "window") & (found["name"] == "up")]
    assert dict(zip(window["step"], window["value"], strict=True)) == {step: last + step for step in (-3, -2, -1, 0)}
    ahead = found[found["part"] == "ahead"].iloc[0]
    assert (ahead["step"], ahead["value"]) == (2, last + 2)
    assert ahead["name"] == str(np.datetime64("2020-01-01") + last)
    # Of the whole, the least and the greatest of each stretch; what is missing is left out.
    whole = found[found["part"] == "whole"]
    assert (whole["value"].min(), whole["value"].max()) == (0, 39) and 20 not in set(whole["value"])


def test_recordings_of_each_class_from_the_whole_file():
    found = rows(recordings())
    found = found[found["part"] == "recording"]
    for number, name in enumerate(("walk", "run", "rest")):
        # Every recording holds its own number.
        assert set(found.loc[found["name"] == name, "value"]) == {3 * number, 3 * number + 1, 3 * number + 2}
    assert found.groupby(["name", "sample"]).size().to_list() == [4, 5, 6] * 3


def test_pixels_of_images_are_two_digits_each_the_brightest_is_white():
    found = rows(images())
    first = found[(found["part"] == "image") & (found["step"] == 1)]
    # 255 / 4 = 63.75, 2 · 63.75 = 127.5, 3 · 63.75 = 191.25
    assert sorted(first["value"]) == ["400000", "800000", "bf0000", "ff0000"]


def test_the_means_of_a_table_are_those_of_standardised_inputs():
    found = rows(table())
    means = found[found["part"] == "mean"].pivot(index="name", columns="sample", values="value")
    assert means.loc["apart"].to_dict() == {"no": -1, "yes": 1}
    assert means.loc["word=b"].to_dict() == {"no": -1, "yes": 1} and means.loc["word=a", "no"] == 1
    assert abs(means.loc["same", "no"]) < 0.2


@pytest.mark.parametrize("arrays", [series(), recordings(), recordings(5), recordings(12), table()])
def test_every_kind_is_drawn_the_same_each_time_and_told(arrays):
    found = rows(arrays)
    assert list(found) == COLUMNS and found.loc[found["part"] == "target", "value"].sum() == len(targets(arrays))
    one, two = svg(data_set(found)), svg(data_set(found))
    assert one == two and len(one) < 100_000
    alt = data_set_alt(found)
    for count in found.loc[found["part"] == "target", "value"]:
        assert f": {int(count)}" in alt


def test_images_are_drawn_as_they_are():
    found = rows(images())
    axes = data_set(found).axes[0]
    assert [image.get_array().tolist()[0][0] for image in axes.images] == [64, 191, 128, 255]


def test_what_is_drawn_of_a_window_lies_where_the_rows_say():
    found = rows(series())
    axes = data_set(found).axes[1]
    drawn = next(line for line in axes.lines if len(line.get_xdata()) == 4)
    assert list(drawn.get_xdata()) == [-3, -2, -1, 0]
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["up", "down"]
