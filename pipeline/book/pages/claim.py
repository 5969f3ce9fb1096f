"""The page of a claim."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from pipeline.book import changes
from pipeline.book.blocks import (
    averages_with_scale, check_table, claim_picture, effect_table, endings, others)
from pipeline.book.markdown import experiment_link, image, record_link, table
from pipeline.book.picture import Picture
from pipeline.book.rows import records
from pipeline.book.study import Study
from pipeline.book.traits import correlations
from pipeline.book.words.claim import prediction, threads, verdict_sentence, verdict_words
from pipeline.book.words.comparison import interval
from pipeline.book.words.distance import distance
from pipeline.book.words.network import chain
from pipeline.book.words.numbers import capital, count, signed
from pipeline.config.claims import Claim, data_sets, family


def write(study: Study) -> dict[str, str | Picture]:
    """Every claim's page and its figure."""
    files: dict[str, str | Picture] = {}
    for claim in study.claims:
        picture = claim_picture(study, claim)
        files[f"claims/{claim.slug}.md"] = page(study, claim, picture)
        if picture:
            files[f"figures/{picture.name}"] = picture
    return files


def page(study: Study, claim: Claim, picture: Picture | None) -> str:
    """All that decides a claim: who says it, what it predicts, what was measured, where that comes from."""
    return "\n".join([
        f"({claim.slug})=\n# {claim.says.rstrip('.')}\n",
        ":::{admonition} Verdict\n:class: tip\n" + "\n\n".join(_verdicts(study, claim)) + "\n:::\n",
        f"**Who says it.** {capital(claim.who)}; row {', '.join(claim.rows)} of the ledger, "
        f"from {threads(claim.rows)}.\n",
        f"**Prediction.** {prediction(claim, where(study, claim), _several(study, claim))}\n",
        *changes.of_claim(study, claim), *_reasons(claim),
        *_measured(study, claim, picture), others(study, claim.rows), *_sources(study, claim),
        "[All claims](/claims.md) · [How a verdict is reached](/method.md)\n"])


def where(study: Study, claim: Claim) -> str:
    """The data sets that a claim speaks of, in words."""
    if claim.checks:
        return "the data sets"
    names = data_sets(claim, study.params)
    if of := family(names, study.params):
        return f"the {count(len(names), 'data set')} of the family *{of}*"
    return ", ".join(names)


def _several(study: Study, claim: Claim) -> bool:
    return bool(claim.checks) or len(data_sets(claim, study.params)) > 1


def _verdicts(study: Study, claim: Claim) -> list[str]:
    """A paragraph for the verdict, or where strata differ, for each; and what makes them differ."""
    found = {row["group"]: row for row in averages_with_scale(study.claim_effects(claim), study.claim_averages(claim))}
    rows = study.verdict_rows(claim)
    parts = []
    for row in rows:
        group = f"**{capital(row['group'])}.** " if row["group"] else ""
        parts.append(f"{group}{verdict_words(row)} {verdict_sentence(claim, row, found.get(row['group']))}")
    if len(rows) > 1:
        apart = found[rows[0]["group"]]["strata_p"]
        p = f" (p = {apart:.2g})" if pd.notna(apart) else ""
        parts.append(f"The two kinds of data differ{p}, so each has its own average and its own verdict, and there is "
                     "no common advice.")
    return parts


def _reasons(claim: Claim) -> list[str]:
    parts = []
    if claim.because and claim.checks:
        parts.append(f"**Note.** {claim.because}\n")
    elif claim.because:
        parts.append(f"**Because.** {claim.because} The verdict is on the statement, not on its reason.\n")
    if claim.analogue:
        parts.append("The setting of the thread is out of reach; this is our analogue of it.\n")
    return parts


def _measured(study: Study, claim: Claim, picture: Picture | None) -> list[str]:
    """The exact checks of an identity, else the effects and what may be said of them."""
    if claim.checks:
        return ["## The checks\n", check_table(study, claim.checks) or "None is stored yet.\n",
                "See [the exact checks](/mechanics.md).\n"]
    if not picture:
        return []
    effects = study.claim_effects(claim)
    return ["## What was measured\n", image(study, picture), averages(study, claim),
            f"::::{{dropdown}} The effects one by one ({len(effects)})\n" + effect_table(study, effects)
            + "::::\n", undecided(study, claim), gained(study, effects), robustness(study, claim),
            "## How the runs ended\n", endings(study, effects)]


def averages(study: Study, claim: Claim) -> str:
    """The average of each group with its interval, the range for another set, and the counts."""
    rows = averages_with_scale(study.claim_effects(claim), study.claim_averages(claim))
    verdicts = {row["group"]: row for row in study.verdict_rows(claim)}
    header = ["group", "units (data sets)", "average", "on another set", "that range holds",
              "better / worse", "proven beyond the margin", "q"]
    body = [(row["group"] or "all", f"{int(row['units'])} ({int(row['sets'])})", interval(row, "mean"), _range(row),
             "–" if pd.isna(row["caught"]) else f"for {100 * row['caught']:.0f} % of the units, each left out once",
             f"{int(row['better'])} / {int(row['worse'])}", f"{int(row['proven_above'])} / {int(row['proven_below'])}",
             _q(verdicts.get(row["group"]))) for row in rows]
    # A column that says nothing of any group is left out.
    shown = [column for column in range(len(header)) if any(line[column] not in ("–", "all") for line in body)]
    text = table([header[c] for c in shown], [[line[c] for c in shown] for line in body])
    return text + ("\n*q*: among claims with a q value up to this, about that share of the verdicts is expected to be "
                   "wrong by chance.\n" if any(_q(row) != "–" for row in verdicts.values()) else "")


def _range(row: Mapping) -> str:
    """Where the effect falls on another set of the family."""
    if not row["family"] or not pd.notna(row["range_low"]):
        return "–"
    text = interval(row | {"low": row["range_low"], "high": row["range_high"]}, "mean")
    return text.partition(" (")[2].removesuffix(")")


def _q(row: Mapping | None) -> str:
    return "–" if row is None or row["q"] == "" or pd.isna(row["q"]) else f"{row['q']:.2g}"


def undecided(study: Study, claim: Claim) -> str:
    """How far an undecided claim is from each verdict that its average allows."""
    if claim.predicts.quantifier != "generally":
        return ""
    rows = {row["group"]: row for row in averages_with_scale(study.claim_effects(claim), study.claim_averages(claim))}
    parts = []
    for verdict in study.verdict_rows(claim):
        average = rows.get(verdict["group"])
        if verdict["verdict"] == "undecided" and average and (text := distance(claim.predicts.region, average)):
            parts.append((f"**{capital(verdict['group'])}.**\n\n" if verdict["group"] else "") + text + "\n")
    return "\n".join(["## How far from a decision\n", *parts]) if parts else ""


def gained(study: Study, effects: pd.DataFrame) -> str:
    """What distinguishes the data sets that gained from those that lost; empty of too few."""
    found = correlations(study, effects)
    if not found:
        return ""
    return ("## Which data sets gained?\n\nExploratory: nobody predicted these, and no verdict rests on them. Spearman's "
            "rank correlation of the effect with what a data set is like: above 0, sets with more of it gained more; "
            "each p is for itself alone.\n\n" + table(["with", "correlation", "p", "data sets"], [
                (one.trait, signed(one.rho), f"{one.p:.2g}", one.sets) for one in found]))


def robustness(study: Study, claim: Claim) -> str:
    """The verdict again under other choices; of units left out, those without which it is another."""
    mine = study.claim_robustness(claim)
    mine = mine[mine["verdict"] != ""]
    if not len(mine):
        return ""
    parts = []
    for verdict in study.verdict_rows(claim):
        rows = mine[mine["group"] == verdict["group"]]
        units = {f"without {unit}" for unit in study.claim_units(claim)["unit"]}
        left = rows[rows["change"].isin(units)]
        lost = left[left["verdict"] != verdict["verdict"]]
        body = [(row["change"], row["verdict"]) for row in records(rows[~rows["change"].isin(units)])]
        if len(left):
            kept = len(left) - len(lost)
            body.append((f"each of {len(left)} units left out once", f"{verdict['verdict']} in {kept}" + (
                "; without " + ", ".join(f"{change.removeprefix('without ')}: {other}" for change, other in zip(
                    lost["change"], lost["verdict"], strict=True)) if len(lost) else "")))
        if body:
            parts += [f"**{capital(verdict['group'])}.**\n" if verdict["group"] else "",
                      table(["with this changed", "the verdict is"], [("as decided", verdict["verdict"]), *body])]
    return "\n".join(["## Would other choices change it?\n", *parts]) if parts else ""


def _sources(study: Study, claim: Claim) -> list[str]:
    """The experiments that decide a claim, with their networks and records."""
    rows = [(experiment_link(study, name), chain(study.params.experiments[name]),
             "being measured" if name in study.being_measured else record_link(study, name))
            for name in claim.experiments if name in study.params.experiments]
    return ["## Where it comes from\n", table(["experiment", "layers", ""], rows)] if claim.experiments else []
