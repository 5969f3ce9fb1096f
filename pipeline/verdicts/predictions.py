"""What claims predict, and the rule that judges them, as both stood when their runs were first stored."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict

import pandas as pd

from pipeline.config.claims import Claim, data_sets
from pipeline.config.schema import Params
from pipeline.tables.lock import LOCK, Damaged, lock_of
from pipeline.tables.schemas import STORED
from pipeline.verdicts import claims as decisions
from pipeline.verdicts.rule import Rule

TABLE, CHANGES = STORED["predictions"], STORED["changes"]
#: What a row is of: a claim, a constant of the rule, a data set; or an experiment's runs, or what the probe saw of them.
CLAIM, RULE, SET, RUNS, PROBE = "claim", "rule", "data set", "runs", "probe"


def stands(claims: Sequence[Claim], params: Params, rule: Rule) -> dict[tuple[str, str], str]:
    """Kind and name → what a claim predicts, of what a constant is, to which unit a data set belongs: today."""
    constants = asdict(rule) | {"controls": params.controls} | {
        f"words_for_{region}": list(map(sorted, words)) for region, words in decisions.TABLE.items()}
    return {**{(CLAIM, claim.slug): _text(_predicted(claim, params)) for claim in claims if claim.predicts},
            **{(RULE, name): _text(value) for name, value in constants.items()},
            **{(SET, name): _text([entry.unit, entry.stratum]) for name, entry in params.data.items() if not entry.own}}


def _predicted(claim: Claim, params: Params) -> dict:
    """All that a verdict on a claim depends on, but for the runs and the rule."""
    contrasts = [contrast.model_dump(exclude_none=True) for contrast in claim.contrasts]
    return {"region": claim.predicts.region, "quantifier": claim.predicts.quantifier, "contrasts": contrasts,
            "baseline": claim.baseline, "metric": claim.metric, "endpoint": claim.endpoint, "probe": claim.probe,
            "identity": claim.identity, "data": data_sets(claim, params)}


def _text(value) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def known() -> pd.DataFrame:
    """What stood when runs were first stored: the table, but for rows that `dvc.lock` does not know yet.

    These were added by a run that was killed before DVC wrote its lock, and are found again.

    Raises:
        Damaged: no beginning of the table is what the lock says.
    """
    path, lock = TABLE.path(), lock_of(TABLE.path())
    text = path.read_bytes() if path.exists() else b""
    if lock and TABLE.file in lock.outputs:
        text = _beginning(text, lock.outputs[TABLE.file][1])
    if not text:
        return pd.DataFrame(columns=list(TABLE.columns))
    try:
        return pd.read_csv(io.BytesIO(text), dtype=str, keep_default_na=False)[list(TABLE.columns)]
    except (ValueError, KeyError):
        raise Damaged(f"{path}: it is no such table; take it back with `git checkout -- {path}`") from None


def _beginning(text: bytes, digest: str) -> bytes:
    """The first lines of a text that have an MD5."""
    found, length = hashlib.md5(), 0
    for line in text.splitlines(keepends=True):
        found.update(line)
        length += len(line)
        if found.hexdigest() == digest:
            return text[:length]
    raise Damaged(f"{TABLE.file}: its rows are not those that were stored ({LOCK}), so nothing says what was predicted before "
                  f"runs were stored; take it back with `git checkout -- {TABLE.file}`")


def recorded(before: pd.DataFrame, claims: Sequence[Claim], decided: Collection[str], measured: Mapping[str, Collection[str]],
             params: Params, rule: Rule) -> pd.DataFrame:
    """The table with a row more for each claim that is decided for the first time, and for all that it had not.

    Args:
        before: as `known` gives it; its rows stay as they are.
        decided: slugs of the claims whose runs are stored.
        measured: `runs` and `probe` → the experiments of which they are stored.
    """
    held = set(zip(before["kind"], before["name"], strict=True))
    by_slug = {claim.slug: claim for claim in claims}
    rows = [(kind, name, text, "yes" if kind == CLAIM and _late(by_slug[name], held) else "")
            for (kind, name), text in stands(claims, params, rule).items()
            if (kind, name) not in held and (kind != CLAIM or name in decided)]
    rows += [(kind, name, "", "") for kind, names in measured.items() for name in names if (kind, name) not in held]
    return pd.concat([before, pd.DataFrame(rows, columns=before.columns)], ignore_index=True)


def _late(claim: Claim, held: Collection[tuple[str, str]]) -> bool:
    """Whether all that decides a claim was stored before the claim was seen."""
    return all((PROBE if claim.probe else RUNS, name) in held for name in claim.experiments)


def changes(rows: pd.DataFrame, claims: Sequence[Claim], params: Params, rule: Rule) -> pd.DataFrame:
    """What is not as it stood when runs were first stored, with the columns of the table `changes`."""
    today = stands(claims, params, rule)
    found = [(row["kind"], row["name"], *change) for row in rows.to_dict("records") if row["stood"]
             for change in _changes(row, today.get((row["kind"], row["name"])))]
    return pd.DataFrame(found, columns=list(CHANGES.columns))


def _changes(row: Mapping[str, str], now: str | None) -> Iterator[tuple[str, str, str]]:
    if row["after_runs"]:
        yield "written", "", "after its runs"
    if row["kind"] != CLAIM or now is None:
        if now != row["stood"]:
            yield "", *_apart(json.loads(row["stood"]), None if now is None else json.loads(now))
        return
    stood, stands_now = json.loads(row["stood"]), json.loads(now)
    for key in sorted({*stood, *stands_now}):
        if stood.get(key) != stands_now.get(key):
            yield key, *_apart(stood.get(key), stands_now.get(key))


def _apart(one, other) -> tuple[str, str]:
    """Two values as text; of lists, what only one of them has."""
    if isinstance(one, list) and isinstance(other, list):
        one, other = ([item for item in mine if item not in its] for mine, its in ((one, other), (other, one)))
    return tuple("" if value in (None, []) else value if isinstance(value, str) else
                 ", ".join(item if isinstance(item, str) else _text(item) for item in value) if isinstance(value, list)
                 else _text(value) for value in (one, other))


def said(change: Mapping[str, str]) -> str:
    """A change in a line: `claim bn_helps: region: worse, now better`."""
    key = f"{change['key']}: " if change["key"] else ""
    return f"{change['kind']} {change['name']}: {key}{change['stood'] or 'nothing'}, now {change['stands'] or 'nothing'}"
