"""Everything stored that the book shows, read once."""

from __future__ import annotations

import csv
import math
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline.book.evidence import read_evidence
from pipeline.book.lines import experiment_lines
from pipeline.book.plain import plain
from pipeline.book.questions import read_answers, read_guide
from pipeline.book.rows import records
from pipeline.tables.lock import check
from pipeline.tables.stored import (
    CERTIFICATES, LAYERS_TABLE, MECHANICS, RUNS, RUNS_TABLE, SCALE, TORTURE, need, read_json, read_table)
from pipeline.config.errors import Spec, read_yaml
from pipeline.config.claims import Claim, base, read_claims
from pipeline.config.schema import Params, load
from pipeline.tables.schemas import MEASURED, STORED, VERDICT_COLUMNS
from pipeline.verdicts.rule import Rule, rule

#: Where the real data sets come from.
SETS = Path("extracts/sets.yaml")
#: The verdict on a claim that no stored result decides.
NOT_MEASURED = "not measured"
#: The stored tables that are one file, but for what is only compared.
TABLES = {name: table for name, table in STORED.items() if "{" not in table.file and name != "predictions"}


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
    #: What others found, see `evidence.Evidence`; with `effect` where a pair of errors is known.
    evidence: tuple[Mapping[str, Any], ...] = ()
    #: Topic -> its `question` and its `answers`, a sentence for each verdict of a claim.
    answers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    #: Data set -> the number of its training samples, where the data file is there.
    sizes: Mapping[str, int] = field(default_factory=dict)
    #: What `book/guide.yaml` lists: advice by situation.
    guide: tuple[Mapping[str, Any], ...] = ()
    #: Experiment -> what training it took, and where; only where that was written down.
    timings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    #: Experiment -> variant and data set -> its number of trained runs.
    trained: Mapping[str, Mapping[tuple[str, str], int]] = field(default_factory=dict)
    #: Experiment -> variant and data set -> the number of its network's weights.
    weights: Mapping[str, Mapping[tuple[str, str], int]] = field(default_factory=dict)
    #: Certificate -> what a sample of the runs said that was trained again.
    certificates: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    #: Where growth was measured, and where and how runs were disturbed; nothing while nothing of it is stored.
    scale_place: Mapping[str, Any] = field(default_factory=dict)
    torture: Mapping[str, Any] = field(default_factory=dict)
    #: What CITATION.cff says.
    citation: Mapping[str, Any] = field(default_factory=dict)
    #: The pages that are written by hand, by name.
    written: frozenset[str] = frozenset()
    #: Data set -> what extracts/sets.yaml says of it; only those that it describes.
    described: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    #: Data set -> its file of arrays; only where it is there.
    files: Mapping[str, Path] = field(default_factory=dict)
    #: What the first study found, a row a claim; NaN for exact checks.
    first_study: pd.DataFrame = field(default_factory=pd.DataFrame)

    def __getattr__(self, name: str) -> pd.DataFrame:
        if name in TABLES:
            return self.tables[name]
        raise AttributeError(name)

    @property
    def runs(self) -> int:
        """The number of trained runs, but for those on data of a reader's own."""
        return sum(runs for found in self.trained.values() for (_, data), runs in found.items()
                   if data not in self.params.own)

    @property
    def topics(self) -> list[str]:
        """The chapters, in the order of book/answers.yaml; then topics that only claims name."""
        return list(dict.fromkeys([*self.answers, *(claim.topic for claim in self.claims)]))

    @cached_property
    def families(self) -> dict[str, dict[str, list[str]]]:
        """Family -> stratum ('' where it has none) -> its data sets, all as params.yaml orders them."""
        found: dict[str, dict[str, list[str]]] = {}
        for name, data in self.params.data.items():
            if data.family:
                found.setdefault(data.family, {}).setdefault(data.stratum, []).append(name)
        return found

    @property
    def real(self) -> list[str]:
        """The data sets of families, which have a page each."""
        return [name for strata in self.families.values() for names in strata.values() for name in names]

    @property
    def being_measured(self) -> set[str]:
        """The experiments that are not trained yet."""
        return set(self.params.being_measured)

    @property
    def marked(self) -> set[str]:
        """The data sets whose control hardly beats the trivial predictor."""
        return self._sets("marked")

    @property
    def sensitive(self) -> set[str]:
        """The data sets on which half the data raises the control's error by more than the margin."""
        return self._sets("sensitive")

    def _sets(self, column: str) -> set[str]:
        return set(self.data_sets.loc[self.data_sets[column].astype(bool), "data"])

    @cached_property
    def arms_of_data(self) -> dict[str, dict]:
        """Data set -> some plan's arm on it, which says the shape of a sample and the classes."""
        return {arm["data"]: arm for plan in reversed(self.plans.values())
                for arm in reversed(plan["arms"])}

    def verdict_rows(self, claim: Claim) -> list[dict]:
        """A claim's rows of the verdicts: one, or where strata differ, one for each.

        A claim without a row is not measured, or is being measured if it needs an experiment that is.
        """
        return self._verdicts.get(claim.slug) or [dict.fromkeys(VERDICT_COLUMNS, "") | {
            "slug": claim.slug, "p": math.nan, "q": math.nan, "fragile": False, "primary": claim.primary,
            **dict.fromkeys(("verdict", "reads"), MEASURED if set(claim.experiments)
                            & self.being_measured else NOT_MEASURED)}]

    def verdict(self, claim: Claim, group: str | None = None) -> dict:
        """A claim's row of the verdicts in a group; without one, its first.

        Raises:
            KeyError: the claim has no such group.
        """
        rows = {row["group"]: row for row in self.verdict_rows(claim)}
        return rows[next(iter(rows)) if group is None else group]

    def average(self, claim: Claim, group: str | None = None) -> dict | None:
        """A claim's row of the averages in a group; without one, its first. None where it has none."""
        rows = self.claim_averages(claim)
        rows = rows if group is None else rows[rows["group"] == group]
        return rows.iloc[0].to_dict() if len(rows) else None

    def claim_effects(self, claim: Claim) -> pd.DataFrame:
        """A claim's comparisons, one row a data set and contrast."""
        return self._of_claim("effects", claim.slug)

    def claim_units(self, claim: Claim) -> pd.DataFrame:
        """What a claim averages, one row a unit."""
        return self._of_claim("units", claim.slug)

    def claim_averages(self, claim: Claim) -> pd.DataFrame:
        """A claim's averages: one row, or where strata differ, one for each."""
        return self._of_claim("averages", claim.slug)

    def claim_robustness(self, claim: Claim) -> pd.DataFrame:
        """What other choices make of a claim's verdicts, one row a group and choice."""
        return self._of_claim("robustness", claim.slug)

    def claims_on(self, experiment: str) -> list[Claim]:
        """The claims that rest on an experiment, in their order."""
        return self._claims_on.get(experiment, [])

    def experiment_rates(self, name: str) -> pd.DataFrame:
        """How many seeds of an experiment kept each rate, on each data set."""
        return self._rates.get(name, self.rates.iloc[:0])

    def experiment_effects(self, name: str) -> pd.DataFrame:
        """An experiment's comparisons with its `versus`, its variants' among them."""
        return self._of_experiment("effects", name)

    def experiment_averages(self, name: str) -> pd.DataFrame:
        """The averages of an experiment's comparisons with its `versus`, its variants' among them."""
        return self._of_experiment("averages", name)

    def question(self, topic: str) -> str:
        """The practitioner's question that a chapter answers; its name, if none is written."""
        found = self.answers.get(topic)
        return found["question"] if found else topic.replace("_", " ").capitalize()

    @cached_property
    def _verdicts(self) -> dict[str, list[dict]]:
        found: dict[str, list[dict]] = {}
        for row in records(self.verdicts):
            found.setdefault(row["slug"], []).append(row)
        return found

    def _of_claim(self, table: str, slug: str) -> pd.DataFrame:
        return self._by_claim[table].get(slug, self.tables[table].iloc[:0])

    def _of_experiment(self, table: str, name: str) -> pd.DataFrame:
        return self._by_experiment[table].get(name, self.tables[table].iloc[:0])

    @cached_property
    def _by_claim(self) -> dict[str, dict[str, pd.DataFrame]]:
        """Table -> claim -> its rows; those of experiments against their `versus` have no claim."""
        return {name: dict(list(self.tables[name].groupby("claim", sort=False)))
                for name in ("effects", "units", "averages", "robustness") if name in self.tables}

    @cached_property
    def _claims_on(self) -> dict[str, list[Claim]]:
        found: dict[str, list[Claim]] = {}
        for claim in self.claims:
            for name in claim.experiments:
                found.setdefault(name, []).append(claim)
        return found

    @cached_property
    def _rates(self) -> dict[str, pd.DataFrame]:
        return dict(list(self.rates.groupby("experiment", sort=False)))

    @cached_property
    def _by_experiment(self) -> dict[str, dict[str, pd.DataFrame]]:
        found = {}
        for name in ("effects", "averages"):
            parts = self._by_claim[name]
            rows = parts.get("", self.tables[name].iloc[:0])
            found[name] = dict(list(rows.groupby(rows["treatment"].map(base), sort=False)))
        return found


def read(root: Path) -> Study:
    """Everything stored under a project's folder.

    Raises:
        ConfigError: a file that a person edits has a mistake.
        Damaged: a stored result is not what was stored.
    """
    root = Path(root)
    params = _shown(load(root / "params.yaml"))
    return Study(
        params, list(map(_as_text, read_claims(root / "book/claims.yaml"))), rule(params.verdicts),
        {name: _table(root / table.path(), table.columns) for name, table in TABLES.items()},
        plans=_jsons(root / "plan", params),
        lines=experiment_lines((root / "params.yaml").read_text(encoding="utf-8")),
        records=_records(root, params), evidence=read_evidence(root), answers=read_answers(root),
        sizes={name: size for name in params.data if (size := _size(root / f"data/{name}.npz"))},
        guide=read_guide(root), timings=_jsons(root / "timings", params),
        trained=_trained(root, params), weights=_weights(root, params), certificates=_certificates(root / CERTIFICATES),
        scale_place=_certificates(root / SCALE).get("place", {}), torture=_certificates(root / TORTURE).get("about", {}),
        citation=_optional(root / "CITATION.cff") or {},
        written=frozenset(path.stem for path in (root / "book").glob("*.md")),
        described=(_optional(root / SETS) or {}).get("sets", {}),
        files={name: path for name in params.data if (path := root / f"data/{name}.npz").exists()},
        first_study=pd.read_csv(root / "book/first_study.csv", keep_default_na=False, na_values=["NaN"]))


#: What a person writes in words, and pages show as text.
WORDS = ("title", "note", "says", "who", "because", "rows")


def _as_text(entry: Spec) -> Spec:
    """An entry whose words are Markdown that shows them as they are."""
    given = {name: value for name in WORDS if name in type(entry).model_fields and (value := getattr(entry, name))}
    # Of a file's entry, `rows` is a number.
    return entry.model_copy(update={
        name: plain(value) if isinstance(value, str) else list(map(plain, value))
        for name, value in given.items() if not isinstance(value, int)})


def _shown(params: Params) -> Params:
    """Params whose words are Markdown; a data set without a title has that of its origin."""
    data = {name: _as_text(one.model_copy(update={"title": one.title or one.origin}))
            for name, one in params.data.items()}
    return params.model_copy(update={
        "data": data, "experiments": {name: _as_text(one) for name, one in params.experiments.items()}})


def _optional(path: Path):
    return read_yaml(path) if path.exists() else None


def _jsons(folder: Path, params: Params) -> dict[str, dict]:
    """What a folder has of each experiment, one JSON file an experiment."""
    return {name: read_json(path) for name in params.experiments
            if (path := folder / f"{name}.json").exists()}


def _records(root: Path, params: Params) -> dict[str, Path]:
    """The lab records, in folders that are as they were stored."""
    folders = {name: root / RUNS / name for name in params.experiments} | {"mechanics": root / MECHANICS}
    for name, folder in folders.items():
        check(folder)
        # Else its claims would read as if they were being measured.
        if name not in params.being_measured and (root / f"plan/{name}.json").exists():
            need(folder / RUNS_TABLE)
    return {name: path for name, folder in folders.items() if (path := folder / "record.ipynb").exists()}


def _certificates(folder: Path) -> dict[str, dict]:
    return {path.stem: read_json(path) for path in sorted(folder.glob("*.json"))}


def _trained(root: Path, params: Params) -> dict[str, Counter]:
    return {name: Counter(_columns(path, "variant", "data")) for name in params.experiments
            if (path := root / RUNS / name / RUNS_TABLE).exists()}


def _columns(path: Path, *names: str) -> Iterator[tuple[str, ...]]:
    """The texts of some columns of a table, row by row; nothing of a table without them."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        header = next(rows, [])
        if set(names) <= set(header):
            yield from map(itemgetter(*map(header.index, names)), rows)


def _weights(root: Path, params: Params) -> dict[str, Counter]:
    found = {}
    for name in params.experiments:
        if (path := root / RUNS / name / LAYERS_TABLE).exists():
            found[name] = Counter()
            for variant, data, parameters in _columns(path, "variant", "data", "parameters"):
                found[name][variant, data] += int(parameters)
    return found


def _size(path: Path) -> int:
    """What a data file says of its training samples; 0 if it is absent, or says nothing."""
    if not path.exists():
        return 0
    with np.load(path, allow_pickle=False) as arrays:
        return int(arrays["train"]) if "train" in arrays else 0


def _table(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    check(path)
    return read_table(path) if os.path.lexists(path) else pd.DataFrame(columns=list(columns))
