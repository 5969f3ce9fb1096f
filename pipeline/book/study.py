"""Everything stored that the book shows, read once."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline.book.lines import experiment_lines
from pipeline.results import CERTIFICATES, MECHANICS, RUNS, RUNS_TABLE, read_table, verify
from pipeline.spec.base import read_yaml
from pipeline.spec.claims import Claim, base, read_claims
from pipeline.spec.params import Params, load
from pipeline.spec.tables import OPPOSITE, STORED, VERDICT_COLUMNS
from pipeline.verdicts.rule import Rule, rule


#: The stored tables that are one file.
TABLES = {name: table for name, table in STORED.items() if "{" not in table.file}


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
    #: Lab record -> its file: experiments in the order of params.yaml, then `mechanics`.
    records: Mapping[str, Path] = field(default_factory=dict)
    #: What others found: `rows` of the ledger, `says`, and the key `cite` of references.bib.
    evidence: tuple[Mapping[str, Any], ...] = ()
    #: Topic -> its `question` and its `answers`, a sentence for each verdict of a claim.
    answers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
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
    #: Certificate -> what a sample of the runs said that was trained again.
    certificates: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    #: What CITATION.cff says.
    citation: Mapping[str, Any] = field(default_factory=dict)
    #: The pages that are written by hand, by name.
    written: frozenset[str] = frozenset()

    def __getattr__(self, name: str) -> pd.DataFrame:
        if name in TABLES:
            return self.tables[name]
        raise AttributeError(name)

    @property
    def runs(self) -> int:
        """The number of trained runs."""
        return sum(sum(found.values()) for found in self.trained.values())

    @property
    def topics(self) -> list[str]:
        """The chapters, in the order of book/answers.yaml; then topics that only claims name."""
        return list(dict.fromkeys([*self.answers, *(claim.topic for claim in self.claims)]))

    @property
    def blind(self) -> set[str]:
        """The data sets on which half the data was not found worse."""
        return set(self.data_sets.loc[self.data_sets["blind"].astype(bool), "data"])

    @cached_property
    def arms_of_data(self) -> dict[str, dict]:
        """Data set -> some plan's arm on it, which says the shape of a sample and the classes."""
        return {arm["data"]: arm for plan in reversed(self.plans.values())
                for arm in reversed(plan["arms"])}

    def verdict(self, claim: Claim) -> dict:
        """A claim's row of the verdicts, or one that says it is not measured."""
        return self._verdicts.get(claim.slug) or dict.fromkeys(VERDICT_COLUMNS, "") | {
            "slug": claim.slug, "verdict": "not measured", "reads": "not measured",
            "D": 0, "F": 0, "A": 0, "k": 0, "fragile": False}

    def outcome(self, claim: Claim) -> str:
        """A verdict as the key of the sentence that it chooses; “contradicted” says which way."""
        row = self.verdict(claim)
        if row["verdict"] != "contradicted":
            return row["verdict"]
        return "opposite" if row["way"] == OPPOSITE else "no_effect"

    def claim_cells(self, claim: Claim) -> pd.DataFrame:
        return self._by_claim.get(claim.slug, self.cells.iloc[:0])

    def experiment_cells(self, name: str) -> pd.DataFrame:
        """An experiment's comparisons with its `versus`, its variants' among them."""
        return self._by_experiment.get(name, self.comparisons.iloc[:0])

    def question(self, topic: str) -> str:
        """The practitioner's question that a chapter answers; its name, if none is written."""
        found = self.answers.get(topic)
        return found["question"] if found else topic.replace("_", " ").capitalize()

    @cached_property
    def _verdicts(self) -> dict[str, dict]:
        return {row["slug"]: row for row in self.verdicts.to_dict("records")}

    @cached_property
    def _by_claim(self) -> dict[str, pd.DataFrame]:
        return dict(list(self.cells.groupby("claim", sort=False)))

    @cached_property
    def _by_experiment(self) -> dict[str, pd.DataFrame]:
        return dict(list(self.comparisons.groupby(self.comparisons["treatment"].map(base), sort=False)))


def read(root: Path) -> Study:
    """Everything stored under a project's folder.

    Raises:
        ConfigError: a file that a person edits has a mistake.
        Damaged: a stored result is not what was stored.
    """
    root = Path(root)
    params = load(root / "params.yaml")
    evidence, answers, guide = (_optional(root / f"book/{name}.yaml") for name in (
        "evidence", "answers", "guide"))
    counts = {name: _counts(root / f"data/{name}.npz") for name in params.data}
    return Study(
        params, read_claims(root / "book/claims.yaml"), rule(params.verdicts),
        {name: _table(root / table.path(), table.columns) for name, table in TABLES.items()},
        plans=_jsons(root / "plan", params),
        lines=experiment_lines((root / "params.yaml").read_text(encoding="utf-8")),
        records=_records(root, params), evidence=tuple(evidence or ()), answers=answers or {},
        gaps={name: found for name, found in counts.items() if "weeks_missing" in found},
        sizes={name: found["train"] for name, found in counts.items() if "train" in found},
        guide=tuple(guide or ()), timings=_jsons(root / "timings", params),
        trained=_trained(root, params), certificates=_certificates(root / CERTIFICATES),
        citation=_optional(root / "CITATION.cff") or {},
        written=frozenset(path.stem for path in (root / "book").glob("*.md")))


def _optional(path: Path):
    return read_yaml(path) if path.exists() else None


def _jsons(folder: Path, params: Params) -> dict[str, dict]:
    """What a folder has of each experiment, one JSON file an experiment."""
    return {name: json.loads(path.read_text(encoding="utf-8")) for name in params.experiments
            if (path := folder / f"{name}.json").exists()}


def _records(root: Path, params: Params) -> dict[str, Path]:
    """The lab records, in folders that are as they were stored."""
    folders = {name: root / RUNS / name for name in params.experiments} | {"mechanics": root / MECHANICS}
    for folder in folders.values():
        verify(folder)
    return {name: path for name, folder in folders.items() if (path := folder / "record.ipynb").exists()}


def _certificates(folder: Path) -> dict[str, dict]:
    verify(folder)
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))}


def _trained(root: Path, params: Params) -> dict[str, Counter]:
    found = {}
    for name in params.experiments:
        if (path := root / RUNS / name / RUNS_TABLE).exists():
            with path.open(encoding="utf-8", newline="") as file:
                found[name] = Counter((row.get("variant", ""), row.get("data", ""))
                                      for row in csv.DictReader(file))
    return found


def _counts(path: Path) -> dict[str, int]:
    """What a data file says of its training samples and missing weeks; nothing if it is absent."""
    if not path.exists():
        return {}
    with np.load(path) as arrays:
        return {name: int(arrays[name])
                for name in ("train", "weeks", "weeks_missing", "windows_dropped") if name in arrays}


def _table(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    return read_table(path) if path.exists() else pd.DataFrame(columns=list(columns))
