"""Which learning rate a seed keeps."""

import math
from collections.abc import Mapping


def select_rate(records: Mapping[float, Mapping]) -> float:
    """The learning rate that a seed keeps, of the records of its runs by rate.

    That of the least validation loss, the smaller one of equals. A run that diverged counts only
    where all have.
    """
    healthy = {rate: record for rate, record in records.items() if not record["diverged"]} or records

    def order(rate: float) -> tuple[float, float]:
        loss = healthy[rate]["best_validation_loss"]
        return (loss if math.isfinite(loss) else math.inf), rate

    return min(healthy, key=order)
