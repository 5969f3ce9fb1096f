"""The page of a finding, and the list of all."""

import math
from collections.abc import Iterator, Mapping

from pipeline.book.figures import specification
from pipeline.book.markdown import claim_link, data_link, experiment_link, finding_link, image, others, render, table
from pipeline.book.picture import Picture
from pipeline.book.study import Study
from pipeline.book.words.finding import another, chances, change, clear, reading, word
from pipeline.book.words.network import kind
from pipeline.config.claims import base
from pipeline.config.metrics import TRIVIAL, metric_of
from pipeline.findings import words
from pipeline.findings.numbers import MISSING, capital, change as number_of, interval, number, plain, share, unit_of, with_unit
from pipeline.findings.words import ALL
from pipeline.tables.stored import records


def write(study: Study) -> dict[str, str | Picture]:
    """Every finding's page, with its specification curve, and the list of all."""
    files: dict[str, str | Picture] = {}
    for name, rows in study.found.items():
        curve = specification.rows(study.rows_of("multiverse", name), study.strata(name))
        picture = Picture(f"curve-{name}", curve, specification.specification, specification.specification_alt,
                          small=True) if len(curve) else None
        files[f"findings/{name}.md"] = page(study, rows, picture)
        if picture:
            files[f"figures/{picture.name}"] = picture
    return files | overview(study)


def page(study: Study, rows: list[dict], picture: Picture | None) -> str:
    """All that is known of a finding. `rows`: of the findings, a stratum each, and behind them that for all."""
    name, claims = rows[0]["id"], study.claims_about(rows[0]["id"])
    return render(
        "finding", id=name, title=rows[0]["title"], rows=rows, compared=compared(study, rows[0]),
        strata=strata(study, rows), competent=competent(study, rows),
        apart=capital(". ".join(filter(None, map(words.strata, rows)))) + "." if any(map(words.strata, rows)) else "", level=f"{study.rule.q_level:g}", comparisons=study.comparisons,
        curve=image(study, picture) if picture else "", kept=kept(rows), sets=sets(study, rows[0]),
        claims="## Claims that it answers\n\n" + table(["claim", "says", "it reads"], [
            (claim_link(one), one.who, reading(study.reading(one))) for one in claims]) if claims else "",
        others=others(study, slugs=[one.slug for one in claims]))


def compared(study: Study, row: Mapping) -> str:
    """The two experiments, what is measured, and when it matters."""
    metric = metric_of(row["metric"])
    control = row["control"] if row["control"] == TRIVIAL else experiment_link(study, row["control"])
    text = f"{experiment_link(study, row['treatment'])} against {control}"
    if row["minus_treatment"]:
        text += (f", less {experiment_link(study, row['minus_treatment'])} against "
                 f"{experiment_link(study, row['minus_control'])}")
        text += f" on {row['minus_data']}" if row["minus_data"] else ""
    if row["slope"]:
        text += f", along {row['slope']}"
    margin = with_unit(plain(abs(float(number_of(-abs(row["margin"]), metric))), 0), unit_of(metric))
    last = " at the last epoch" if row["endpoint"] == "last" else ""
    return (f"{text}; measured by the {metric.score}{last}" + (", inside the networks while they train" if row["probe"] else "")
            + (f". An effect matters from {margin} on." if row["margin"] else ". No margin says what matters."))


def strata(study: Study, rows: list[dict]) -> str:
    """What was found in each stratum, in numbers."""
    half = any(words.of_half(row) for row in rows)
    header = ["on", "change", "in a word", "sources", "clearly better / worse", "spread τ, I²", "on another set",
              "another set: better / hardly / worse", "q", *(["beside half the data"] if half else [])]
    return table(header, [
        ("all kinds together" if row["stratum"] == ALL else row["stratum"], change(row), word(study, row),
         f"{int(row['units'])} ({int(row['sets'])} sets)", clear(row).partition(" of")[0],
         f"{number(row['tau'], '.2f')}, {share(row['i2'])}" if math.isfinite(row["tau"]) else MISSING, another(row), chances(row),
         number(row["q"], ".2g"), *([words.of_half(row) or MISSING] if half else [])) for row in rows])


def competent(study: Study, rows: list[dict]) -> list[str]:
    """What was found on the data sets alone whose control a simple predictor does not beat by much, a line a stratum."""
    near, metric = share(study.rule.competent - 1), metric_of(rows[0]["metric"])
    sets = {row["stratum"]: int(row["sets"]) for row in rows}
    return [f"On the {int(one['sets'])} of {sets[one['stratum']]} data sets ({one['stratum']}) whose control is within {near} of the "
            f"best simple predictor: {interval([one['effect'], one['low'], one['high']], metric)}."
            for one in records(study.rows_of("competent", rows[0]["id"])) if one["stratum"] in sets]


def kept(rows: list[dict]) -> str:
    """How many of the other analyses say the same."""
    known = [row for row in rows if row["stratum"] != ALL and math.isfinite(row["analyses"])]
    said = [f"On {row['stratum']}, of {int(row['analyses'])} other analyses {share(row['same_sign'])} keep the sign and "
            f"{share(row['same_word'])} keep the word." for row in known]
    return " ".join([*said, "They take another rate, endpoint, scale, weight, margin, or leave sets out. Drawn are their effects "
                     "in margins, from the least to the greatest, with their intervals; better is above 0; the diamond is the "
                     "finding."]) if said else ""


def sets(study: Study, row: Mapping) -> str:
    """Every data set: both scores, and the change."""
    mine = study.rows_of("sets", row["id"])
    return table(["data set", "source", "control", "treatment", "change", "on it alone", "seeds", "how runs ended: control / treatment"], [
        (data_link(study, one["data"]) + (" (yours)" if one["own"] else ""), one["unit"], number(one["control_mean"], ".3g"),
         number(one["treatment_mean"], ".3g"), interval([one["y"], one["low"], one["high"]], metric_of(row["metric"])),
         one["word"], int(one["seeds"]), "; ".join(_ended(one)) or MISSING) for one in records(mine)])


def _ended(one: Mapping) -> Iterator[str]:
    """What of the runs is not as it should be: without the change / with it."""
    for name, said in (("diverged", "diverged"), ("limit", "reached the limit of epochs"), ("edge", "at an edge of the rates")):
        both = [one[f"{name}_{side}"] for side in ("control", "treatment")]
        if any(value > 0 for value in both):
            yield f"{' / '.join(map(share, both))} {said}"


#: The data of a stratum that is no family's.
SYNTHETIC = "synthetic"


def overview(study: Study) -> dict[str, str]:
    """All findings, a row a stratum; a script adds search, filters and sorting to the table."""
    rows = [_row(study, row) for name in study.found for row in study.strata(name)]
    return {"generated/findings.md": ":::{div} cards ledger list-of-findings\n" + table(
        ["finding", "data", "change", "in a word", "on another set", "network", "topic"], rows) + ":::\n"
        if rows else "Nothing is stored yet.\n"}


def _row(study: Study, row: Mapping) -> tuple:
    topic = study.topic_of[row["id"]]
    data = row["stratum"] if row["kind"] in study.families else f"{SYNTHETIC}, {row['kind'].replace('_', ' ')}"
    return (finding_link(study, row["id"]), data, change(row), word(study, row), another(row),
            kind(study.params, base(row["treatment"])), f"[{topic.replace('_', ' ')}](/{topic}.md)" if topic else "–")
