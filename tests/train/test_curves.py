"""The figure of learning curves shows every seed, and says in words what it shows."""

import json

import numpy as np
import pandas as pd
import pytest

from pipeline.style import png
from pipeline.train.curves import learning_curves, learning_curves_alt


@pytest.fixture
def curves():
    epochs, rows = np.arange(1, 7), []
    for data, best in (("forecast", 4), ("digits", 6)):
        for seed in range(3):
            for epoch in epochs:
                loss = 1 + seed + abs(int(epoch) - best)
                rows.append((data, "", seed, int(epoch), 0.5 * loss, float(loss), best))
    return pd.DataFrame(rows, columns=["data", "variant", "seed", "epoch", "train_loss", "validation_loss", "best_epoch"])


@pytest.fixture
def stopped():
    """Five seeds whose best epochs are 2, 2, 3, 9 and 20, and that stop two epochs later; the last ones are the best."""
    rows = [{"data": "forecast", "variant": "", "seed": seed, "epoch": epoch, "best_epoch": best,
             "train_loss": 1.0, "validation_loss": 10 - seed + abs(epoch - best) / 10}
            for seed, best in enumerate((2, 2, 3, 9, 20)) for epoch in range(1, best + 3)]
    return pd.DataFrame(rows)


def test_learning_curves_draw_every_seed_and_the_median(curves):
    figure = learning_curves(curves)
    for axes, data in zip(figure.axes, ["forecast", "digits"], strict=False):
        mine = curves[curves["data"] == data]
        wide = mine.pivot(index="epoch", columns="seed", values="validation_loss")
        for line, seed in zip(axes.lines, wide.columns, strict=False):
            np.testing.assert_allclose(line.get_ydata(), wide[seed])
        np.testing.assert_allclose(axes.lines[3].get_ydata(), np.median(wide, axis=1))
        train = mine.pivot(index="epoch", columns="seed", values="train_loss")
        np.testing.assert_allclose(axes.lines[4].get_ydata(), np.median(train, axis=1))
    assert figure.axes[0].get_title(loc="left").replace("\n", " ") == (
        "forecast: best epoch 4, median of 3 seeds; half train until epoch 6")


def test_what_is_said_of_all_seeds_does_not_rest_on_the_few_that_train_longest(stopped):
    """The median over the seeds that still train is least at epoch 20, where one is left."""
    axes = learning_curves(stopped).axes[0]
    assert axes.get_title(loc="left").replace("\n", " ") == (
        "forecast: best epoch 3, median of 5 seeds; half train until epoch 5")
    medians = axes.lines[5:7]
    assert [list(line.get_xdata()) for line in medians] == [[1, 2, 3, 4, 5]] * 2
    third = [stopped[(stopped["epoch"] == 3) & (stopped["seed"] == seed)]["validation_loss"].item() for seed in range(5)]
    assert medians[0].get_ydata()[2] == pytest.approx(np.median(third))
    alt = learning_curves_alt(stopped)
    assert "on forecast (5 seeds) the median best epoch is 3; half of the seeds train until epoch 5, the last until 22" in alt


def test_learning_curves_of_a_diverged_seed_leave_a_gap(curves):
    curves.loc[(curves["seed"] == 0) & (curves["epoch"] > 2), "validation_loss"] = np.inf
    figure = learning_curves(curves)
    assert np.isnan(figure.axes[0].lines[0].get_ydata()[2:]).all()
    gone = curves.assign(validation_loss=np.inf)
    assert "no loss is finite" in learning_curves_alt(gone)


def test_learning_curves_alternative_text_names_the_best_epoch(curves):
    alt = learning_curves_alt(curves)
    assert "on forecast (3 seeds) the median best epoch is 4; half of the seeds train until epoch 6, the last until 6" in alt
    assert "until 6 the median validation loss falls to 2 and ends at 4" in alt


def test_learning_curves_show_themselves_in_a_notebook_with_their_text(curves):
    figure = learning_curves(curves)
    data, metadata = figure._repr_mimebundle_()
    assert metadata["image/png"]["alt"] == learning_curves_alt(curves)
    assert json.dumps(data)


def test_bytes_are_the_same_each_time(curves):
    one, two = (png(learning_curves(curves)) for _ in range(2))
    assert one == two


def test_the_headings_of_a_sweeps_curves_stay_within_their_panels():
    long = "lstm.activation=tanh,lstm.recurrent_dropout=0.2,learning_rate=0.01"
    rows = [{"data": "forecast", "variant": variant, "seed": 1, "epoch": epoch, "train_loss": 1.0,
             "validation_loss": 2.0, "best_epoch": 1} for variant in (long, long + "1") for epoch in (1, 2)]
    figure = learning_curves(pd.DataFrame(rows))
    figure.draw_without_rendering()
    left, right = (axes.title.get_window_extent() for axes in figure.axes[:2])
    assert left.x1 < right.x0
