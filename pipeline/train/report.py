"""What a lab record shows of an experiment: the network, its scores, the choice of its rate. It trains nothing."""

import json
from pathlib import Path

import pandas as pd

from pipeline.config.blocks import arrows, mark
from pipeline.config.task import Task
from pipeline.tables.stored import CURVES_TABLE, LAYERS_TABLE, RUNS_TABLE, in_units_of_targets, parse_table
from pipeline.train.arm import to_train


def tables(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The tables of runs and of curves of an experiment; whoever runs the record there may have changed it."""
    return parse_table(Path(folder) / RUNS_TABLE), parse_table(Path(folder) / CURVES_TABLE)


def _arms(plan_file: Path) -> list[dict]:
    """The arms of a plan that are trained."""
    return to_train(json.loads(Path(plan_file).read_text(encoding="utf-8")))["arms"]


def _words(item: dict) -> str:
    if mark(item["word"]):
        return str(mark(item["word"]))
    arguments = ", ".join(f"{k}={v['class'] if isinstance(v, dict) else v}" for k, v in item["arguments"].items())
    return f"`{item['class']}({arguments})`"


def chain(plan_file: Path) -> str:
    """The layers in the network's order, once a kind of output, as Markdown.

    Of a sweep, the first variant is shown; the others change what their names say.
    """
    arms, lines = _arms(plan_file), {}
    variants, measuring = ([*dict.fromkeys(arm["variant"] for arm in arms if arm.get("measuring", False) is kind)]
                           for kind in (False, True))
    for arm in arms:
        if arm["variant"] == variants[0]:
            output = [f"`Dense(units={Task.of(arm).outputs})`"]
            items = [_words(i) for i in arm["network"]["layers"]] + output + [_words(i) for i in arm["network"]["head"]]
            lines.setdefault(arrows(items), []).append(arm["data"])
    parts = [f"{', '.join(names)}: {items}" for items, names in lines.items()]
    if len(variants) > 1:
        parts.append(f"This is the variant `{variants[0]}`. The others change what their names say: "
                     + ", ".join(f"`{variant}`" for variant in variants[1:]) + ".")
    if measuring:
        parts.append("Variants that only measure the rule, from another start and on half the data: "
                     + ", ".join(f"`{variant}`" for variant in measuring) + ".")
    return "\n\n".join(parts)


def summary(folder: Path) -> pd.DataFrame:
    """Layers, output shapes and parameters of the first network of an experiment, as Keras counts them."""
    table = parse_table(Path(folder) / LAYERS_TABLE)
    first = (table[["variant", "data"]] == table.loc[0, ["variant", "data"]]).all(axis=1)
    return table[first].drop(columns=["variant", "data"]).rename(columns={"shape": "output shape"})


def learning_curves_of(plan_file: Path, runs: pd.DataFrame, curves: pd.DataFrame) -> pd.DataFrame:
    """The learning curves, each with the `best_epoch` of its run, but for variants that measure the rule."""
    asked = {arm["variant"] for arm in _arms(plan_file) if not arm.get("measuring")}
    place = ["variant", "data", "seed", "learning_rate"]
    best = runs.loc[runs["chosen"], [*place, "best_epoch"]]
    return curves[curves["variant"].isin(asked)].merge(best, on=place, how="left", validate="many_to_one")


def _by_arm(runs: pd.DataFrame):
    return runs.groupby(["variant", "data"], sort=False)


def scores(runs: pd.DataFrame) -> pd.DataFrame:
    """Mean test errors of the chosen runs, one row a variant and data set.

    Error rates, or roots of the mean squared error of standardised targets.
    """
    chosen = in_units_of_targets(runs[runs["chosen"]])
    chosen = chosen.assign(gap=chosen["best_loss"] - chosen["best_train_loss"], diverged=chosen["diverged"].astype(int))
    means = {"test error, best epoch": ("best_error", "mean"), "its deviation": ("best_error", "std"),
             "test error, last epoch": ("last_error", "mean"), "trivial error": ("trivial_error", "mean"),
             "gap to training, best epoch": ("gap", "mean")}
    found = _by_arm(chosen).agg(seeds=("seed", "size"), diverged=("diverged", "sum"), parameters=("parameters", "first"), **means)
    return found.assign(**{name: found[name].map("{:.4f}".format) for name in means}).reset_index()


def epochs(runs: pd.DataFrame) -> pd.DataFrame:
    """How long the chosen runs were, one row a variant and data set, and which share the limit ended."""
    return pd.DataFrame([
        {"variant": variant, "data": data, "best epoch, median": f"{group['best_epoch'].median():g}",
         "epochs, median": f"{group['stopped'].median():g}", "epochs, most": int(group["stopped"].max()),
         "reached the limit": f"{group['hit_limit'].mean():.0%}"}
        for (variant, data), group in _by_arm(runs[runs["chosen"]])])


def rates(runs: pd.DataFrame) -> pd.DataFrame:
    """How many seeds kept each learning rate, one row a variant and data set, and which share an edge.

    Of a grid of two, both rates are edges; of a rate that is fixed, nothing is chosen.
    """
    rows = []
    for (variant, data), group in _by_arm(runs):
        tried = sorted(group["learning_rate"].unique())
        kept = group.loc[group["chosen"], "learning_rate"]
        if len(tried) > 1:
            rows.append({"variant": variant, "data": data}
                        | {f"rate {rate:g}": str((kept == rate).sum()) for rate in tried}
                        | {"at an edge": f"{kept.isin((tried[0], tried[-1])).mean():.0%}"})
    if not rows:
        return pd.DataFrame({"learning rate": ["none was chosen: the experiment sets it"]})
    table = pd.DataFrame(rows).fillna("")
    # Arms may have other grids: the rates in their order, the share last.
    by_rate = sorted((c for c in table if c.startswith("rate ")), key=lambda c: float(c.removeprefix("rate ")))
    return table[["variant", "data", *by_rate, "at an edge"]]
