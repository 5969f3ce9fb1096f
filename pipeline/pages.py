"""Stored results -> Markdown: every sentence, table and link of the book that a result decides.

`read` collects what is stored; all other functions are pure and return MyST Markdown. Nothing is
found by looking at what lies in a folder: params.yaml and book/claims.yaml say what there is.
"""

from __future__ import annotations

import csv
import hashlib
import json
import math
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from ruamel.yaml import YAML

from pipeline import figures, verdicts
from pipeline.config import Experiment, Params, Train, load, read_yaml
from pipeline.results import RUNS, RUNS_TABLE, read_table
from pipeline.stats import Rule
from pipeline.verdicts import (CELL_COLUMNS, DOSE_COLUMNS, METRICS, TRIVIAL, VERDICT_COLUMNS,
                               Claim)

TABLES = {
    "cells": CELL_COLUMNS, "comparisons": CELL_COLUMNS, "arms": ["kind", *CELL_COLUMNS],
    "verdicts": VERDICT_COLUMNS, "robustness": ["claim", "change", "verdict"],
    "simulated": ["scenario", "unit", "outcome", "share", "wrong"],
    "doses": DOSE_COLUMNS,
    "checks": ["check", "statement", "expected", "found", "tolerance", "holds"],
    "applications": ["family", "network", "bn_layers", "before_activation", "after_activation",
                     "neither", "without_bias", "with_bias"],
    "old_code": ["thread", "feature", "works", "happens", "repair"]}
MECHANICS = ("checks", "applications", "old_code")
THREADS = {
    "A": ("Batch normalization layer for CNN-LSTM", None),
    "B": ("Where do I call the BatchNormalization function in Keras?",
          "https://stackoverflow.com/questions/34716454/"
          "where-do-i-call-the-batchnormalization-function-in-keras")}
BADGES = {"supported": "primary", "true": "primary", "contradicted": "warning", "false": "warning",
          "mixed": "info", "undecided": "secondary", "not measured": "light"}
REGIONS = {
    "better": "{name} {down} by more than the margin",
    "worse": "{name} {up} by more than the margin",
    "equivalent": "{name} the same, within the margin",
    "not_worse": "{name} not {up} by more than the margin",
    "not_better": "{name} not {down} by more than the margin",
    "differs": "{name} different by more than the margin, in either direction",
    "positive": "{name} {down}, however little"}
QUANTIFIERS = {"generally": "in at least half of the comparisons (and in two, if there are), and against it in none",
               "some": "in at least one comparison", "always": "in every comparison"}
_NAMES = {name.lower(): name for name in (
    "BN", "LSTM", "Conv1D", "Conv2D", "MLP", "ReLU", "SELU", "SE")}


@dataclass(frozen=True)
class Study:
    """All that the book shows. A table that is not stored has its columns and no rows."""

    params: Params
    claims: list[Claim]
    rule: Rule
    tables: Mapping[str, pd.DataFrame]
    #: Experiment -> its resolved plan; only those that are stored.
    plans: Mapping[str, dict] = field(default_factory=dict)
    #: Experiment -> its exact lines of params.yaml.
    lines: Mapping[str, str] = field(default_factory=dict)
    #: Experiments whose lab record is stored, in the order of params.yaml.
    records: tuple[str, ...] = ()
    #: What others found: `rows` of the ledger, `says`, and the key `cite` of references.bib.
    evidence: tuple[Mapping[str, Any], ...] = ()
    #: Topic -> its `question` and its `answers`, a sentence for each verdict of a claim.
    answers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    #: The number of trained runs.
    runs: int = 0
    #: Data set with gaps -> its counts `weeks`, `weeks_missing` and `windows_dropped`.
    gaps: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    #: Data set -> the number of its training samples, where the data file is there.
    sizes: Mapping[str, int] = field(default_factory=dict)
    #: What `book/guide.yaml` lists: advice by situation.
    guide: tuple[Mapping[str, Any], ...] = ()
    #: Experiment -> what training it took, and where; only where that was written down.
    timings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    #: Experiment -> variant and data set -> its number of trained runs.
    trained: Mapping[str, Mapping[tuple[str, str], int]] = field(default_factory=dict)
    #: What CITATION.cff says.
    citation: Mapping[str, Any] = field(default_factory=dict)

    def __getattr__(self, name: str) -> pd.DataFrame:
        if name in TABLES:
            return self.tables[name]
        raise AttributeError(name)

    @property
    def measuring(self) -> set[str]:
        """The experiments that measure the rule."""
        section = self.params.verdicts
        return {*section.repeated, *section.half_data}

    def verdict(self, claim: Claim) -> dict:
        """A claim's row of the verdicts, or one that says it is not measured."""
        found = self.verdicts[self.verdicts["slug"] == claim.slug]
        if len(found):
            return found.iloc[0].to_dict()
        return dict.fromkeys(VERDICT_COLUMNS, "") | {
            "slug": claim.slug, "verdict": "not measured", "reads": "not measured",
            "D": 0, "F": 0, "A": 0, "k": 0, "fragile": False}

    def claim_cells(self, claim: Claim) -> pd.DataFrame:
        return self.cells[self.cells["claim"] == claim.slug]

    def experiment_cells(self, name: str) -> pd.DataFrame:
        """An experiment's comparisons with its `versus`, its variants' among them."""
        return self.comparisons[self.comparisons["treatment"].map(base) == name]

    @property
    def studied(self) -> pd.DataFrame:
        """The comparisons that do not merely measure the rule."""
        return self.comparisons[~self.comparisons["treatment"].map(base).isin(self.measuring)]


def find_root(start: Path | None = None) -> Path:
    """The nearest folder, from `start` (default: here) upwards, that holds params.yaml.

    Raises:
        FileNotFoundError: there is none.
    """
    start = Path(start or Path.cwd()).resolve()
    for folder in (start, *start.parents):
        if (folder / "params.yaml").exists():
            return folder
    raise FileNotFoundError(f"no params.yaml in {start} or above it")


def read(root: Path | None = None) -> Study:
    """Everything stored under a project's folder (default: found from here upwards)."""
    root = find_root() if root is None else Path(root)
    params = load(root / "params.yaml")
    folders = {name: root / "results/verdicts" for name in TABLES} | {
        **dict.fromkeys(MECHANICS, root / "results/mechanics")}
    plans, records, trained, timings = {}, [], {}, {}
    for name in params.experiments:
        if (path := root / "plan" / f"{name}.json").exists():
            plans[name] = json.loads(path.read_text(encoding="utf-8"))
        if (root / RUNS / name / "record.ipynb").exists():
            records.append(name)
        if (path := root / RUNS / name / RUNS_TABLE).exists():
            with path.open(encoding="utf-8", newline="") as file:
                trained[name] = Counter((row.get("variant", ""), row.get("data", ""))
                                        for row in csv.DictReader(file))
        if (path := root / "timings" / f"{name}.json").exists():
            timings[name] = json.loads(path.read_text(encoding="utf-8"))
    written = {name: read_yaml(path) if (path := root / f"book/{name}.yaml").exists() else None
               for name in ("evidence", "answers", "guide")}
    counts = {name: _counts(root / f"data/{name}.npz") for name in params.data}
    return Study(
        params, verdicts.read_claims(root / "book/claims.yaml"), verdicts.rule(params.verdicts),
        {name: _table(folder / f"{name}.csv", TABLES[name]) for name, folder in folders.items()},
        plans, experiment_lines((root / "params.yaml").read_text(encoding="utf-8")),
        tuple(records), tuple(written["evidence"] or ()), written["answers"] or {},
        sum(sum(found.values()) for found in trained.values()),
        {name: found for name, found in counts.items() if "weeks_missing" in found},
        {name: found["train"] for name, found in counts.items() if "train" in found},
        tuple(written["guide"] or ()), timings, trained,
        read_yaml(root / "CITATION.cff") if (root / "CITATION.cff").exists() else {})


def _counts(path: Path) -> dict[str, int]:
    """What a data file says of its training samples and missing weeks; nothing if it is absent."""
    if not path.exists():
        return {}
    with np.load(path) as arrays:
        return {name: int(arrays[name])
                for name in ("train", "weeks", "weeks_missing", "windows_dropped") if name in arrays}


def gap_sentence(study: Study) -> str:
    """What was dropped of the series with gaps."""
    return "\n".join(
        f"In **{name}**, {counts['weeks_missing']} of {counts['weeks']} weeks are missing, and the "
        f"{counts['windows_dropped']} windows that touch one of them are dropped.\n"
        for name, counts in study.gaps.items())


def _table(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    if not path.exists():
        return pd.DataFrame(columns=list(columns))
    return read_table(path)


def experiment_lines(text: str) -> dict[str, str]:
    """The exact lines of each experiment in a params file's text, without what follows it."""
    section = YAML().load(text)["experiments"]
    lines = text.splitlines()
    starts = {name: section.lc.key(name)[0] for name in section}
    ends = sorted([*starts.values(), len(lines)])
    found = {}
    for name, start in starts.items():
        mine = lines[start:ends[ends.index(start) + 1]]
        depth = len(mine[0]) - len(mine[0].lstrip())
        keep = [mine[0]]
        for line in mine[1:]:
            if line.strip() and len(line) - len(line.lstrip()) <= depth:
                break
            keep.append(line)
        while not keep[-1].strip():
            keep.pop()
        found[name] = "\n".join(line[depth:] for line in keep)
    return found


# Words

def base(name: str) -> str:
    """The experiment of `name` or `name[variant]`."""
    return name.partition("[")[0]


def words(layers: Iterable) -> list[str]:
    """The word of each layer of a list, with its arguments where they are given inline."""
    return [item if isinstance(item, str) else _word(*next(iter(item.items()))) for item in layers]


def _word(name: str, given) -> str:
    given = given if isinstance(given, dict) else {"": given}
    details = ", ".join(f"{k}={_value(v)}" if k else _value(v) for k, v in given.items())
    return f"{name}({details})" if details else name


def _value(value) -> str:
    if isinstance(value, dict):
        return words([value])[0]
    return str(value).lower() if isinstance(value, bool) else str(value)


def chain(experiment: Experiment) -> str:
    """The layers in the network's order, and a head that is not the usual one."""
    text = " → ".join(words(experiment.layers))
    if experiment.head:
        head = experiment.head
        text += " → output → " + (head if isinstance(head, str) else " → ".join(words(head)))
    return f"`{text}`"


def change(params: Params, treatment: str, control: str) -> str:
    """What a treatment does to its control, in words."""
    if control == TRIVIAL:
        return f"{chain(params.experiments[base(treatment)])} instead of guessing"
    new, old = (params.experiments[base(n)] for n in (treatment, control))
    a, b = words(old.layers), words(new.layers)
    parts = []
    if a != b and sorted(a) == sorted(b):
        parts.append(f"{chain(new)} instead of {chain(old)}")
    elif a != b:
        for kind, i1, i2, j1, j2 in SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
            gone, come = _code(a[i1:i2]), _code(b[j1:j2])
            if kind == "insert":
                parts.append(f"{come} after {_code(b[j1 - 1:j1])}" if j1 else f"{come} first")
            elif kind == "replace":
                parts.append(f"{come} instead of {gone}")
            elif kind == "delete":
                parts.append(f"without {gone}")
    if new.head != old.head and new.head:
        parts.append("output " + _code([new.head] if isinstance(new.head, str) else
                                       words(new.head)))
    parts += [f"`{k}: {getattr(new, k)}`" for k in Train.model_fields
              if getattr(new, k, None) is not None and getattr(new, k) != getattr(old, k)]
    if "[" in treatment:
        parts.append("at `" + treatment.partition("[")[2].rstrip("]").replace("=", " = ") + "`")
    return ", ".join(dict.fromkeys(parts)) or "the same network"


def _code(names: Sequence[str]) -> str:
    return "`" + " → ".join(names) + "`"


def verdict_words(row: Mapping) -> str:
    """A verdict with its badge, its direction and its scope."""
    reads = row["reads"] or row["verdict"]
    text = f"{{bdg-{BADGES[row['verdict']]}}}`{reads}`"
    text += f" {row['way']}." if row["way"] else ""
    return text + (" {bdg-danger-line}`fragile`" if row["fragile"] else "")


def verdict_sentence(claim: Claim, row: Mapping) -> str:
    """How many comparisons the verdict rests on."""
    if row["verdict"] == "not measured":
        return "No stored result decides this claim yet."
    if claim.checks:
        number = len(claim.checks)
        return (f"{_count(number, 'exact check')} {'decides' if number == 1 else 'decide'} it; "
                "no statistics are needed.")
    d, f, a = (int(row[k]) for k in "DFA")
    if d == 0:
        return "No comparison can show anything, so nothing is decided."
    sets = f" on {row['scope']}" if row["scope"] else ""
    return (f"{f} of {_count(d, 'comparison')}{sets} came out as predicted, {a} did not, "
            f"{d - f - a} stayed open.")


def prediction(claim: Claim) -> str:
    """What is predicted, how generally, and by whom."""
    if claim.predicts is None:
        return "An identity: it holds exactly, or it does not."
    name, lower = _metric(claim.metric)
    up, down = ("higher", "lower") if lower else ("lower", "higher")
    if claim.metric in ("epochs_to_target", "divergence", "parameters"):
        up, down = "more", "fewer"
    # Of a measure, a positive effect is a larger value.
    if claim.metric not in METRICS:
        up, down = "smaller", "larger"
    region = REGIONS[claim.predicts.region].format(name=name, up=up, down=down)
    if claim.baseline:
        region = region.replace("by more than the margin", f"than the {TRIVIAL} scores")
    who = ("The thread's prediction" if claim.predicts.by == "thread" else
           "Our prediction, as the thread makes none")
    text = f"{who}: {region}, {QUANTIFIERS[claim.predicts.quantifier]}."
    if claim.probe:
        text += " Measured inside the networks while they train, on a few seeds."
    return text + (f" Measured at the {claim.endpoint} epoch." if claim.endpoint != "best" else "")


def _metric(name: str) -> tuple[str, bool]:
    known = METRICS.get(name)
    return (known.name, known.lower) if known else (name.replace("_", " "), True)


def short(slug: str) -> str:
    """A slug as a few words, for lists of links."""
    text = " ".join(_NAMES.get(word, word) for word in slug.split("_"))
    return _capital(text)


def threads(rows: Iterable[str]) -> str:
    """The threads that rows of the ledger come from, by name."""
    names = []
    for letter in dict.fromkeys(row[0] for row in rows):
        title, link = THREADS.get(letter, (letter, None))
        names.append(f"[“{title}”]({link})" if link else f"“{title}”")
    return " and ".join(names)


def table(header: Sequence[str], rows: Iterable[Sequence]) -> str:
    """A Markdown table in a box that scrolls by itself; empty without rows."""
    rows = [[str(value).replace("|", "\\|").replace("\n", " ") for value in row] for row in rows]
    if not rows:
        return ""
    lines = ["| " + " | ".join(header) + " |", "|" + " --- |" * len(header)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows]) + "\n"


def data_text(rows: pd.DataFrame) -> str:
    """The rows that a figure is drawn from, as CSV."""
    return rows.to_csv(index=False, lineterminator="\n", na_rep="NaN")


def image(study: Study, name: str, alt: str, rows: pd.DataFrame, small: bool = False) -> str:
    """A figure of the folder `figures`, and below it the line that says what it was drawn from.

    Args:
        study: for the links to experiments and records.
        name: of the figure and of its data, without an ending.
        alt: the text that stands in for it.
        rows: what it was drawn from.
        small: whether it fits a narrow screen; a large one scrolls there in a box of its own.
    """
    alt = " ".join(alt.split())
    names = [name for column in ("treatment", "control", "minus_treatment", "minus_control",
                                 "experiment") if column in rows for name in rows[column]]
    return (f":::{{div}} scroll\n```{{image}} /figures/{name}.svg\n:alt: {alt}\n"
            f":class: figure{' small' if small else ''}\n```\n:::\n\n"
            + source(study, f"{name}.csv", data_text(rows).encode(), names))


def source(study: Study, name: str, data: bytes, names: Iterable[str]) -> str:
    """The line below a figure: its data with the start of their SHA-256, experiments and records.

    Args:
        study: for the links.
        name: of the data's file in the folder `figures`.
        data: what that file holds.
        names: of the experiments, or of their variants, that the data come from.
    """
    digest, found = hashlib.sha256(data).hexdigest()[:12], {base(str(name)) for name in names}
    used = [name for name in study.params.experiments if name in found]
    links = [experiment_link(study, name) + (f" ({record})" if (record := record_link(
        study, name, "record")) else "") for name in used]
    text = ", ".join(links) if len(links) <= 24 else f"[{len(links)} of these](/experiments.md)"
    return (f":::{{div}} source\nDrawn from {{download}}`{name} </figures/{name}>`, SHA-256 "
            f"`{digest}…`" + (f". Experiments: {text}." if links else ".") + "\n:::\n")


def claim_link(claim: Claim, text: str | None = None) -> str:
    return f"[{text or claim.says.rstrip('.')}](/claims/{claim.slug}.md)"


def experiment_link(study: Study, name: str) -> str:
    """An experiment's, or its variant's, name, linked to its entry in the list of experiments."""
    if base(name) not in study.params.experiments:
        return name
    return f"[{name.replace('[', ' (').replace(']', ')')}](#experiment-{base(name)})"


def record_link(study: Study, name: str, text: str = "lab record") -> str:
    return f"[{text}](/records/{name}.ipynb)" if name in study.records else ""


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


# The first page

def numbers(study: Study) -> dict[str, int]:
    """The counts that pages put into their sentences, by name."""
    found = Counter(study.verdict(claim)["verdict"] for claim in study.claims)
    section = study.params
    return {"claims": len(study.claims), "experiments": len(section.experiments),
            "data_sets": len(section.data), "runs": study.runs,
            "tuning_seeds": section.train.tuning_seeds,
            "confidence": round(100 * (1 - study.rule.alpha)),
            **{name.replace(" ", "_"): found.get(name, 0) for name in BADGES}}


def topics(study: Study) -> list[str]:
    """The chapters, in the order of book/answers.yaml; then topics that only claims name."""
    return list(dict.fromkeys([*study.answers, *(claim.topic for claim in study.claims)]))


def question(study: Study, topic: str) -> str:
    """The practitioner's question that a chapter answers."""
    found = study.answers.get(topic)
    return found["question"] if found else _capital(topic.replace("_", " "))


def answers(study: Study, topic: str) -> list[dict]:
    """A chapter's answers, in the words that the verdicts choose.

    Returns:
        One mapping an answer: `claim`, its `row` of the verdicts, its `cells` (none for an identity)
        and the `sentence`. An answer whose claim is not declared is left out.
    """
    claims, found = {claim.slug: claim for claim in study.claims}, []
    for entry in study.answers.get(topic, {}).get("answers", ()):
        claim = claims.get(entry["claim"])
        if claim is None:
            continue
        row = study.verdict(claim)
        found.append({"claim": claim, "row": row, "cells": study.claim_cells(claim),
                      "sentence": entry.get(outcome(row), "This is not measured yet.")})
    return found


def outcome(row: Mapping) -> str:
    """A verdict as the key of the sentence that it chooses; “contradicted” says which way."""
    if row["verdict"] != "contradicted":
        return row["verdict"]
    return "opposite" if row["way"] == verdicts.OPPOSITE else "no_effect"


def counted(cells: pd.DataFrame) -> pd.DataFrame:
    """The comparisons that can show something, the best first."""
    informative = cells["position"] != "uninformative"
    return cells[informative & np.isfinite(cells["effect"].astype(float))].sort_values(
        "effect", ascending=False, kind="stable")


def effect(study: Study, found: Mapping) -> str:
    """An answer's effect with its interval, in plain words: the best comparison and the worst."""
    cells = counted(found["cells"])
    if not len(cells):
        return "exact" if found["claim"].checks else "–"
    ends = [cells.iloc[0], *([cells.iloc[-1]] if len(cells) > 1 else [])]
    lead = "between " if len(ends) > 1 else ""
    return lead + " and ".join(
        f"{verdicts.sentence(cell, study.rule)} on {cell['data']}" for cell in ends)


def sureness(study: Study, found: Mapping) -> str:
    """How sure an answer is: its verdict, what it rests on, and whether it is fragile."""
    claim, row = found["claim"], found["row"]
    text = verdict_words(row)
    if claim.checks or not row["D"]:
        return text
    seeds = sorted({int(n) for n in study.claim_cells(claim)["seeds"]})
    many = f"{seeds[0]}" if len(seeds) == 1 else f"{seeds[0]} to {seeds[-1]}"
    return (f"{text} {int(row['F'])} of {_count(int(row['D']), 'comparison')} as predicted, "
            f"{int(row['A'])} against; {many} seeds each")


def tally(study: Study) -> str:
    """How many claims came out which way."""
    found = Counter(study.verdict(claim)["verdict"] for claim in study.claims)
    if not found:
        return "No claim is declared.\n"
    whole = _count(len(study.claims), "claim")
    parts = [[f"{found[k]} {k}" for k in names if found[k]] for names in (
        [k for k in BADGES if k not in ("true", "false")], ("true", "false"))]
    exact = f"; decided by exact checks: **{', '.join(parts[1])}**" if parts[1] else ""
    return f"Of {whole}: **{', '.join(parts[0]) or 'none'}**{exact}.\n"


def heat_map(study: Study) -> str:
    """The picture of all comparisons with a `versus`."""
    shown = study.studied
    return image(study, "heat_map", figures.heat_map_alt(shown), shown) if len(shown) else ""


# Chapters, ledger and claims

def ledger(study: Study) -> str:
    """All claims with their verdicts; a script adds search, filters and sorting to the table."""
    rows = []
    for claim in study.claims:
        row = study.verdict(claim)
        counts = f"{int(row['F'])} / {int(row['A'])} / {int(row['D'])}" if row["D"] else "–"
        letters = " ".join(dict.fromkeys(number[0] for number in claim.rows))
        rows.append((f'<span id="{claim.slug}"></span>{claim_link(claim)}', verdict_words(row),
                     f"[{short(claim.topic)}](/{claim.topic}.md)", letters, ", ".join(claim.rows),
                     claim.who, row["scope"] or "–", counts))
    return ":::{div} cards ledger\n" + table(
        ["claim", "verdict", "topic", "thread", "row", "who says it", "data sets",
         "as predicted / not / of"], rows) + ":::\n"


def chapter(study: Study, topic: str, advice: str = "") -> str:
    """A chapter: its answer, the claims at a glance and one by one, what others found, limits.

    Args:
        study: all that the book shows.
        topic: of the chapter.
        advice: Markdown that follows the answer.
    """
    claims = [claim for claim in study.claims if claim.topic == topic]
    if not claims:
        return "No claim of this chapter is declared.\n"
    lead = answers(study, topic)
    parts = [":::{admonition} In short\n:class: tip\n"
             + " ".join(found["sentence"] for found in lead) + "\n:::\n"] if lead else []
    for found in lead:
        parts.append(f"- {claim_link(found['claim'])}: {sureness(study, found)}"
                     + (f". {_capital(effect(study, found))}." if len(counted(found["cells"])) else ""))
    parts += ["", advice, "## All claims of this chapter\n", table(["claim", "verdict"], [
        (claim_link(claim), verdict_words(study.verdict(claim))) for claim in claims])]
    for claim in claims:
        row = study.verdict(claim)
        cells = study.claim_cells(claim)
        parts += [f"## {claim.says.rstrip('.')}\n",
                  f"{verdict_words(row)} {verdict_sentence(claim, row)}\n",
                  f"{prediction(claim)}\n"]
        if claim.checks:
            parts.append(check_table(study, claim.checks))
        elif len(cells):
            drawn = image(study, f"claim-{claim.slug}", figures.forest_alt(cells), cells)
            # A chapter shows the figures of its answers; those of its other claims fold open.
            parts.append(drawn if claim in [found["claim"] for found in lead] else
                         f"::::{{dropdown}} The comparisons, drawn\n{drawn}\n::::\n")
        parts.append(claim_link(claim, "All numbers of this claim") + "\n")
    rows = {row for claim in claims for row in claim.rows}
    swept = sweeps(study, topic)
    if swept:
        parts.append("## Value by value\n\nThe mean test error, with its interval, by the value of a sweep.\n")
    parts += [image(study, name, figures.dose_alt(drawn), drawn, small=drawn["data"].nunique() == 1)
              for name, drawn in swept.items()]
    if topic == "order":
        parts.append(applications_table(study))
    if topic == "old_code":
        parts.append(old_code_table(study))
    return "\n".join([*parts, others(study, rows), limits(study, claims)])


def sweeps(study: Study, topic: str) -> dict[str, pd.DataFrame]:
    """The sweeps that a chapter draws, by the name of the figure: one a list in `sweeps`."""
    found = {}
    for number, names in enumerate(study.answers.get(topic, {}).get("sweeps", ()), 1):
        rows = study.doses[study.doses["experiment"].isin(names)]
        if len(rows):
            found[f"sweep-{topic}-{number}"] = rows
    return found


def applications_table(study: Study) -> str:
    """Where the networks that come with Keras put batch normalisation."""
    rows = [tuple(row) for row in study.applications.itertuples(index=False)]
    if not rows:
        return ""
    return ("## The networks that come with Keras\n\n"
            "Counted layer by layer: what stands directly before and after each batch normalisation, "
            "and whether the layer before it has a bias.\n\n"
            + table(["family", "counted in", "BN layers", "before an activation",
                     "after an activation", "neither", "after a layer without bias", "with bias"], rows))


def old_code_table(study: Study) -> str:
    """What becomes of each feature of the threads' code on today's Keras."""
    rows = [(row["thread"], f"`{row['feature']}`", "yes" if row["works"] else "**no**",
             row["happens"], f"`{row['repair']}`" if isinstance(row["repair"], str) and row["repair"] else "–")
            for row in study.old_code.to_dict("records")]
    if not rows:
        return ""
    return ("## Feature by feature\n\nEach argument, name and path of the threads' code, tried on the "
            "version of Keras that this book uses.\n\n"
            + table(["thread", "feature", "does what it did", "what happens", "shortest repair"], rows))


def others(study: Study, rows: Collection[str]) -> str:
    """What others found about rows of the ledger, with its source."""
    found = [e for e in study.evidence if set(e["rows"]) & set(rows)]
    if not found:
        return ""
    return "\n".join(["## What others found\n",
                      *(f"- {e['says']} {{cite:p}}`{e['cite']}`" for e in found), ""])


def limits(study: Study, claims: Sequence[Claim]) -> str:
    """What the answers of a chapter rest on, and what they cannot say."""
    cells = study.cells[study.cells["claim"].isin([claim.slug for claim in claims])]
    if not len(cells):
        return ""
    sets = [name for name in study.params.data if name in set(cells["data"])]
    opened = [claim for claim in claims if study.verdict(claim)["verdict"] == "undecided"]
    text = (f"Measured on {', '.join(sets)}, with the networks named above and no others. "
            f"{len(opened)} of {_count(len(claims), 'claim')} stayed undecided.")
    blind = sorted(verdicts.blind_sets(study.arms) & set(sets)) if len(study.arms) else []
    if blind:
        text += f" On {', '.join(blind)}, “no difference” is never concluded."
    errors = cells[(cells["scale"] == "log ratio") & (cells["metric"] == "error")
                   & (cells["position"] != "uninformative")]
    if len(errors):
        middle = figures.signed(100 * math.expm1(-errors["detectable"].median()), " %")
        text += (f" Half of the comparisons of errors could have found a change of {middle}, or a "
                 "smaller one.")
    return f"## The limits of this answer\n\n{text} See [the limits](/limits.md) of the whole.\n"


def claim_page(study: Study, claim: Claim) -> str:
    """The page of one claim."""
    row, cells = study.verdict(claim), study.claim_cells(claim)
    parts = [f"({claim.slug})=\n# {claim.says.rstrip('.')}\n",
             f":::{{admonition}} Verdict\n:class: tip\n{verdict_words(row)} "
             f"{verdict_sentence(claim, row)}\n:::\n",
             f"**Who says it.** {_capital(claim.who)}; row {', '.join(claim.rows)} of the ledger, "
             f"from {threads(claim.rows)}.\n",
             f"**Prediction.** {prediction(claim)}\n"]
    if claim.because:
        parts.append(f"**Because.** {claim.because} The verdict is on the statement, not on its "
                     "reason.\n" if not claim.checks else f"**Note.** {claim.because}\n")
    if claim.analogue:
        parts.append("The setting of the thread is out of reach; this is our analogue of it.\n")
    if claim.checks:
        parts += ["## The checks\n", check_table(study, claim.checks) or "None is stored yet.\n",
                  "See [the exact checks](/mechanics.md).\n"]
    elif len(cells):
        parts += ["## What was measured\n",
                  image(study, f"claim-{claim.slug}", figures.forest_alt(cells), cells),
                  cell_table(study, cells),
                  f"*Detectable*: the smallest true change that is found with a chance of "
                  f"{100 * study.rule.power:.0f} %.\n",
                  guards(cells), robustness_table(study, claim)]
    parts.append(others(study, claim.rows))
    names = claim.experiments
    if names:
        parts += ["## Where it comes from\n", table(["experiment", "layers", ""], [
            (experiment_link(study, name), chain(study.params.experiments[name]),
             record_link(study, name))
            for name in names if name in study.params.experiments])]
    parts.append("[All claims](/claims.md) · [How a verdict is reached](/method.md)\n")
    return "\n".join(part for part in parts if part is not None)


def cell_table(study: Study, cells: pd.DataFrame) -> str:
    """Every comparison in words, its label, and what a claim counts it as."""
    claimed = (cells["region"] != "").any()
    rows = []
    for cell in cells.to_dict("records"):
        versus = (f"{experiment_link(study, cell['treatment'])} against "
                  f"{experiment_link(study, cell['control'])}")
        if cell["minus_treatment"]:
            versus += (f", less {experiment_link(study, cell['minus_treatment'])} against "
                       f"{experiment_link(study, cell['minus_control'])}")
            versus += f" on {cell['minus_data']}" if cell["minus_data"] else ""
        grey = cell["position"] == "uninformative"
        detectable = cell["detectable"]
        metric = "error" if cell["control"] == TRIVIAL else cell["metric"]
        unit = " %" if cell["scale"] == "log ratio" else ""
        least = (figures.signed(figures.change(detectable, metric, cell["scale"]), unit)
                 if math.isfinite(detectable) else "–")
        rows.append((cell["data"], versus, verdicts.sentence(cell, study.rule),
                     "–" if grey else cell["label"],
                     *([cell["position"]] if claimed else []), int(cell["seeds"]), least))
    header = ["data set", "comparison", "found", "label", *(["counts"] if claimed else []), "seeds",
              "detectable"]
    return table(header, rows)


def guards(cells: pd.DataFrame) -> str:
    """Why comparisons were left open or not counted."""
    reasons = cells[cells["why"] != ""]
    if not len(reasons):
        return ""
    rows = [f"- {cell['data']}, {cell['treatment'].replace('[', ' (').replace(']', ')')}: "
            f"{cell['why']} ({cell['position'] or 'undecided'})"
            for cell in reasons.to_dict("records")]
    return "**Why some do not count.**\n\n" + "\n".join(rows) + "\n"


def robustness_table(study: Study, claim: Claim) -> str:
    """The verdict again under other choices."""
    if claim.probe:
        return ("## Would other choices change it?\n\nA measure has no margin, and was taken at the "
                "chosen learning rate alone: there is no other choice to decide it by.\n")
    mine = study.robustness[study.robustness["claim"] == claim.slug]
    mine = mine[mine["verdict"] != ""]
    if not len(mine):
        return ""
    return ("## Would other choices change it?\n\n"
            + table(["as decided", *mine["change"]],
                    [[study.verdict(claim)["verdict"], *mine["verdict"]]]))


def check_table(study: Study, names: Iterable[str] | None = None) -> str:
    """Exact checks, all of them or those named."""
    checks = study.checks
    if names is not None:
        checks = checks[checks["check"].isin(list(names))]
    return table(["check", "statement", "expected", "found", "holds"], [
        (f"`{c['check']}`", _capital(c["statement"]), c["expected"], c["found"],
         "yes" if c["holds"] else "**no**")
        for c in checks.to_dict("records")])


# Experiments and records

def experiment_groups(study: Study) -> dict[str, list[str]]:
    """The names of experiments by the group of the first data set that each runs on."""
    groups: dict[str, list[str]] = {}
    for name in study.params.experiments:
        first = study.params.data_sets(name)[0]
        groups.setdefault(study.params.data[first].group, []).append(name)
    return groups


def experiments(study: Study) -> str:
    """All experiments at a glance, and where each stands."""
    lines = [f"- [{_capital(group.replace('_', ' '))}](/experiments/{group}.md): "
             f"{_count(len(names), 'experiment')}" for group, names in experiment_groups(study).items()]
    return "\n".join([
        "# All experiments\n",
        "An experiment is a list of layers; its order is the network's order. Each is shown with its "
        "exact lines of `params.yaml` and its result against what it is compared with, by the data "
        "that it runs on:\n", *lines, "",
        "## Everything at a glance\n",
        "Each row is a network with one change, under the network that it is compared with. "
        "Blue: the change lowered the test error. Orange: it raised it.\n", heat_map(study)])


def experiment_group(study: Study, group: str, names: Iterable[str]) -> str:
    """The page of the experiments whose first data set is of a group."""
    title = f"# Experiments on {group.replace('_', ' ')}\n"
    return "\n".join([title, *(_experiment(study, name) for name in names)])


def _experiment(study: Study, name: str) -> str:
    experiment = study.params.experiments[name]
    cells = study.experiment_cells(name)
    parts = [f"(experiment-{name})=\n## {experiment.title or name}\n"]
    if experiment.note:
        parts.append(f"{experiment.note}\n")
    text = f"Network: {chain(experiment)}. Data sets: {', '.join(study.params.data_sets(name))}."
    if experiment.versus:
        text += (f" Compared with {experiment_link(study, experiment.versus)}: "
                 f"{change(study.params, name, experiment.versus)}.")
    parts += [text + "\n", f"```yaml\n{study.lines.get(name, name)}\n```\n"]
    if len(cells):
        parts += [cell_table(study, cells), guards(cells)]
    elif experiment.versus:
        parts.append("No result is stored yet.\n")
    used = [claim_link(c, short(c.slug)) for c in study.claims if name in c.experiments]
    if used:
        parts.append("Claims: " + "; ".join(used) + ".\n")
    if name in study.records:
        parts.append(record_link(study, name, "Lab record: curves, scores and rates") + "\n")
    return "\n".join(part for part in parts if part)


def timing(study: Study, name: str) -> str:
    """How long an experiment trained, a step's share of it, and where; empty if not written down."""
    found = study.timings.get(name, {})
    if "trained" not in found:
        return ""
    text = f"{_count(found['trained'], 'run')} took {found['seconds']:g} s, compiling included"
    steps = _steps(study, name)
    if steps and found["trained"] == found["runs"]:
        text += f": {1000 * found['seconds'] / steps:.2f} ms for a step of one network"
    versions = ", ".join(f"{title} {found[key]}" for key, title in (
        ("python", "Python"), ("tensorflow", "TensorFlow"), ("keras", "Keras"), ("numpy", "NumPy")))
    return f"{text}. Trained on {_count(found['cores'], 'core')} ({found['machine']}) with {versions}."


def _steps(study: Study, name: str) -> int:
    """The optimiser's steps in all stored runs of an experiment; 0 if something is not known."""
    arms = {(arm["variant"], arm["data"]): arm for arm in study.plans.get(name, {}).get("arms", ())}
    total = 0
    for place, runs in study.trained.get(name, {}).items():
        arm = arms.get(place)
        if arm is None or arm["data"] not in study.sizes:
            return 0
        train = arm["train"]
        samples = round(study.sizes[arm["data"]] * train["train_fraction"])
        total += runs * train["epochs"] * (samples // train["batch_size"])
    return total


def records(study: Study) -> str:
    """The list of lab records."""
    rows = [(record_link(study, name, name), chain(study.params.experiments[name]),
             ", ".join(study.params.data_sets(name)), f"[entry](#experiment-{name})")
            for name in study.records]
    return table(["lab record", "layers", "data sets", ""], rows) or "No record is stored yet.\n"


def citation(study: Study) -> str:
    """How to cite the book, from CITATION.cff: as a sentence and for BibTeX."""
    found = study.citation
    if not found:
        return "The project has no CITATION.cff.\n"
    names = [author.get("name") or f"{author['given-names']} {author['family-names']}"
             for author in found["authors"]]
    year = str(found["date-released"])[:4]
    fields = {"title": f"{{{found['title']}}}", "author": " and ".join(f"{{{n}}}" for n in names),
              "year": year, "version": found["version"], "note": f"Licence: {found['license']}"}
    if "url" in found:
        fields["url"] = found["url"]
    entry = ",\n".join(f"  {key} = {{{value}}}" for key, value in fields.items())
    return (f"> {', '.join(names)} ({year}). *{found['title']}*. Version {found['version']}.\n\n"
            f"```bibtex\n@misc{{where_do_the_layers_go,\n{entry}\n}}\n```\n")


# The method

def rule_table(study: Study) -> str:
    """The rule's constants, as the code has them."""
    return table(["constant", "value", "what it is"], [
        (f"`{row['name']}`", f"{row['value']:g}", _capital(row["says"]))
        for row in study.rule.table().to_dict("records")])


def data_table(study: Study) -> str:
    """The data sets: what they are, the shape of a sample, the number of seeds."""
    about = {}
    for plan in study.plans.values():
        for arm in plan["arms"]:
            about.setdefault(arm["data"], arm)
    tested = study.params
    rows = []
    for name, data in tested.data.items():
        arm = about.get(name)
        train = tested.train.model_dump() | {
            k: v for k, v in data.train.model_dump().items() if v is not None}
        rows.append((name, _capital(data.title or data.source),
                     " × ".join(map(str, arm["shape"])) if arm else "–",
                     "–" if not arm else
                     f"{arm['classes']} classes" if arm["classes"] else "a number",
                     data.seeds, train["epochs"], train["batch_size"]))
    return table(["data set", "what it is", "one sample", "target", "seeds", "epochs", "batch"],
                 rows)


def arm_table(study: Study) -> str:
    """The arms that measure the rule itself."""
    return table(["kind", "experiment", "data set", "found", "label"], [
        (cell["kind"], experiment_link(study, cell["treatment"]), cell["data"],
         verdicts.sentence(cell, study.rule),
         cell["label"] if cell["position"] != "uninformative" else "–")
        for cell in study.arms.to_dict("records")])


def arm_sentence(study: Study) -> str:
    """The share of decisive labels where nothing differs, and the data sets that see nothing."""
    share = verdicts.decisive(study.arms)
    if not math.isfinite(share):
        return "No such arm is stored yet.\n"
    same = study.arms[(study.arms["kind"] == "A/A") & (study.arms["position"] != "uninformative")]
    found = int(same["label"].isin(["better", "worse"]).sum())
    text = (f"Of {_count(len(same), 'comparison')} of a network with itself, {found} "
            f"({100 * share:.0f} %) were labelled better or worse.")
    blind = sorted(verdicts.blind_sets(study.arms))
    if blind:
        text += (f" On {', '.join(blind)}, a network trained on half the data was not found worse: "
                 "there, “no difference” is never concluded.")
    elif (study.arms["kind"] == "half the data").any():
        text += " On every data set, a network trained on half the data was found worse."
    return text + "\n"


def simulated_table(study: Study) -> str:
    """Outcomes of simulated studies whose truth is known."""
    return table(["truth", "of", "outcome", "share", "is it wrong?"], [
        (row["scenario"], row["unit"], row["outcome"], f"{100 * row['share']:.1f} %",
         "wrong" if row["wrong"] else "")
        for row in study.simulated.to_dict("records")])


def detectable_table(study: Study) -> str:
    """Per data set, the smallest change of the test error that would have been found."""
    cells = study.studied
    cells = cells[(cells["position"] != "uninformative") & cells["detectable"].notna()]
    rows = []
    for data, mine in cells.groupby("data", sort=False):
        low, middle, high = (figures.signed(100 * math.expm1(-v), " %") for v in
                             (mine["detectable"].min(), mine["detectable"].median(),
                              mine["detectable"].max()))
        rows.append((data, len(mine), low, middle, high))
    return table(["data set", "comparisons", "least", "median", "greatest"], rows)
