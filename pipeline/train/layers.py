"""The layers of a plan's networks, as Keras counts them."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from pipeline.tables.stored import LAYER_COLUMNS, LAYERS_TABLE, RUNS_TABLE, read_table
from pipeline.config.task import Task


def layers(plan: dict) -> pd.DataFrame:
    """One row a layer of the network of every variant and data set, with the columns `LAYER_COLUMNS`."""
    # Only now, because it loads TensorFlow.
    from pipeline.network.model import build

    rows, built = [], []
    for arm in plan["arms"]:
        about = arm["network"], tuple(arm["shape"]), Task.of(arm).outputs
        # The variants of a sweep may share a network.
        found = next((some for other, some in built if other == about), None)
        if found is None:
            found = [{"layer": layer.name, "class": type(layer).__name__, "shape": _shape(layer),
                      "parameters": layer.count_params()} for layer in build(*about).layers]
            built.append((about, found))
        rows += [{"variant": arm["variant"], "data": arm["data"]} | row for row in found]
    return pd.DataFrame(rows, columns=LAYER_COLUMNS)


def _shape(layer) -> str:
    """A layer's output shape, e.g. `(batch, 21, 10)`."""
    return "(" + ", ".join("batch" if n is None else str(n) for n in layer.output.shape) + ")"


def stored(folder: Path, runs: pd.DataFrame) -> pd.DataFrame | None:
    """The stored table of layers if it is of the networks that `runs` are of, else None.

    The key of a run is made of its network: where a variant has on a data set a key in common with
    the runs that are stored beside the table, its network is the same.

    Raises:
        Damaged: the folder's content is not what was stored.
    """
    if not all((Path(folder) / name).exists() for name in (RUNS_TABLE, LAYERS_TABLE)):
        return None
    table, beside = (read_table(Path(folder) / name) for name in (LAYERS_TABLE, RUNS_TABLE))
    place = ["variant", "data"]
    if list(table.columns) != LAYER_COLUMNS or not {*place, "key"} <= {*beside.columns}:
        return None
    same = runs.merge(beside[[*place, "key"]], on=[*place, "key"])
    wanted, known, listed = (set(frame[place].itertuples(index=False, name=None))
                             for frame in (runs, same, table))
    return table if wanted == known == listed else None
