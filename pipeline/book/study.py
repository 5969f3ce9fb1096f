"""Everything stored that the book shows, read once; every text of it is `inert`."""

import csv
import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from ruamel.yaml import YAML

from pipeline.book.escape import inert
from pipeline.book.written import read_answers, read_cards, read_evidence
from pipeline.config.claims import base
from pipeline.config.read_yaml import read_yaml
from pipeline.config.readings import Claim, read_changes, read_claims
from pipeline.config.schema import Params, load
from pipeline.findings.asked import CLAIM, HALF, SAME, VERSUS
from pipeline.findings.rule import Rule, rule
from pipeline.findings.words import ALL
from pipeline.tables.lock import check
from pipeline.tables.schemas import FOUND, STORED
from pipeline.tables.stored import (
    CERTIFICATES, LAYERS_TABLE, MECHANICS, RUNS, RUNS_TABLE, SCALE, TORTURE, need, read_json, read_table, records)

#: Where the real data sets come from.
SETS = Path("extracts/sets.yaml")
#: The stored tables that are one file, but for what is only compared.
TABLES = {**{name: table for name, table in STORED.items() if "{" not in table.file and name != "predictions"}, **FOUND}
#: What a claim reads of which nothing is stored.
NOT_READ = {"reading": "not measured", "reads": "not measured", "sentence": "No stored result is about it yet.",
            "region": "", "quantifier": "", "by": ""}


@dataclass(frozen=True)
class Study:
    """All that the book shows. A table that is not stored has its columns and no rows."""

    params: Params
    claims: list[Claim]
    rule: Rule
    tables: Mapping[str, pd.DataFrame]
    plans: Mapping[str, dict]  #: Experiment → its resolved plan; only those that are stored.
    lines: Mapping[str, str]  #: Experiment → its exact lines of params.yaml.
    records: Mapping[str, Path]  #: Lab record → its file: experiments in the order of params.yaml, then `mechanics`.
    evidence: Sequence[Mapping[str, Any]]  #: What others found, see `written.Evidence`.
    answers: Mapping[str, Mapping[str, Any]]  #: Topic → what of it is drawn.
    cards: Sequence[Mapping[str, Any]]  #: Of the first page.
    sizes: Mapping[str, int]  #: Data set → the number of its training samples, where the data file is there.
    timings: Mapping[str, Mapping[str, Any]]  #: Experiment → what training it took, and where, if that was written down.
    trained: Mapping[str, Mapping[tuple[str, str], int]]  #: Experiment → variant and data set → its number of trained runs.
    weights: Mapping[str, Mapping[tuple[str, str], int]]  #: Experiment → variant and data set → its network's weights.
    certificates: Mapping[str, Mapping[str, Any]]  #: Name → what a sample of the runs said that was trained again.
    scale_place: Mapping[str, Any]  #: Where growth was measured; empty while nothing of it is stored.
    torture: Mapping[str, Any]  #: Where and how runs were disturbed; empty while nothing of it is stored.
    citation: Mapping[str, Any]  #: What CITATION.cff says.
    written: frozenset[str]  #: The pages that are written by hand, by name.
    described: Mapping[str, Mapping[str, Any]]  #: Data set → what extracts/sets.yaml says of it, if it does.
    files: Mapping[str, Path]  #: Data set → its file of arrays, where it is there.
    reworded: Sequence[Mapping[str, str]]  #: What of claims is not as it was under the second rule.
    second_rule: pd.DataFrame  #: That rule's verdicts, a row a claim and stratum.

    def __getattr__(self, name: str) -> pd.DataFrame:
        if name in TABLES:
            return self.tables[name]
        raise AttributeError(name)

    @property
    def runs(self) -> int:
        """The number of trained runs, but for those on data of a reader's own."""
        return sum(runs for found in self.trained.values() for (_, data), runs in found.items() if data not in self.params.own)

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

    @cached_property
    def arms_of_data(self) -> dict[str, dict]:
        """Data set -> some plan's arm on it, which says the shape of a sample and the classes."""
        return {arm["data"]: arm for plan in reversed(self.plans.values()) for arm in reversed(plan["arms"])}

    @cached_property
    def found(self) -> dict[str, list[dict]]:
        """Finding -> its rows, a stratum each, and behind them that for all.

        Those that measure the rule, and those on a reader's own data, are left out.
        """
        rows, measure = {}, self.findings["role"].isin([SAME, HALF])
        for row in records(self.findings[~measure & ~self.findings["kind"].isin(self.params.own)]):
            rows.setdefault(row["id"], []).append(row)
        return rows

    def strata(self, finding: str) -> list[dict]:
        """A finding's rows, a stratum each."""
        return [row for row in self.found[finding] if row["stratum"] != ALL]

    @cached_property
    def comparisons(self) -> int:
        """Among how many comparisons a direction could be luck."""
        return int(self.findings["q"].notna().sum())

    def rows_of(self, table: str, finding: str) -> pd.DataFrame:
        """A finding's rows of another table."""
        return self._by_finding[table].get(finding, self.tables[table].iloc[:0])

    def reading(self, claim: Claim) -> dict:
        """A claim's row of the readings."""
        return self._readings.get(claim.slug, NOT_READ)

    def claims_about(self, finding: str) -> list[Claim]:
        """The claims that a finding answers, or stands beside."""
        return [claim for claim in self.claims if finding in self.findings_of[claim.slug]]

    @cached_property
    def topic_of(self) -> dict[str, str]:
        """Finding -> the chapter of the first claim about it, else that which draws its treatment, or has claims on it or on
        what it changes; '' without any."""
        found = {name: claim.topic for claim in reversed(self.claims) for name in self.findings_of[claim.slug]}
        drawn = {name: topic for topic, one in self.answers.items()
                 for name in (*one.get("places", ()), *(name for some in one.get("sweeps", ()) for name in some))}
        for name, rows in self.found.items():
            experiment = base(rows[0]["treatment"])
            found.setdefault(name, drawn.get(experiment) or self._topic_near(experiment))
        return found

    def _topic_near(self, experiment: str | None) -> str:
        while experiment:
            if near := self.claims_on[experiment]:
                return near[0].topic
            experiment = self.params.experiments[experiment].of
        return ""

    @cached_property
    def _by_finding(self) -> dict[str, dict[str, pd.DataFrame]]:
        return {name: dict(list(self.tables[name].groupby("id", sort=False)))
                for name in ("sets", "multiverse", "units", "competent")}

    @cached_property
    def _readings(self) -> dict[str, dict]:
        return {row["slug"]: row for row in records(self.readings)}

    @cached_property
    def findings_of(self) -> Mapping[str, list[str]]:
        """Claim → the findings that it is about, in its order, and those that stand beside; none of a claim without any."""
        return self._asked(CLAIM, self.asked["by"])

    @cached_property
    def asked_by(self) -> Mapping[str, list[str]]:
        """Experiment → its findings, or those of its variants, against its `versus`; none of one without any."""
        return self._asked(VERSUS, self.asked["by"].map(base))

    def _asked(self, role: str, by: pd.Series) -> Mapping[str, list[str]]:
        rows = self.asked[(self.asked["role"] == role) & self.asked["id"].isin(list(self.found))]
        return defaultdict(list, rows.groupby(by, sort=False)["id"].agg(lambda ids: list(dict.fromkeys(ids))).to_dict())

    @cached_property
    def claims_on(self) -> Mapping[str, list[Claim]]:
        """Experiment → the claims that rest on it, in their order; none of one without any."""
        found = defaultdict(list)
        for claim in self.claims:
            for name in claim.experiments:
                found[name].append(claim)
        return found


def read(root: Path) -> Study:
    """Everything stored under a project's folder.

    Raises:
        ConfigError: a file that a person edits has a mistake.
        Damaged: a stored result is not what was stored.
    """
    root = Path(root)
    params = load(root / "params.yaml")
    # A data set without a title has that of its origin.
    params = params.model_copy(update={"data": {
        name: one.model_copy(update={"title": one.title or one.origin}) for name, one in params.data.items()}})
    records = _records(root, params)
    shown = {
        "params": params, "claims": read_claims(root / "book/readings.yaml"),
        "tables": {name: _table(root / table.path(), table.columns) for name, table in TABLES.items()},
        "plans": _jsons(root / "plan", params), "timings": _jsons(root / "timings", params),
        "evidence": read_evidence(root), "answers": read_answers(root), "cards": read_cards(root),
        "sizes": {name: size for name in params.data if (size := _size(root / f"data/{name}.npz"))},
        "trained": _by_arm(root, params, RUNS_TABLE), "weights": _by_arm(root, params, LAYERS_TABLE, "parameters"),
        "certificates": _certificates(root / CERTIFICATES),
        "scale_place": _certificates(root / SCALE).get("place", {}),
        "torture": _certificates(root / TORTURE).get("about", {}), "citation": _optional(root / "CITATION.cff") or {},
        "described": (_optional(root / SETS) or {}).get("sets", {}),
        "reworded": tuple(one.model_dump() for one in read_changes(root / "book/claims_changes.yaml")),
        "second_rule": pd.read_csv(root / "book/second_rule.csv", keep_default_na=False)}
    # Lines are shown as a block of code, and paths are opened.
    return Study(
        **inert(shown), rule=rule(params.verdicts), records=records,
        lines=experiment_lines((root / "params.yaml").read_text(encoding="utf-8")),
        written=frozenset(path.stem for path in (root / "book").glob("*.md")),
        files={name: path for name in params.data if (path := root / f"data/{name}.npz").exists()})


def _optional(path: Path):
    return read_yaml(path) if path.exists() else None


def _jsons(folder: Path, params: Params) -> dict[str, dict]:
    """What a folder has of each experiment, one JSON file an experiment."""
    return {name: read_json(path) for name in params.experiments if (path := folder / f"{name}.json").exists()}


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


def by_arm(path: Path, column: str = "") -> dict[tuple[str, str], int]:
    """Variant and data set → the sum of a column of a table, or the number of its rows; none of a table without them."""
    kept = ["variant", "data", *filter(None, [column])]
    rows = pd.read_csv(path, usecols=lambda name: name in kept, dtype={"variant": str, "data": str}, keep_default_na=False)
    if set(rows) != set(kept):
        return {}
    arms = rows.groupby(["variant", "data"], sort=False)
    return (arms[column].sum() if column else arms.size()).to_dict()


def _by_arm(root: Path, params: Params, table: str, column: str = "") -> dict[str, dict]:
    return {name: by_arm(path, column) for name in params.experiments if (path := root / RUNS / name / table).exists()}


def _size(path: Path) -> int:
    """What a data file says of its training samples; 0 if it is absent, or says nothing."""
    if not path.exists():
        return 0
    with np.load(path, allow_pickle=False) as arrays:
        return int(arrays["train"]) if "train" in arrays else 0


def _table(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    check(path)
    return read_table(path) if os.path.lexists(path) else pd.DataFrame(columns=list(columns))


def experiment_lines(text: str) -> dict[str, str]:
    """The exact lines of each experiment in a params file's text, without what follows it."""
    section = YAML().load(text)["experiments"]
    lines = text.splitlines()
    starts = {name: section.lc.key(name)[0] for name in section}
    ends = sorted([*starts.values(), len(lines)])
    return {name: _entry(lines[start:ends[ends.index(start) + 1]]) for name, start in starts.items()}


def _entry(lines: list[str]) -> str:
    """An entry from its first line to its last, moved to the left."""
    depth = _depth(lines[0])
    end = next((number for number, line in enumerate(lines) if number and line.strip() and _depth(line) <= depth), len(lines))
    return "\n".join(line[depth:] for line in lines[:end]).rstrip()


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())
