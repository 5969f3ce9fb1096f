"""The layers of a plan's networks, as Keras counts them."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from pipeline.config.task import Task
from pipeline.tables.stored import LAYER_COLUMNS, LAYERS_TABLE, RUNS_TABLE, read_table

PLACE = ["variant", "data"]


def rows(model) -> list[dict]:
    """One row a layer of a Keras model: name, class, output shape as `(batch, 21, 10)`, parameters."""
    return [{"layer": layer.name, "class": type(layer).__name__, "shape": _shape(layer),
             "parameters": layer.count_params()} for layer in model.layers]


def _shape(layer) -> str:
    return "(" + ", ".join("batch" if n is None else str(n) for n in layer.output.shape) + ")"


def layers(plan: Mapping, known: Mapping[tuple[str, str, str], list[dict]] | None = None) -> pd.DataFrame:
    """One row a layer of the network of every variant and data set, with the columns `LAYER_COLUMNS`.

    Args:
        known: experiment, variant and data set → `rows` of the network, of those that were built already.
    """
    table, built = [], []
    for arm in plan["arms"]:
        found = (known or {}).get((plan["experiment"], arm["variant"], arm["data"])) or _built(arm, built)
        table += [{"variant": arm["variant"], "data": arm["data"]} | row for row in found]
    return pd.DataFrame(table, columns=LAYER_COLUMNS)


def _built(arm: Mapping, built: list[tuple]) -> list[dict]:
    """The rows of an arm's network; the variants of a sweep may share one, which is built once."""
    about = arm["network"], tuple(arm["shape"]), Task.of(arm).outputs
    found = next((some for other, some in built if other == about), None)
    if found is None:
        # Only now, because it loads TensorFlow.
        from pipeline.network.model import build

        built.append((about, found := rows(build(*about))))
    return found


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
    if list(table.columns) != LAYER_COLUMNS or not {*PLACE, "key"} <= {*beside.columns}:
        return None
    same = runs.merge(beside[[*PLACE, "key"]], on=[*PLACE, "key"])
    wanted, known, listed = (set(frame[PLACE].itertuples(index=False, name=None)) for frame in (runs, same, table))
    return table if wanted == known == listed else None
