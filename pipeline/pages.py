"""Stored results -> Markdown: every sentence, table and link of the book that a result decides.

`read` collects what is stored; all other functions are pure and return MyST Markdown. Nothing is
found by looking at what lies in a folder: params.yaml and book/claims.yaml say what there is.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
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
from pipeline.verdicts import CELL_COLUMNS, METRICS, TRIVIAL, VERDICT_COLUMNS, Claim

TABLES = {
    "cells": CELL_COLUMNS, "comparisons": CELL_COLUMNS, "arms": ["kind", *CELL_COLUMNS],
    "verdicts": VERDICT_COLUMNS, "robustness": ["claim", "change", "verdict"],
    "simulated": ["scenario", "unit", "outcome", "share", "wrong"],
    "checks": ["check", "statement", "expected", "found", "tolerance", "holds"]}
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
ACTIVATIONS = {"Activation", "ReLU", "PReLU", "LeakyReLU", "ELU", "Softmax"}


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
    #: What others found: `rows` of the ledger, `says`, `source`, `link`.
    evidence: tuple[Mapping[str, Any], ...] = ()
    #: The number of trained runs.
    runs: int = 0
    #: Data set with gaps -> its counts `weeks`, `weeks_missing` and `windows_dropped`.
    gaps: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

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
        "checks": root / "results/mechanics"}
    plans, records, runs = {}, [], 0
    for name in params.experiments:
        if (path := root / "plan" / f"{name}.json").exists():
            plans[name] = json.loads(path.read_text(encoding="utf-8"))
        if (root / RUNS / name / "record.ipynb").exists():
            records.append(name)
        if (path := root / RUNS / name / RUNS_TABLE).exists():
            with path.open(encoding="utf-8") as file:
                runs += sum(1 for _ in file) - 1
    evidence = root / "book/evidence.yaml"
    return Study(
        params, verdicts.read_claims(root / "book/claims.yaml"), verdicts.rule(params.verdicts),
        {name: _table(folder / f"{name}.csv", TABLES[name]) for name, folder in folders.items()},
        plans, experiment_lines((root / "params.yaml").read_text(encoding="utf-8")),
        tuple(records), tuple(read_yaml(evidence)) if evidence.exists() else (), runs,
        {name: counts for name in params.data if (counts := _gaps(root / f"data/{name}.npz"))})


def _gaps(path: Path) -> dict[str, int]:
    """What a data file says of missing weeks; nothing if it is absent or has no such counts."""
    if not path.exists():
        return {}
    with np.load(path) as arrays:
        return {name: int(arrays[name]) for name in ("weeks", "weeks_missing", "windows_dropped")
                if name in arrays}


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


def image(name: str, alt: str) -> str:
    """A figure of the folder `figures`, in a box that scrolls by itself."""
    alt = " ".join(alt.split())
    return (f":::{{div}} scroll\n```{{image}} /figures/{name}.svg\n:alt: {alt}\n"
            ":class: figure\n```\n:::\n")


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


def answer(study: Study) -> str:
    """The answer in short sentences, from the verdicts and the comparisons."""
    found = Counter(study.verdict(claim)["verdict"] for claim in study.claims)
    if not found:
        return "No claim is declared."
    parts = [f"{found[k]} {k}" for k in BADGES if found[k]]
    lines = [f"Of {_count(len(study.claims), 'claim')}: **{', '.join(parts)}**."]
    questions = [q for q in situations(study) if q["labels"]]
    order = [q for q in questions if q["kind"] == "order" and "activation" in q["question"]]
    if order:
        found = []
        for q in order:
            tally = _tally(q["labels"], better="lower error before in",
                           worse="lower error after in", equivalent="no difference in",
                           undecided="undecided in")
            found.append(f"{q['group'].replace('_', ' ')}, {tally} of "
                         f"{_count(sum(q['labels'].values()), 'comparison')}")
        lines.append("**Batch normalisation before the activation, or after?** On "
                     + "; on ".join(found) + ".")
    for kind, text in (("order", "**Does the order of layers matter at all?**"),
                       ("add", "**Does one layer more help?**")):
        labels = sum((q["labels"] for q in questions if q["kind"] == kind), Counter())
        if not labels:
            continue
        if kind == "order":
            labels["better"] += labels.pop("worse", 0)
        tally = _tally(labels, better="a changed test error in" if kind == "order" else
                       "a lower test error in", worse="a higher one in",
                       equivalent="no difference in", undecided="undecided in")
        lines.append(f"{text} {_capital(tally)} of {_count(sum(labels.values()), 'comparison')}.")
    return "\n\n".join(lines) + "\n"


def situations(study: Study) -> list[dict]:
    """What a person may ask of one kind of data, and how often which answer was found.

    Returns:
        One mapping a question: `group` of data sets, `question`, `kind` (`order`, `add` or
        `replace`), `labels` (a Counter over informative comparisons), `largest` (effect and data
        set of the decided comparison of largest effect, or None), `seeds`.
    """
    params, asked = study.params, {}
    both = pd.concat([study.studied, study.cells], ignore_index=True)
    both = both[(both["metric"] == "error") & (both["scale"] == "log ratio")
                & (both["minus_treatment"] == "") & (both["endpoint"] == "best")]
    seen = set()
    for cell in both.to_dict("records"):
        pair = (cell["treatment"], cell["control"])
        key = (frozenset(pair), cell["data"])
        if key in seen or any(base(n) not in params.experiments for n in pair):
            continue
        question = _question(params, *pair)
        if question is None:
            continue
        seen.add(key)
        text, kind, turn = question
        group = params.data[cell["data"]].group
        one = asked.setdefault((group, text), {
            "group": group, "question": text, "kind": kind,
            "labels": Counter(), "largest": None, "seeds": set()})
        if cell["position"] == "uninformative" or not math.isfinite(cell["effect"]):
            continue
        label, effect = cell["label"], turn * cell["effect"]
        if turn < 0:
            label = {"better": "worse", "worse": "better"}.get(label, label)
        one["labels"][label] += 1
        one["seeds"].add(int(cell["seeds"]))
        if label in ("better", "worse") and (
                one["largest"] is None or abs(effect) > abs(one["largest"][0])):
            one["largest"] = (effect, cell["data"])
    order = list(dict.fromkeys(data.group for data in params.data.values()))
    return sorted(asked.values(), key=lambda q: (
        order.index(q["group"]), KINDS.index(q["kind"]), -sum(q["labels"].values())))


KINDS = ("order", "add", "replace")


def _question(params: Params, treatment: str, control: str) -> tuple[str, str, int] | None:
    """The question a comparison answers, its kind, and -1 if it answers it turned round."""
    new, old = (params.experiments[base(n)] for n in (treatment, control))
    others = any(getattr(new, k, None) != getattr(old, k, None)
                 for k in (*Train.model_fields, "head"))
    a, b = words(old.layers), words(new.layers)
    if others or a == b:
        return None
    if sorted(a) == sorted(b):
        i = next(i for i, pair in enumerate(zip(a, b, strict=True)) if pair[0] != pair[1])
        moved = sorted({a[i], b[i]}, key=lambda w: (w != "bn", w))
        turn = 1 if b[i] == moved[0] else -1
        other = "the activation" if _class(params, moved[1]) in ACTIVATIONS else f"`{moved[1]}`"
        return f"`{moved[0]}` before {other}, rather than after", "order", turn
    more, less = Counter(b) - Counter(a), Counter(a) - Counter(b)
    if len(more) == 1 and not less:
        word = next(iter(more))
        if [w for w in b if w != word] == [w for w in a if w != word]:
            return f"add `{word}`", "add", 1
    if len(more) == len(less) == 1:
        new, old = next(iter(more)), next(iter(less))
        if b == [new if w == old else w for w in a]:
            return f"`{new}` instead of `{old}`", "replace", 1
    return None


def _class(params: Params, word: str) -> str:
    word = word.partition("(")[0]
    definition = params.layers.get(word, word)
    return definition if isinstance(definition, str) else next(iter(definition))


def _tally(labels: Mapping[str, int], **texts: str) -> str:
    """Labels that occur, each with its words and its count."""
    parts = [f"{text} {labels[label]}" for label, text in texts.items() if labels.get(label)]
    return ", ".join(parts)


def vocabulary(study: Study) -> str:
    """What the words of the situations' questions mean, as params.yaml says."""
    text = " ".join(q["question"] for q in situations(study))
    meanings = []
    for word in dict.fromkeys(re.findall(r"`(\w+)(?:\([^`]*\))?`", text)):
        definition = study.params.layers.get(word)
        if definition is None:
            continue
        name, given = (definition, {}) if isinstance(definition, str) else next(
            iter(definition.items()))
        given = given if isinstance(given, dict) else {"": given}
        detail = ", ".join(f"{k.replace('_', ' ')} {v}".strip() for k, v in given.items())
        meanings.append(f"`{word}` is {name}" + (f" ({detail})" if detail else ""))
    return ("In this table, " + ", ".join(meanings) + ".\n") if meanings else ""


def situation_table(study: Study) -> str:
    """Situation -> what was found -> how sure."""
    rows = []
    for q in situations(study):
        labels, total = q["labels"], sum(q["labels"].values())
        better, worse, same = (labels[k] for k in ("better", "worse", "equivalent"))
        if not total:
            continue
        decided = better + worse + same
        lead = ("mostly undecided" if 0 < decided < total / 2 else
                "it depends" if better and worse else "lower error" if better else
                "higher error" if worse else "no difference" if same else "undecided")
        details = [f"lower in {better}" if better else "", f"higher in {worse}" if worse else "",
                   f"no difference in {same}" if same else ""]
        found = f"**{_capital(lead)}**"
        if any(details):
            found += f": {', '.join(d for d in details if d)} of {total}"
        if q["largest"]:
            effect, data = q["largest"]
            found += f"; the largest {figures.signed(100 * math.expm1(-effect), ' %')} ({data})"
        seeds = sorted(q["seeds"])
        sure = (f"{better + worse + same} of {total} decided, "
                f"{seeds[0] if len(seeds) == 1 else f'{seeds[0]} to {seeds[-1]}'} seeds")
        rows.append((q["group"].replace("_", " "), q["question"], found, sure))
    return table(["your data", "what you do", "what it did to the test error", "how sure"], rows)


def heat_map(study: Study) -> str:
    """The picture of all comparisons with a `versus`."""
    shown = study.studied
    return image("heat_map", figures.heat_map_alt(shown)) if len(shown) else ""


# Chapters, ledger and claims

def ledger(study: Study) -> str:
    """All claims with their verdicts."""
    rows = []
    for claim in study.claims:
        row = study.verdict(claim)
        rows.append((f'<span id="{claim.slug}"></span>{claim_link(claim)}',
                     verdict_words(row), row["scope"] or "–",
                     f"{int(row['F'])} / {int(row['A'])} / {int(row['D'])}" if row["D"] else "–",
                     claim.who, ", ".join(claim.rows)))
    return table(["claim", "verdict", "data sets", "as predicted / not / of", "who says it", "row"],
                 rows)


def chapter(study: Study, topic: str) -> str:
    """The claims of a topic: a table at a glance, then a section each."""
    claims = [claim for claim in study.claims if claim.topic == topic]
    if not claims:
        return "No claim of this chapter is declared.\n"
    parts = [table(["claim", "verdict"], [
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
            parts.append(image(f"claim-{claim.slug}", figures.forest_alt(cells)))
        parts.append(claim_link(claim, "All numbers of this claim") + "\n")
    return "\n".join(parts)


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
        parts += ["## What was measured\n", image(f"claim-{claim.slug}", figures.forest_alt(cells)),
                  cell_table(study, cells),
                  f"*Detectable*: the smallest true change that is found with a chance of "
                  f"{100 * study.rule.power:.0f} %.\n",
                  guards(cells), robustness_table(study, claim)]
    others = [e for e in study.evidence if set(e["rows"]) & set(claim.rows)]
    if others:
        parts += ["## What others found\n"] + [
            f"- {e['says']} ({_source(e)})" for e in others] + [""]
    names = claim.experiments
    if names:
        parts += ["## Where it comes from\n", table(["experiment", "layers", ""], [
            (experiment_link(study, name), chain(study.params.experiments[name]),
             record_link(study, name))
            for name in names if name in study.params.experiments])]
    parts.append("[All claims](/claims.md) · [How a verdict is reached](/method.md)\n")
    return "\n".join(part for part in parts if part is not None)


def _source(evidence: Mapping) -> str:
    link = evidence.get("link")
    return f"[{evidence['source']}]({link})" if link else evidence["source"]


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

def experiments(study: Study) -> str:
    """All experiments, by the data sets they run on."""
    params = study.params
    parts = ["# All experiments\n",
             "An experiment is a list of layers; its order is the network's order. Each is shown "
             "with its exact lines of `params.yaml` and its result against what it is compared "
             "with.\n"]
    groups: dict[str, list[str]] = {}
    for name in params.experiments:
        sets = params.data_sets(name)
        heading = ", ".join(dict.fromkeys(params.data[d].group for d in sets))
        groups.setdefault(heading.replace("_", " "), []).append(name)
    for heading, names in groups.items():
        parts.append(f"## On {heading}\n")
        for name in names:
            parts.append(_experiment(study, name))
    return "\n".join(parts)


def _experiment(study: Study, name: str) -> str:
    experiment = study.params.experiments[name]
    cells = study.experiment_cells(name)
    parts = [f"(experiment-{name})=\n### {experiment.title or name}\n"]
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


def records(study: Study) -> str:
    """The list of lab records."""
    rows = [(record_link(study, name, name), chain(study.params.experiments[name]),
             ", ".join(study.params.data_sets(name)), f"[entry](#experiment-{name})")
            for name in study.records]
    return table(["lab record", "layers", "data sets", ""], rows) or "No record is stored yet.\n"


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
