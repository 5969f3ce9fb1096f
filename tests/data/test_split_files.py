"""Splits of files: nothing stands in two parts, and what is learnt comes from the training part."""

import numpy as np
import pytest
from sklearn.preprocessing import StandardScaler

from pipeline.data.draw import scalars
from pipeline.data.split import digest, load, origins, split

PARTS = ("train", "validation", "test")
SEEDS = range(60)


def pool(count=300, sizes=(120, 40, 90), classes=3, groups=None, seed=0):
    generator = np.random.default_rng(seed)
    arrays = scalars("classes" if classes else "regression", "table", *sizes, classes) | {
        "x": generator.normal(size=(count, 4)).astype(np.float32),
        "y": (generator.choice(classes, count, p=np.arange(1, classes + 1) / sum(range(classes + 1))).astype(np.int32)
              if classes else generator.normal(5, 3, (count, 1)).astype(np.float32))}
    return arrays | ({} if groups is None else {"groups": generator.integers(groups, size=count)})


def windows(rows=900, window=6, horizon=3, carried=0, sizes=(100, 40, 60), missing=0.02, stride=1, seed=0):
    generator = np.random.default_rng(seed)
    last = np.arange(window - 1, rows - horizon, stride)
    return scalars("regression", "windows", *sizes) | {
        "window": np.array(window), "horizon": np.array(horizon), "carried": np.array(carried),
        "x": np.arange(rows, dtype=np.float32)[:, None] * np.float32([1, 2]), "y": np.arange(rows, dtype=np.float32)[:, None],
        "last": last[generator.random(len(last)) > missing]}


# --- pools -----------------------------------------------------------------------------------


@pytest.mark.parametrize("classes", [0, 3])
def test_rows_stand_in_one_part_and_classes_have_their_shares(classes):
    arrays, seen = pool(classes=classes), set()
    for seed in SEEDS:
        parts = split(arrays, seed)
        assert [len(part) for part in parts] == [120, 40, 90]
        together = np.concatenate(parts)
        assert len(set(together.tolist())) == 250
        seen.add(tuple(parts[2]))
        if classes:
            shares = np.bincount(arrays["y"]) / 300
            for part in parts:
                assert np.abs(np.bincount(arrays["y"][part]) - shares * len(part)).max() <= 2
    assert len(seen) == len(SEEDS)


def test_each_row_is_as_often_in_a_part_as_any_other():
    arrays = pool(sizes=(60, 30, 60))
    counts = np.zeros(300)
    for seed in range(400):
        counts[split(arrays, seed)[2]] += 1
    # Binomial with 400 tries of 60 / 300; five deviations.
    assert np.abs(counts - 80).max() < 5 * np.sqrt(400 * 0.2 * 0.8)


@pytest.mark.parametrize("classes", [0, 3])
def test_groups_are_never_cut(classes):
    arrays, seen = pool(groups=25, classes=classes), set()
    for seed in SEEDS:
        parts = split(arrays, seed)
        assert [len(part) for part in parts] == [120, 40, 90]
        groups = [set(arrays["groups"][part].tolist()) for part in parts]
        assert not groups[0] & groups[1] and not groups[0] & groups[2] and not groups[1] & groups[2]
        seen.add(tuple(sorted(groups[2])))
        if classes:
            shares = np.bincount(arrays["y"]) / 300
            for part in parts:
                assert np.abs(np.bincount(arrays["y"][part], minlength=3) / len(part) - shares).max() < 0.15
    assert len(seen) > 50


def test_groups_of_one_class_each_still_give_each_part_every_class():
    arrays = pool(300, (120, 40, 60))
    arrays["groups"] = np.arange(300) // 20
    arrays["y"] = (arrays["groups"] % 3).astype(np.int32)
    for seed in SEEDS:
        for part in split(arrays, seed):
            assert set(arrays["y"][part]) == {0, 1, 2}


def test_groups_that_cannot_fill_the_parts():
    arrays = pool(300, (120, 40, 90))
    arrays["groups"] = np.arange(300) // 150
    with pytest.raises(ValueError, match="'train': 120.*whole groups do not fill these parts"):
        split(arrays, 0)


# --- series ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("window", "horizon", "carried", "stride"), [
    (6, 3, 0, 1), (1, 0, 0, 1), (12, 1, 5, 1), (6, 3, 2, 4), (4, 20, 0, 3)])
def test_no_row_is_touched_by_two_parts(window, horizon, carried, stride):
    arrays = windows(2_500, window, horizon, carried, (100, 40, 60), stride=stride)
    begins = set()
    for seed in SEEDS:
        parts = split(arrays, seed)
        assert [len(part) for part in parts] == [100, 40, 60]
        touched = []
        for part in parts:
            last = arrays["last"][part]
            assert (np.diff(part) == 1).all()
            rows = {int(row) for end in last for row in range(end - window + 1 - carried, end + 1)}
            touched.append(rows | set((last + horizon).tolist()))
        assert max(touched[0]) < min(touched[1]) and max(touched[1]) < min(touched[2])
        begins.add(int(parts[0][0]))
    assert len(begins) > 40


def test_no_window_is_wasted_between_two_parts():
    arrays = windows(missing=0)
    train, validation, _ = split(arrays, 0)
    last = arrays["last"]
    assert last[train[-1]] + 3 == last[validation[0]] - 6 + 1 - 1


@pytest.mark.parametrize("stride", [1, 3])
def test_origins_are_all_that_fit_and_no_others(stride):
    arrays, reach, sizes = windows(200, stride=stride, sizes=(20, 5, 10)), 8, (20, 5, 10)
    last, expected = arrays["last"], []
    for first in range(len(last)):
        at, starts = first, []
        for size in sizes:
            starts.append(at)
            end = at + size - 1
            later = [i for i in range(len(last)) if end < len(last) and last[i] > last[end] + reach]
            at = later[0] if later else len(last)
        if starts[-1] + sizes[-1] <= len(last) and all(s < len(last) for s in starts):
            expected.append(starts)
    np.testing.assert_array_equal(origins(last, sizes, reach), np.reshape(expected, (-1, 3)))


def test_a_series_that_is_too_short_for_its_parts():
    with pytest.raises(ValueError, match="do not fit into the series"):
        split(windows(200), 0)


def test_windows_of_groups_are_split_by_group():
    arrays = windows(900, sizes=(200, 60, 100))
    arrays["groups"] = (arrays["last"] // 50).astype(np.int32)
    for seed in SEEDS:
        groups = [set(arrays["groups"][part].tolist()) for part in split(arrays, seed)]
        assert not groups[0] & groups[1] and not groups[0] & groups[2] and not groups[1] & groups[2]


# --- a part of the training items -------------------------------------------------------------


def test_part_of_the_training_items():
    for arrays in (pool(), pool(classes=0), pool(groups=25), windows()):
        for seed in range(10):
            whole, half = split(arrays, seed), split(arrays, seed, 0.5)
            assert len(half[0]) == round(len(whole[0]) / 2) and set(half[0]) < set(whole[0])
            np.testing.assert_array_equal(half[1], whole[1])
            np.testing.assert_array_equal(half[2], whole[2])
            if "last" in arrays:
                np.testing.assert_array_equal(half[0], whole[0][-len(half[0]):])
            elif "groups" in arrays:
                # Whole groups, and at most one of which a part is kept.
                cut = [g for g in set(arrays["groups"][half[0]]) if (arrays["groups"][half[0]] == g).sum()
                       < (arrays["groups"][whole[0]] == g).sum()]
                assert len(cut) <= 1
            elif int(arrays["classes"]):
                counts = [np.bincount(arrays["y"][part[0]]) for part in (whole, half)]
                assert np.abs(counts[0] / 2 - counts[1]).max() <= 2


@pytest.mark.parametrize("fraction", [0, -1, 1.5, float("nan")])
def test_a_share_that_cannot_be(fraction):
    with pytest.raises(ValueError, match="train_fraction: found"):
        split(pool(), 0, fraction)
    with pytest.raises(ValueError, match="leaves none"):
        split(pool(), 0, 0.001)


# --- scaling ----------------------------------------------------------------------------------


@pytest.mark.parametrize("arrays", [pool(), pool(classes=0), pool(groups=25), windows()])
def test_scaling_is_that_of_scikit_learn_on_the_training_part(arrays):
    for seed in range(5):
        raw, scaled = load(arrays, seed, scaling="none"), load(arrays, seed)
        channels = raw.x_train.shape[-1]
        scaler = StandardScaler().fit(raw.x_train.reshape(-1, channels).astype(float))
        for part in PARTS:
            x = getattr(raw, f"x_{part}")
            expected = scaler.transform(x.reshape(-1, channels).astype(float)).reshape(x.shape)
            np.testing.assert_allclose(getattr(scaled, f"x_{part}"), expected, atol=1e-4)
        if not int(arrays["classes"]):
            np.testing.assert_allclose(scaled.y_train.mean(dtype=float), 0, atol=1e-5)
            np.testing.assert_allclose(scaled.y_train.std(dtype=float), 1, atol=1e-5)


@pytest.mark.parametrize("arrays", [pool(), pool(classes=0), pool(groups=25), windows()])
def test_nothing_outside_the_training_part_changes_what_it_is_scaled_with(arrays):
    """The training part stays to the bit if all other rows become something else."""
    for seed in range(10):
        before, part = load(arrays, seed), split(arrays, seed)[0]
        if "last" in arrays:
            ends = arrays["last"][part]
            inside = np.zeros(len(arrays["x"]), bool)
            for back in range(int(arrays["window"])):
                inside[ends - back] = True
            inside[ends + int(arrays["horizon"])] = True
        else:
            inside = np.isin(np.arange(len(arrays["x"])), part)
        other = arrays | {"x": np.where(inside[:, None], arrays["x"], np.float32(1e6))}
        if not int(arrays["classes"]):
            other["y"] = np.where(inside[:, None], arrays["y"], np.float32(-1e6))
        after = load(other, seed)
        np.testing.assert_array_equal(after.x_train, before.x_train)
        np.testing.assert_array_equal(after.y_train, before.y_train)
        assert not np.array_equal(after.x_test, before.x_test)


def test_a_channel_that_is_constant_in_the_training_part_becomes_zero():
    arrays = pool()
    arrays["x"][split(arrays, 0)[0], 2] = 7
    loaded = load(arrays, 0)
    assert (loaded.x_train[:, 2] == 0).all()


def test_an_unknown_scaling():
    with pytest.raises(ValueError, match="scaling: found 'standart', allowed: standard, none"):
        load(pool(), 0, scaling="standart")


# --- names of splits ---------------------------------------------------------------------------


@pytest.mark.parametrize("arrays", [pool(), pool(groups=25), windows()])
def test_a_seed_is_a_split(arrays):
    first, again, other = (load(arrays, seed) for seed in (3, 3, 4))
    for key in (f"{axis}_{part}" for axis in "xy" for part in PARTS):
        np.testing.assert_array_equal(getattr(first, key), getattr(again, key))
    assert not np.array_equal(first.x_train, other.x_train)


def test_the_digest_sees_what_splits_depend_on_and_nothing_else():
    arrays = windows() | {"about_file": np.array("a.csv")}
    changes = [{}, {"train": np.array(99)}, {"x": arrays["x"] + 1}, {"x": arrays["x"].astype(float)},
               {"last": arrays["last"][1:]}, {"carried": np.array(1)}]
    assert len({digest(arrays | change, 0) for change in changes}) == len(changes)
    assert digest(arrays | {"about_file": np.array("b.csv"), "about_rows": np.array(3)}, 0) == digest(arrays, 0)
