"""Recordings of files: arrays and long tables give the same; every mistake by its place."""

from pathlib import Path

import aeon.datasets
import numpy as np
import pandas as pd
import pytest

from pipeline.data.split import load, split
from tests import own_files


def drawn(count=90, steps=12, channels=2, seed=0, shortest=None):
    """Recordings, their lengths, classes and groups; beyond a length the values are NaN."""
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(count, steps, channels)).round(3).astype(np.float32)
    length = generator.integers(shortest or steps, steps + 1, count)
    x[np.arange(steps) >= length[:, None]] = np.nan
    return {"x": x, "length": length, "y": np.arange(count) % 3, "group": np.arange(count) // 5}


def stored(file="a.npz", **arrays):
    np.savez(file, **arrays)
    return file


def made(file, **given):
    return own_files.made(file=file, **{"target": None} | given)


def refused(file, *words, **given):
    own_files.refused(*words, call=made, file=file, **given)


def long_table(arrays, **more):
    """The same recordings as rows: `who`, `step`, the channels, `label` and `person`."""
    parts = []
    for i, (x, length) in enumerate(zip(arrays["x"], arrays["length"])):
        part = pd.DataFrame(x[:length], columns=[f"c{c}" for c in range(x.shape[1])])
        parts.append(part.assign(who=f"r{i:03}", step=range(length), label=f"k{arrays['y'][i]}",
                                 person=f"p{arrays['group'][i]:02}", **more))
    return pd.concat(parts, ignore_index=True)


# --- arrays ----------------------------------------------------------------------------------


def test_recordings_of_one_length(project):
    given = drawn()
    arrays = made(stored(x=given["x"], y=given["y"]))
    np.testing.assert_array_equal(arrays["x"], given["x"])
    np.testing.assert_array_equal(arrays["y"], given["y"])
    assert arrays["x"].dtype == np.float32 and arrays["y"].dtype == np.int32
    assert (str(arrays["kind"]), str(arrays["task"]), int(arrays["classes"])) == ("recordings", "classes", 3)
    assert "lengths" not in arrays and "groups" not in arrays
    part = split(arrays, 1)[0]
    np.testing.assert_array_equal(load(arrays, 1, scaling="none").x_train, given["x"][part])


def test_unequal_recordings_are_padded_on_the_left_after_scaling(project):
    given = drawn(shortest=3)
    arrays = made(stored(**given))
    np.testing.assert_array_equal(arrays["lengths"], given["length"])
    np.testing.assert_array_equal(arrays["groups"], given["group"])
    steps = [x[:length] for x, length in zip(given["x"], given["length"])]
    np.testing.assert_array_equal(arrays["x"], np.concatenate(steps))
    parts, loaded = split(arrays, 2), load(arrays, 2)
    held = np.concatenate([steps[item] for item in parts[0]]).astype(float)
    for item, x in zip(parts[2], loaded.x_test, strict=True):
        real = len(steps[item])
        assert x.shape == (12, 2) and (x[:12 - real] == 0).all()
        np.testing.assert_allclose(x[12 - real:], (steps[item] - held.mean(axis=0)) / held.std(axis=0), atol=1e-5)


def test_longer_recordings_are_averaged_into_bins(project):
    given = drawn(steps=12, shortest=3)
    arrays = made(stored(**given), length=4)
    assert int(arrays["about_averaged"]) == (given["length"] > 4).sum()
    ends = np.cumsum(arrays["lengths"])
    for x, length, found in zip(given["x"], given["length"], np.split(arrays["x"], ends[:-1]), strict=True):
        if length <= 4:
            np.testing.assert_array_equal(found, x[:length])
            continue
        assert len(found) == 4
        if length % 4 == 0:
            np.testing.assert_allclose(found, x[:length].reshape(4, -1, 2).mean(axis=1), atol=1e-6)
        # Bins cover all steps once: the mean is kept if each counts by its number of steps.
        edges = np.round(np.linspace(0, length, 5))
        assert np.average(found, axis=0, weights=np.diff(edges)) == pytest.approx(x[:length].mean(axis=0), abs=1e-5)


def test_names_of_classes_and_numbers_as_targets(project):
    given = drawn()
    named = made(stored(x=given["x"], y=given["y"], names=["run", "sit", "walk"]))
    assert named["about_classes"].tolist() == ["run", "sit", "walk"]
    words = made(stored(x=given["x"], y=np.array(["b", "a", "c"])[given["y"]]))
    assert words["about_classes"].tolist() == ["a", "b", "c"] and words["y"][:3].tolist() == [1, 0, 2]
    numbers = np.random.default_rng(0).normal(size=90)
    regression = made(stored(x=given["x"], y=numbers))
    assert str(regression["task"]) == "regression" and regression["y"].shape == (90, 1)
    np.testing.assert_array_equal(regression["y"][:, 0], numbers.astype("f4"))
    refused(stored(x=given["x"], y=given["y"] + 1, names=["run", "sit", "walk"]), "a.npz: y: found 1, 2, 3; allowed: "
            "whole numbers from 0, below the 3 of its `names`")


@pytest.mark.parametrize("shape", [(8, 9), (8, 9, 3)])
def test_images(project, shape):
    x = np.random.default_rng(0).integers(0, 256, (90, *shape)).astype(np.uint8)
    arrays = made(stored(x=x, y=np.arange(90) % 2), images=True)
    assert arrays["x"].shape == (90, 8, 9, shape[2] if len(shape) == 3 else 1)
    np.testing.assert_array_equal(arrays["x"].reshape(x.shape), x)
    loaded = load(arrays, 0)
    np.testing.assert_allclose(loaded.x_train.mean(axis=(0, 1, 2)), 0, atol=1e-4)


def test_equal_recordings_count_once(project):
    given = drawn()
    again = {key: np.concatenate([value, value[[4, 4, 7]]]) for key, value in given.items()}
    again["y"][-1] += 1
    arrays = made(stored(**again))
    assert int(arrays["about_duplicates"]) == 2 and len(arrays["y"]) == 91 and int(arrays["about_recordings"]) == 93


def test_of_many_recordings_some_are_drawn_whatever_their_order(project):
    given = drawn(600)
    whole = made(stored(**given), rows=200)
    assert len(whole["y"]) == 200 and str(whole["about_used"]) == "drawn"
    assert 80 < np.unique(whole["groups"]).size
    turned = {key: values[::-1] for key, values in given.items()}
    np.testing.assert_array_equal(np.sort(made(stored(**turned), rows=200)["x"], axis=0), np.sort(whole["x"], axis=0))


def test_missing_values_of_arrays(project):
    given = drawn()
    given["x"][7, 5, 1] = np.nan
    given["x"][20, :3] = np.nan
    file = stored(**given)
    refused(file, "a.npz, recording 8, step 6, channel 2: found a missing value; allowed: a value; or its entry says "
            "missing: drop, or {carry: 3}")
    arrays = made(file, missing="drop")
    assert int(arrays["about_missing"]) == 2 and len(arrays["y"]) == 88
    carried = made(file, missing={"carry": 1})
    assert int(carried["about_missing"]) == 1 and len(carried["y"]) == 89
    assert carried["x"][7, 5, 1] == given["x"][7, 4, 1]


def test_arrays_that_cannot_be_are_refused(project):
    given = drawn()
    x, y = given["x"], given["y"]
    refused("b.npz", "b.npz: there is no such file")
    refused(stored(x=x), "a.npz: there is no array 'y': found x; allowed: x and y")
    refused(stored(x=x[..., 0], y=y), "x: found the shape (90, 12); allowed: the shape (recordings, time, channels)")
    refused(stored(x=x.astype(str), y=y), "allowed: numbers")
    refused(stored(x=x, y=y[:-1]), "a.npz: y: found the shape (89,); allowed: (90,), one for each recording")
    refused(stored(x=x, y=y, length=given["length"] + 1), "a.npz: length of recording 1: found 13; allowed: 1 to 12")
    refused(stored(x=x, y=y.astype(object)), "a.npz: is damaged: Object arrays cannot be loaded when allow_pickle=False")
    refused(stored(x=x.astype(object), y=y), "a.npz: is damaged: Object arrays cannot be loaded")
    np.testing.assert_array_equal(made(stored(x=np.asfortranarray(x), y=y))["x"], x)
    np.testing.assert_array_equal(made(stored(X=x, Y=y[:, None]))["y"], y)
    x[3, 4, 1] = np.inf
    refused(stored(x=x, y=y), "a.npz, recording 4, step 5, channel 2: found an infinite number")
    x[3, 4, 1] = 0
    refused(stored(x=x, y=np.where(y == 0, np.nan, y + 0.5)), "a.npz: recording 1: found a missing target")
    refused(stored(x=x, y=y * 0), "a.npz: the target: found 1 classes (0); allowed: 2 to 100")
    refused(stored(x=x, y=(np.arange(90) == 0) * 1), "found 1 of class '1' among 90, and with seed 0 none of")
    x[..., 1] = 7
    refused(stored(x=x, y=y), "a.npz, column '2': found 7 in every row that is used")
    (project / "a.npz").write_bytes(b"PK no archive")
    refused("a.npz", "a.npz: is damaged")


# --- .ts -------------------------------------------------------------------------------------


def ts_file(recordings, labels, equal):
    lines = ["@problemName a", "@timestamps false", "@missing false", f"@univariate {str(recordings[0].shape[1] == 1).lower()}",
             f"@dimension {recordings[0].shape[1]}", f"@equalLength {str(equal).lower()}"]
    lines += [f"@seriesLength {len(recordings[0])}"] if equal else []
    lines += [f"@classLabel true {' '.join(sorted(set(labels)))}", "@data"]
    for x, label in zip(recordings, labels):
        lines.append(":".join(",".join(f"{v:g}" for v in channel) for channel in x.T) + f":{label}")
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("shortest", [12, 4])
def test_the_archive_format_gives_what_arrays_give(project, shortest):
    given = drawn(shortest=shortest)
    recordings = [x[:length] for x, length in zip(given["x"], given["length"])]
    (project / "a.ts").write_text(ts_file(recordings, [f"k{y}" for y in given["y"]], shortest == 12))
    arrays, expected = made("a.ts"), made(stored(**{k: v for k, v in given.items() if k != "group"}))
    for key in ("x", "y", "train", "test", *(["lengths"] if shortest == 4 else [])):
        np.testing.assert_allclose(arrays[key], expected[key], atol=1e-6)
    assert arrays["about_classes"].tolist() == ["k0", "k1", "k2"]
    assert made("a.ts", length=6)["x"].shape[-1] == 2


def test_a_file_of_the_archive(project):
    path = Path(aeon.datasets.__file__).parent / "data" / "JapaneseVowels" / "JapaneseVowels_TRAIN.ts"
    (project / "vowels.ts").write_bytes(path.read_bytes())
    arrays = made("vowels.ts")
    x, y = aeon.datasets.load_japanese_vowels(split="train")
    np.testing.assert_array_equal(arrays["x"], np.concatenate(x, axis=1).T.astype("f4"))
    np.testing.assert_array_equal(arrays["about_classes"][arrays["y"]], y)


# --- long tables -----------------------------------------------------------------------------


@pytest.mark.parametrize("shortest", [12, 4])
@pytest.mark.parametrize("piece", [None, 8])
def test_a_long_table_gives_what_arrays_give(project, monkeypatch, shortest, piece):
    if piece:
        monkeypatch.setattr("pipeline.data.user_data.rows.PIECE", piece)
    given = drawn(shortest=shortest)
    long_table(given).to_csv("a.csv.gz", index=False)
    entry = {"target": "label", "recording": "who", "time": "step", "group_by": "person"}
    arrays, expected = made("a.csv.gz", **entry), made(stored(**given))
    for key in ("x", "y", "groups", "train", "validation", "test", *(["lengths"] if shortest == 4 else [])):
        np.testing.assert_array_equal(arrays[key], expected[key])
    assert arrays["about_inputs"].tolist() == ["c0", "c1"]
    # Recordings may stand in each other's midst.
    long_table(given).sort_values(["step", "who"]).to_csv("b.csv", index=False)
    np.testing.assert_array_equal(made("b.csv", **entry)["x"], expected["x"])


def test_of_a_very_long_table_whole_recordings_are_used(project, monkeypatch):
    monkeypatch.setattr("pipeline.data.user_data.recordings.CELLS", 12 * 2 * 60)
    long_table(drawn()).to_csv("a.csv", index=False)
    arrays = made("a.csv", target="label", recording="who", inputs=["c0", "c1"])
    assert arrays["x"].shape == (60, 12, 2) and str(arrays["about_used"]) == "drawn"


def test_missing_values_of_a_long_table(project):
    frame = long_table(drawn())
    frame.loc[12 * 7 + 3, "c1"] = np.nan
    frame.loc[12 * 9, "c0"] = np.nan
    frame.to_csv("a.csv", index=False)
    entry = {"target": "label", "recording": "who", "inputs": ["c0", "c1"]}
    refused("a.csv", "a.csv, line 110, column 'c0': found a missing value", **entry)
    arrays = made("a.csv", missing={"c0": "drop", "c1": {"carry": 2}}, **entry)
    assert int(arrays["about_missing"]) == 1 and len(arrays["y"]) == 89
    assert arrays["x"][7, 3, 1] == arrays["x"][7, 2, 1]


def test_a_long_table_that_cannot_be_is_refused(project):
    frame = long_table(drawn())
    entry = {"target": "label", "recording": "who", "inputs": ["c0", "c1"]}

    def answer(changed, *words, **more):
        changed.to_csv("a.csv", index=False)
        refused("a.csv", *words, **(entry | more))

    other = frame.copy()
    other.loc[30, "label"] = "k9"
    answer(other, "a.csv, line 32, column 'label': found 'k9', but 'k2' in the first row of recording 'r002'; "
           "allowed: one for all rows of a recording")
    other = frame.copy()
    other.loc[30, "person"] = "p99"
    answer(other, "a.csv, line 32, column 'person': found 'p99', but 'p00'", group_by="person")
    other = frame.copy()
    other.loc[30, "step"] = 99
    answer(other, "a.csv, line 33, column 'step': found '7' after a later time in group 'r002'", time="step")
    answer(frame.drop(index=30), "a.csv, line 32, column 'step': found a step of 2, from 5 to 7", time="step")
    answer(frame, "a.csv: recording: there is no column 'whom'; allowed: c0", "did you mean 'who'?", recording="whom")
    answer(frame.iloc[:0], "a.csv: found no rows")
