"""Everything stored that the book shows, read once."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from ruamel.yaml import YAML

from pipeline.results import RUNS, RUNS_TABLE, read_table
from pipeline.spec.base import read_yaml
from pipeline.spec.claims import Claim, base, read_claims
from pipeline.spec.params import Params, load
from pipeline.spec.tables import MECHANICS, OPPOSITE, TABLES, VERDICT_COLUMNS
from pipeline.verdicts.rule import Rule, rule


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
        params, read_claims(root / "book/claims.yaml"), rule(params.verdicts),
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


def topics(study: Study) -> list[str]:
    """The chapters, in the order of book/answers.yaml; then topics that only claims name."""
    return list(dict.fromkeys([*study.answers, *(claim.topic for claim in study.claims)]))


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
    return "opposite" if row["way"] == OPPOSITE else "no_effect"


def counted(cells: pd.DataFrame) -> pd.DataFrame:
    """The comparisons that can show something, the best first."""
    informative = cells["position"] != "uninformative"
    return cells[informative & np.isfinite(cells["effect"].astype(float))].sort_values(
        "effect", ascending=False, kind="stable")
