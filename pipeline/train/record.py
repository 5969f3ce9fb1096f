"""What a lab record shows of a trained plan: the network, its scores, the choice of its rate."""

from __future__ import annotations

import base64
import html
import json

import pandas as pd
from IPython.display import HTML

from pipeline.network.model import build
from pipeline.style import png
from pipeline.train.task import Task


def _arms(plan_file: str) -> list[dict]:
    """The arms of a plan."""
    with open(plan_file, encoding="utf-8") as file:
        return json.load(file)["arms"]


def _words(item: dict) -> str:
    arguments = ", ".join(f"{k}={v['class'] if isinstance(v, dict) else v}"
                          for k, v in item["arguments"].items())
    return f"{item['class']}({arguments})"


def chain(plan_file: str) -> str:
    """The layers in the network's order, once a kind of output, as Markdown.

    Of a sweep, the first variant is shown; the others change what their names say.
    """
    arms, lines = _arms(plan_file), {}
    variants = list(dict.fromkeys(arm["variant"] for arm in arms))
    for arm in arms:
        if arm["variant"] == variants[0]:
            output = [f"Dense(units={arm['classes'] or 1})"]
            items = [_words(i) for i in arm["network"]["layers"]] + output + [
                _words(i) for i in arm["network"]["head"]]
            lines.setdefault(" → ".join(f"`{i}`" for i in items), []).append(arm["data"])
    parts = [f"{', '.join(names)}: {items}" for items, names in lines.items()]
    if len(variants) > 1:
        parts.append(f"This is the variant `{variants[0]}`. The others change what their names say: "
                     + ", ".join(f"`{variant}`" for variant in variants[1:]) + ".")
    return "\n\n".join(parts)


def summary(plan_file: str) -> pd.DataFrame:
    """Layers, output shapes and parameters of the first network of a plan, as Keras counts them."""
    arm = _arms(plan_file)[0]
    network = build(arm["network"], tuple(arm["shape"]), Task(arm["classes"]).outputs)
    return pd.DataFrame([
        {"layer": layer.name, "class": layer.__class__.__name__,
         "output shape": str(tuple("batch" if n is None else n for n in layer.output.shape)
                             ).replace("'", ""),
         "parameters": layer.count_params()} for layer in network.layers])


def picture(figure, alt: str) -> HTML:
    """A figure as an image of fixed bytes with a text that says what it shows."""
    data = base64.b64encode(png(figure)).decode()
    return HTML(f'<img alt="{html.escape(alt)}" src="data:image/png;base64,{data}">')


def chosen(runs: pd.DataFrame, curves: pd.DataFrame) -> pd.DataFrame:
    """The curves of the study runs at the chosen learning rate."""
    place = ["variant", "data", "learning_rate"]
    rates = runs.loc[(runs["purpose"] == "study") & runs["chosen"], place].drop_duplicates()
    return curves.merge(rates, on=place)


def scores(runs: pd.DataFrame) -> pd.DataFrame:
    """Mean test errors of the study runs, one row a variant, data set and learning rate."""
    study = runs[runs["purpose"] == "study"]
    rows = []
    for (variant, data, rate), group in study.groupby(["variant", "data", "learning_rate"], sort=False):
        rows.append({
            "variant": variant, "data": data, "learning rate": f"{rate:g}",
            "chosen": "yes" if group["chosen"].all() else "", "seeds": len(group),
            "diverged": int(group["diverged"].sum()),
            "parameters": int(group["parameters"].iloc[0]),
            "test error, best epoch": f"{group['best_error'].mean():.4f}",
            "its deviation": f"{group['best_error'].std():.4f}",
            "test error, last epoch": f"{group['last_error'].mean():.4f}",
            "trivial error": f"{group['trivial_error'].mean():.4f}",
            "gap to training, best epoch":
                f"{(group['best_loss'] - group['best_train_loss']).mean():.4f}"})
    return pd.DataFrame(rows)


def rates(runs: pd.DataFrame) -> pd.DataFrame:
    """Mean least validation losses of the tuning seeds, and which learning rate was chosen."""
    tuning = runs[runs["purpose"] == "tuning"]
    rows = []
    for (variant, data), group in tuning.groupby(["variant", "data"], sort=False):
        tried = {f"rate {rate:g}": f"{part['best_validation_loss'].mean():.4f}"
                 for rate, part in group.groupby("learning_rate")}
        rows.append({"variant": variant, "data": data, **tried,
                     "chosen": f"{group.loc[group['chosen'], 'learning_rate'].iloc[0]:g}"})
    if not rows:
        return pd.DataFrame({"learning rate": ["none was chosen: the experiment sets it"]})
    return pd.DataFrame(rows).fillna("")
