"""A seed keeps the learning rate of the least validation loss."""

import pytest

from pipeline.train.select_rate import select_rate

NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(("losses", "diverged", "kept"), [
    ({0.001: 0.5, 0.003: 0.2, 0.01: 0.4}, (), 0.003),
    ({0.001: 0.5, 0.003: 0.2, 0.01: 0.1}, (), 0.01),
    # equal: the smaller rate, however the grid is written
    ({0.01: 0.2, 0.003: 0.2, 0.001: 0.3}, (), 0.003),
    # the loss fell lowest before it diverged
    ({0.001: 0.5, 0.003: 0.4, 0.01: 0.1}, (0.01,), 0.003),
    ({0.001: NAN, 0.003: 0.9}, (0.001,), 0.003),
    # all diverged
    ({0.001: 0.5, 0.003: 0.2, 0.01: INF}, (0.001, 0.003, 0.01), 0.003),
    ({0.001: NAN, 0.003: 0.2}, (0.001, 0.003), 0.003),
    ({0.003: NAN, 0.001: NAN}, (0.001, 0.003), 0.001),
    ({0.003: 1.0}, (), 0.003),
])
def test_a_seed_keeps_the_rate_of_least_validation_loss(losses, diverged, kept):
    assert select_rate({rate: {"best_validation_loss": loss, "diverged": rate in diverged}
                   for rate, loss in losses.items()}) == kept
