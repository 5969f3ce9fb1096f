"""Blocks that several pages show."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Mapping, Sequence

import pandas as pd
from pandas.api.types import is_numeric_dtype
from scipy import stats

from pipeline.book.evidence import Point, points
from pipeline.book.figures.forest import forest, forest_alt
from pipeline.book.figures.places import places, places_alt
from pipeline.book.markdown import data_link, experiment_link, table
from pipeline.book.picture import Picture
from pipeline.book.rows import records
from pipeline.book.study import Study
from pipeline.book.words.comparison import RATIOS, by_effect, sentence
from pipeline.book.words.numbers import capital
from pipeline.config.claims import Claim
from pipeline.config.metrics import metric_of


def forest_rows(effects: pd.DataFrame, units: pd.DataFrame, averages: pd.DataFrame,
                confidence: float) -> pd.DataFrame:
    """The rows of a forest plot: what was averaged, the best first, and the averages below.

    One comparison is shown by data set; of several the units are, whose effects are averaged over the
    comparisons first.

    Args:
        effects, units, averages: of one claim, or of one comparison of an experiment.
        confidence: of a unit's own interval.
    """
    pairs = ["treatment", "control", "minus_treatment", "minus_control"]
    single = len(effects[pairs].drop_duplicates()) == 1
    shared = {"metric": effects["metric"].iloc[0], "scale": effects["scale"].iloc[0],
              "margin": effects["margin"].iloc[0]}
    rows = by_effect(effects).assign(label=effects["data"]) if single else _of_units(units, confidence).assign(
        treatment="", control="", minus_treatment="", minus_control="")
    groups = list(dict.fromkeys(averages["group"]))
    parts = []
    for group in groups or [""]:
        mine = rows[rows["stratum"] == group] if group else rows
        # A single data set is its own average.
        average = averages[(averages["group"] == group) & (len(mine) > 1)]
        parts += [mine.assign(heading=group, kind="set"), average.assign(
            heading=group, kind="average", label="average of " + average["units"].astype(str) + " units",
            y=average["mean"], found="", **dict.fromkeys(("minus_treatment", "minus_control"), ""))]
    columns = ["heading", "label", "kind", *pairs, "y", "low", "high", "range_low", "range_high", "found"]
    found = pd.concat([part.reindex(columns=columns) for part in parts if len(part)], ignore_index=True)
    return found.assign(**shared)


def _of_units(units: pd.DataFrame, confidence: float) -> pd.DataFrame:
    """Units, the best first, with their own intervals."""
    half = stats.t.ppf(0.5 + confidence / 2, units["freedom"].astype(float)) * units["s"].astype(float)
    found = units.assign(label=units["sets"], low=units["y"] - half, high=units["y"] + half)
    return by_effect(found.assign(found=[
        "better" if low > 0 else "worse" if high < 0 else "" for low, high in zip(
            found["low"], found["high"], strict=True)]))


def with_others(rows: pd.DataFrame, found: Sequence[Point]) -> pd.DataFrame:
    """Rows of a forest plot, and below them what others found of the same comparison."""
    empty = {name: math.nan if is_numeric_dtype(rows[name]) else "" for name in rows}
    shared = {name: rows[name].iloc[0] for name in ("metric", "scale", "margin")}
    return pd.concat([rows, pd.DataFrame([
        empty | shared | {"heading": one.label, "kind": "others", "label": source_name(one.cite), "y": one.effect}
        for one in found], columns=list(rows))], ignore_index=True) if found else rows


def source_name(key: str) -> str:
    """A key of references.bib as a short name: mishkin2017 → Mishkin 2017, raschka_nin → Raschka."""
    name, year = re.match(r"([A-Za-z]+)(\d{4})?", key).groups()
    return capital(name) + (f" {year}" if year else "")


def claim_picture(study: Study, claim: Claim) -> Picture | None:
    """A claim's data sets by their effects, drawn; nothing without any."""
    effects = study.claim_effects(claim)
    if not len(effects):
        return None
    rows = forest_rows(effects, study.claim_units(claim), study.claim_averages(claim), study.rule.confidence)
    if claim.metric == "error" and effects["scale"].iloc[0] in RATIOS:
        rows = with_others(rows, points(study.evidence, claim.slug))
    return Picture(f"claim-{claim.slug}", rows, forest, forest_alt)


def place_picture(study: Study, name: str) -> Picture | None:
    """What a layer does at every place of a network, drawn; nothing without a stored result."""
    rows = study.places[study.places["experiment"] == name]
    return Picture(f"places-{name}", rows, places, places_alt, small=True) if len(rows) else None


def effect_table(study: Study, effects: pd.DataFrame) -> str:
    """Every effect in words, the best first, and what was found."""
    several = len(effects[["treatment", "control", "minus_treatment", "minus_control"]].drop_duplicates()) > 1
    header = ["data set", *(["comparison"] if several else []), "change", "found", "seeds"]
    return table(header, [
        (data_link(study, row["data"]), *([compared(study, row)] if several else []), sentence(row, study.rule),
         row["found"] or "neither", int(row["seeds"])) for row in records(by_effect(effects))])


def compared(study: Study, row: Mapping) -> str:
    """What a row of the effects, or of the averages, compares, linked."""
    text = f"{experiment_link(study, row['treatment'])} against {experiment_link(study, row['control'])}"
    if row.get("minus_treatment"):
        text += (f", less {experiment_link(study, row['minus_treatment'])} against "
                 f"{experiment_link(study, row['minus_control'])}")
        text += f" on {row['minus_data']}" if row["minus_data"] else ""
    return text


def averages_with_scale(effects: pd.DataFrame, averages: pd.DataFrame) -> list[dict]:
    """Rows of the averages, each with the `scale` of its effects, and whether they are of interactions."""
    scale = effects["scale"].iloc[0] if len(effects) else ""
    minus = bool((effects["minus_treatment"] != "").any())
    return [row | {"scale": scale or metric_of(row["metric"]).scale, "minus": minus}
            for row in records(averages)]


def endings(study: Study, effects: pd.DataFrame) -> str:
    """How the runs ended: the shares at the limit of epochs, of rates at an edge, of diverged runs."""
    shares = {"limit": "reached the limit of epochs", "edge": "kept a rate at an edge of the grid",
              "diverged": "diverged"}
    rows = []
    for _, mine in effects.groupby(["treatment", "control"], sort=False):
        ends = [" / ".join(f"{100 * mine[f'{name}_{arm}'].astype(float).mean():.0f} %"
                           for arm in ("treatment", "control")) for name in shares]
        rows.append((compared(study, mine.iloc[0].to_dict() | {"minus_treatment": ""}), *ends))
    return table(["treatment against control", *(f"{words}, of each" for words in shares.values())], rows)


def check_table(study: Study, names: Iterable[str]) -> str:
    """The named exact checks."""
    checks = study.checks[study.checks["check"].isin(list(names))]
    return table(["check", "statement", "expected", "found", "holds"], [
        (f"`{c['check']}`", capital(c["statement"]), c["expected"], c["found"],
         "yes" if c["holds"] else "**no**")
        for c in records(checks)])


def others(study: Study, rows: Collection[str]) -> str:
    """What others found about rows of the ledger, with its source."""
    found = [e for e in study.evidence if set(e["rows"]) & set(rows)]
    if not found:
        return ""
    return "\n".join(["## What others found\n",
                      *(f"- {e['says']} {{cite:p}}`{e['cite']}`" for e in found), ""])
