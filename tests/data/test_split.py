"""Splits: nothing stands in two parts, and what is learnt comes from the training part."""

import numpy as np
import pytest
from sklearn.preprocessing import StandardScaler

from pipeline.data.draw import scalars
from pipeline.data.sources import SOURCES, make
from pipeline.data.split import PARTS, SCALINGS, digest, load, origins, split

SEEDS = range(60)
SMALL = {"train": 64, "validation": 32, "test": 64}


def pool(count=300, sizes=(120, 40, 90), classes=3, groups=None, seed=0):
    generator = np.random.default_rng(seed)
    arrays = scalars("classes" if classes else "regression", "table", *sizes, classes) | {
        "x": generator.normal(size=(count, 4)).astype(np.float32),
        "y": (generator.choice(classes, count, p=np.arange(1, classes + 1) / sum(range(classes + 1))).astype(np.int32)
              if classes else generator.normal(5, 3, (count, 1)).astype(np.float32))}
    return arrays | ({} if groups is None else {"groups": generator.integers(groups, size=count)})


def windows(rows=900, window=6, horizon=3, carried=0, **more):
    more = {"sizes": (100, 40, 60), "missing": 0.02, "stride": 1} | more
    last = np.arange(window - 1, rows - horizon, more["stride"])
    return scalars("regression", "windows", *more["sizes"]) | {
        "window": np.array(window), "horizon": np.array(horizon), "carried": np.array(carried),
        "x": np.arange(rows, dtype=np.float32)[:, None] * np.float32([1, 2]), "y": np.arange(rows, dtype=np.float32)[:, None],
        "last": last[np.random.default_rng(0).random(len(last)) > more["missing"]]}


def counted_sequence(window):
    """A sequence whose input and target at a step are that step's number."""
    x = np.arange(60 + 3 * (window - 1), dtype=np.float32)[:, None]
    return scalars("regression", "synthetic", 30, 10, 20) | {
        "targets": np.array("none"), "window": np.array(window), "x_0": x, "y_0": x}


FILES = {"rows": pool(), "numbers": pool(classes=0), "groups": pool(groups=25), "windows": windows()}


@pytest.fixture(params=[*SOURCES, *FILES])
def arrays(request, made):
    """The arrays of every source, and those of every kind of file."""
    return (made | FILES)[request.param]


def each(one):
    """The arrays of a loaded split, x and y of each part."""
    return {f"{axis}_{part}": getattr(one, f"{axis}_{part}") for axis in "xy" for part in PARTS}


def groups_of(arrays, seed):
    """The groups of each part, of which no two share one."""
    found = [set(arrays["groups"][part].tolist()) for part in split(arrays, seed)]
    assert not found[0] & found[1] and not found[0] & found[2] and not found[1] & found[2]
    return found


# --- of all arrays ----------------------------------------------------------------------------


def test_a_seed_is_a_split(arrays):
    first, again, other = (each(load(arrays, seed)) for seed in (1, 1, 2))
    for key in first:
        np.testing.assert_array_equal(first[key], again[key])
    assert not np.array_equal(first["x_train"], other["x_train"])


@pytest.mark.parametrize("fraction", [1.0, 0.5])
def test_scaling_is_that_of_scikit_learn_on_the_training_part_that_is_kept(arrays, fraction):
    raw, scaled = (each(load(arrays, 0, fraction, scaling)) for scaling in ("none", "standard"))
    channels = raw["x_train"].shape[-1]
    scaler = StandardScaler().fit(raw["x_train"].reshape(-1, channels).astype(float))
    for part in PARTS:
        x = raw[f"x_{part}"]
        expected = scaler.transform(x.reshape(-1, channels).astype(float)).reshape(x.shape)
        np.testing.assert_allclose(scaled[f"x_{part}"], expected, atol=1e-4, rtol=1e-5)
        np.testing.assert_array_equal(scaled[f"y_{part}"], raw[f"y_{part}"])


def test_targets_are_standardised_with_the_training_part_whatever_the_scaling(arrays):
    if str(arrays["task"]) == "classes" or str(arrays.get("targets")) == "none":
        return
    for scaling in SCALINGS:
        found, raw = (each(load(arrays | {"targets": np.array(how)}, 2, scaling=scaling)) for how in ("standard", "none"))
        mean, deviation = raw["y_train"].mean(dtype=float), raw["y_train"].std(dtype=float)
        for part in PARTS:
            np.testing.assert_allclose(found[f"y_{part}"], (raw[f"y_{part}"] - mean) / deviation, atol=1e-5)


def test_half_the_training_part(arrays):
    for seed in range(3):
        whole, half = split(arrays, seed), split(arrays, seed, 0.5)
        assert len(half[0]) == round(len(whole[0]) / 2) == len(load(arrays, seed, 0.5).y_train)
        assert set(half[0]) < set(whole[0]) and len(set(half[0])) == len(half[0])
        for part, same in zip(whole[1:], half[1:], strict=True):
            np.testing.assert_array_equal(part, same)
        if "window" in arrays:  # the latest
            np.testing.assert_array_equal(half[0], whole[0][-len(half[0]):])
        elif "groups" in arrays:
            # Whole groups, and at most one of which a part is kept.
            now, before = (np.bincount(arrays["groups"][part[0]], minlength=25) for part in (half, whole))
            assert ((now > 0) & (now < before)).sum() <= 1
        elif int(arrays["classes"]):
            y = arrays["y"] if "y" in arrays else arrays[f"y_{seed}"]
            counts = [np.bincount(y[part[0]]) for part in (whole, half)]
            assert np.abs(counts[0] / 2 - counts[1]).max() <= 2


@pytest.mark.parametrize(("call", "message"), [
    *((lambda fraction=fraction: split(pool(), 0, fraction), "train_fraction: found") for fraction in (0, -1, 1.5, float("nan"))),
    (lambda: split(pool(), 0, 0.001), "leaves none"),
    (lambda: load(pool(), 0, scaling="standart"), "scaling: found 'standart', allowed: standard, none"),
    (lambda: split(pool(120) | {"groups": np.arange(120) // 60}, 0), "'train': 120.*whole groups do not fill these parts"),
    (lambda: split(windows(200), 0), "do not fit into the series"),
    (lambda: load(make("noise", [4, 11], **SMALL), 5), "found 5.*4, 11"),
    (lambda: digest(make("noise", [4, 11], **SMALL), 5), "found 5.*4, 11"),
    (lambda: load(make("noise", [4], **SMALL) | {"test": np.array(6000)}, 4), "test=6000.*do not fit")])
def test_what_cannot_be_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


# --- rows and groups --------------------------------------------------------------------------


@pytest.mark.parametrize("classes", [0, 3])
@pytest.mark.parametrize("groups", [None, 25])
def test_rows_stand_in_one_part_and_classes_have_their_shares(classes, groups):
    arrays, seen = pool(classes=classes, groups=groups), set()
    for seed in SEEDS:
        parts = split(arrays, seed)
        assert [len(part) for part in parts] == [120, 40, 90]
        assert len(set(np.concatenate(parts).tolist())) == 250
        seen.add(tuple(sorted(groups_of(arrays, seed)[2])) if groups else tuple(parts[2]))
        for part in parts if classes else ():
            off = np.bincount(arrays["y"][part], minlength=3) / len(part) - np.bincount(arrays["y"]) / 300
            assert np.abs(off).max() < (0.15 if groups else 2.01 / len(part))
    assert len(seen) > 50


def test_each_row_is_as_often_in_a_part_as_any_other():
    arrays = pool(sizes=(60, 30, 60))
    counts = np.zeros(300)
    for seed in range(400):
        counts[split(arrays, seed)[2]] += 1
    # Binomial with 400 tries of 60 / 300; five deviations.
    assert np.abs(counts - 80).max() < 5 * np.sqrt(400 * 0.2 * 0.8)


def test_groups_of_one_class_each_still_give_each_part_every_class():
    arrays = pool(300, (120, 40, 60)) | {"groups": np.arange(300) // 20}
    arrays["y"] = (arrays["groups"] % 3).astype(np.int32)
    for seed in SEEDS:
        assert all(set(arrays["y"][part]) == {0, 1, 2} for part in split(arrays, seed))


def test_a_pool_is_split_whole_and_stratified(made):
    y, parts = made["digits"]["y"], split(made["digits"], 5)
    np.testing.assert_array_equal(np.sort(np.concatenate(parts)), np.arange(len(y)))
    for part, share in zip(parts, (0.6, 0.2, 0.2), strict=True):
        assert abs(len(part) - share * len(y)) <= 1
        assert np.abs(np.bincount(y[part]) - np.bincount(y) / len(y) * len(part)).max() <= 1.5
    np.testing.assert_array_equal(np.concatenate(split(made["tabular"], 0)), np.arange(640 + 320 + 1280))


# --- series -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("window", "horizon", "carried", "stride"), [
    (6, 3, 0, 1), (1, 0, 0, 1), (12, 1, 5, 1), (6, 3, 2, 4), (4, 20, 0, 3)])
def test_no_row_is_touched_by_two_parts(window, horizon, carried, stride):
    arrays = windows(2_500, window, horizon, carried, stride=stride)
    begins = set()
    for seed in SEEDS:
        parts = split(arrays, seed)
        assert [len(part) for part in parts] == [100, 40, 60]
        touched = []
        for part in parts:
            last = arrays["last"][part]
            assert (np.diff(part) == 1).all()
            touched.append((last[0] - window + 1 - carried, last[-1] + horizon))
        assert touched[0][1] < touched[1][0] and touched[1][1] < touched[2][0]
        begins.add(int(parts[0][0]))
    assert len(begins) > 40


@pytest.mark.parametrize("window", [1, 2, 21])
def test_no_step_is_shared_by_two_parts_of_a_sequence(window):
    found = each(load(counted_sequence(window), 0, scaling="none"))
    steps = [set(found[f"x_{part}"].ravel().astype(int)) for part in PARTS]
    assert max(steps[0]) < min(steps[1]) <= max(steps[1]) < min(steps[2])
    assert set.union(*steps) == set(range(60 + 3 * (window - 1)))
    assert [len(found[f"x_{part}"]) for part in PARTS] == [30, 10, 20]
    for part in PARTS:
        x, y = found[f"x_{part}"], found[f"y_{part}"]
        np.testing.assert_array_equal(x[:, -1], y)
        assert (np.diff(x[..., 0], axis=1) == 1).all() and (np.diff(y[:, 0]) == 1).all()


def test_no_window_is_wasted_between_two_parts():
    arrays = windows(missing=0)
    train, validation, _ = split(arrays, 0)
    assert arrays["last"][train[-1]] + 3 == arrays["last"][validation[0]] - 6 + 1 - 1


@pytest.mark.parametrize("stride", [1, 3])
def test_origins_are_all_that_fit_and_no_others(stride):
    reach, sizes = 8, (20, 5, 10)
    last, expected = windows(200, stride=stride)["last"], []
    for first in range(len(last)):
        at, starts = first, []
        for size in sizes:
            starts.append(at)
            end = at + size - 1
            at = next((i for i in range(len(last)) if end < len(last) and last[i] > last[end] + reach), len(last))
        if starts[-1] + sizes[-1] <= len(last) and all(s < len(last) for s in starts):
            expected.append(starts)
    np.testing.assert_array_equal(origins(last, sizes, reach), np.reshape(expected, (-1, 3)))


def test_windows_of_groups_are_split_by_group():
    arrays = windows(900, sizes=(200, 60, 100))
    arrays["groups"] = (arrays["last"] // 50).astype(np.int32)
    for seed in SEEDS:
        groups_of(arrays, seed)


# --- what a split depends on ------------------------------------------------------------------


@pytest.mark.parametrize("name", FILES)
def test_nothing_outside_the_training_part_changes_what_it_is_scaled_with(name):
    """The training part stays to the bit if all other rows become something else."""
    arrays = FILES[name]
    for seed in range(5):
        before, part = load(arrays, seed), split(arrays, seed)[0]
        inside = np.isin(np.arange(len(arrays["x"])), part)
        if "last" in arrays:
            ends = arrays["last"][part]
            inside = np.isin(np.arange(len(arrays["x"])), [ends + step for step in (*range(1 - int(arrays["window"]), 1), 3)])
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
    assert (load(arrays, 0).x_train[:, 2] == 0).all()
    arrays = make("tabular", [0], **SMALL)
    arrays["x_0"][:, 3] = 0.1
    assert np.abs(load(arrays, 0).x_test[:, 3]).max() < 1e-6


@pytest.mark.parametrize(("arrays", "changes", "others"), [
    (windows() | {"about_file": np.array("a.csv")}, [{"train": np.array(99)}, {"last": windows()["last"][1:]}, {
        "carried": np.array(1)}, {"x": windows()["x"] + 1}, {"x": windows()["x"].astype(float)}],
     {"about_file": np.array("b.csv"), "about_rows": np.array(3)}),
    (make("forecast", [1, 2], **SMALL), [{"validation": np.array(31)}, {"targets": np.array("none")}, {
        "x_1": np.zeros((220, 20))}, {"x_1": np.zeros((20, 220))}, {"y_1": np.zeros(220, np.int32)}], {"x_2": np.zeros(3)})])
def test_the_digest_sees_what_a_seed_depends_on_and_nothing_else(arrays, changes, others):
    assert len({digest(arrays | change, 1) for change in ({}, *changes)}) == len(changes) + 1
    assert digest(arrays | others, 1) == digest(arrays, 1)
