"""The growth of a quantity is the power that was planted in it."""

import numpy as np
import pandas as pd
import pytest

from tools.scale.growth import GROWTH_COLUMNS, LINEAR, MEASURED_COLUMNS, growth, power

SIZES = [(150, 10), (300, 10), (1000, 10), (150, 20), (150, 50)]


def measured(**steps):
    """Rows of every step, a function of experiments and data sets, at the sizes that `make scale` measures."""
    return pd.DataFrame([(step, *size, "seconds", 2 * value(*size), value(*size), np.nan)
                         for size in SIZES for step, value in steps.items()], columns=MEASURED_COLUMNS)


def found(table, step, along):
    return growth(table).set_index(["step", "along"]).loc[(step, along)]


@pytest.mark.parametrize("exponent", [0, 0.5, 1, 2, 3])
def test_a_power_is_found_whatever_the_unit(exponent):
    sizes = np.array([150, 300, 1000])
    assert power(sizes, 0.013 * sizes**exponent) == pytest.approx(exponent, abs=1e-9)


def test_noise_moves_a_power_by_little():
    sizes = np.array([150, 300, 1000])
    noisy = sizes**2 * np.array([1.05, 0.95, 1.04])
    assert power(sizes, noisy) == pytest.approx(2, abs=0.1)


@pytest.mark.parametrize(("sizes", "values"), [([10], [1.0]), ([10, 10], [1.0, 2.0]), ([10, 20], [0.0, 1.0])])
def test_what_has_no_power_is_refused(sizes, values):
    with pytest.raises(ValueError, match="growth needs two sizes or more, and positive numbers. Received: sizes"):
        power(sizes, values)


def test_a_step_that_was_planted_quadratic_is_called_faster_than_in_proportion():
    table = measured(quadratic=lambda n, d: 1e-4 * n**2, linear=lambda n, d: 0.1 * n, constant=lambda n, d: 3.0)
    assert list(growth(table).columns) == GROWTH_COLUMNS
    planted = found(table, "quadratic", "experiments")
    assert planted["power"] == pytest.approx(2) and planted["faster"]
    assert (planted["smallest"], planted["largest"]) == (150, 1000)
    assert not found(table, "quadratic", "sets")["faster"]
    assert found(table, "linear", "experiments")["power"] == pytest.approx(1)
    assert not found(table, "linear", "experiments")["faster"]
    assert found(table, "constant", "sets")["power"] == pytest.approx(0)


def test_what_every_run_takes_hides_no_growth_at_the_end():
    # Ten seconds to start, and a square that has overtaken them at the largest size.
    row = found(measured(hidden=lambda n, d: 10 + 5e-5 * n**2), "hidden", "experiments")
    assert row["power"] < row["last"] and row["last"] > LINEAR and row["faster"]


def test_each_size_is_varied_with_the_other_at_its_smallest():
    table = measured(both=lambda n, d: n * d**2)
    assert found(table, "both", "experiments")["power"] == pytest.approx(1)
    assert found(table, "both", "sets")["power"] == pytest.approx(2)
    assert found(table, "both", "sets")["faster"]


def test_the_work_of_all_cores_grows_and_not_the_clock_of_a_busy_machine():
    table = measured(step=lambda n, d: 0.1 * n)
    busy = table.assign(value=table["value"] * np.where(table["experiments"] == 1000, 9, 1))
    assert found(busy, "step", "experiments")["power"] == pytest.approx(1)
    # Bytes have no work.
    assert found(busy.assign(work=np.nan), "step", "experiments")["last"] > 2


def test_a_single_size_has_no_growth():
    assert growth(measured(step=lambda n, d: 1.0).iloc[:1]).empty
