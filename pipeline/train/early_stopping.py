"""Early stopping: a run ends once its validation loss has not fallen for some epochs, and keeps its best one."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.config.schema import Train


def stops(epoch, best_epoch, patience):
    """Whether a run has stopped learning: `patience` epochs after the one of the least validation loss.

    Of numbers, and of tensors inside the compiled loop.

    Source: Goodfellow, Bengio & Courville, "Deep Learning" (2016), algorithm 7.1.
    """
    return epoch - best_epoch >= patience


def hit_limit(record: Mapping, train: Train) -> bool:
    """Whether a run ended at the limit of epochs, and had not stopped learning by then."""
    return bool(train.patience and not record["diverged"] and record["last_epoch"] == train.epochs
                and not stops(record["last_epoch"], record["best_epoch"], train.patience))
