"""A run stops when it has stopped learning, by one rule inside the compiled loop and in the tables."""

import pytest
import tensorflow as tf

from pipeline.config.experiments import Train
from pipeline.train.early_stopping import hit_limit, stops
from tests.networks import TRAINING


@pytest.mark.parametrize(("best", "last", "patience", "diverged", "hit"), [
    (9, 10, 3, False, True), (10, 10, 3, False, True),
    (7, 10, 3, False, False),  # it stopped learning just then
    (4, 7, 3, False, False), (9, 10, 0, False, False), (9, 10, 3, True, False)])
def test_a_limit_is_hit_by_a_run_that_would_have_gone_on(best, last, patience, diverged, hit):
    training = Train(**TRAINING | {"epochs": 10, "patience": patience})
    assert hit_limit({"best_epoch": best, "last_epoch": last, "diverged": diverged}, training) is hit


@pytest.mark.parametrize(("epoch", "best", "patience", "stopped"), [
    (3, 3, 1, False), (4, 3, 1, True), (9, 1, 8, True), (8, 1, 8, False), (20, 1, 8, True)])
def test_a_run_stops_so_many_epochs_after_its_best(epoch, best, patience, stopped):
    assert stops(epoch, best, patience) is stopped
    assert bool(tf.function(stops)(*map(tf.constant, (epoch, best, patience)))) is stopped
