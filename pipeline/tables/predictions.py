"""What stood when runs were first stored, and what stands today: predictions, the rule, the units of data sets."""

import hashlib
import io
import json
from collections.abc import Collection, Iterable, Iterator, Mapping

import pandas as pd

from pipeline.tables.lock import LOCK, Damaged, lock_of
from pipeline.tables.schemas import FOUND, STORED

TABLE, CHANGES = STORED["predictions"], FOUND["changes"]
#: What a row is of: a claim, a constant of the rule, a data set, a group of them; or an experiment's runs, or what the
#: probe saw of them.
CLAIM, RULE, SET, GROUP, RUNS, PROBE = "claim", "rule", "data set", "group", "runs", "probe"
#: The kind and the name of a row.
Key = tuple[str, str]


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


def recorded(before: pd.DataFrame, stands: Mapping[Key, object], rests_on: Mapping[str, Collection[Key]],
             measured: Iterable[Key]) -> pd.DataFrame:
    """The table with a row more for each claim that is decided for the first time, and for all that it had not.

    Args:
        before: as `known` gives it; its rows stay as they are.
        stands: what stands today; of claims, a mapping.
        rests_on: the claims that are decided → the runs that decide them.
        measured: all runs that are stored.
    """
    held = set(zip(before["kind"], before["name"], strict=True))
    # A claim about runs that were all stored before it is no prediction.
    rows = [(*key, as_text(value), "yes" if key[0] == CLAIM and {*rests_on[key[1]]} <= held else "")
            for key, value in stands.items() if key not in held and (key[0] != CLAIM or key[1] in rests_on)]
    rows += [(*key, "", "") for key in measured if key not in held]
    return pd.concat([before, pd.DataFrame(rows, columns=before.columns)], ignore_index=True)


def as_text(value) -> str:
    """JSON of which equal values give the same."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def changes(rows: pd.DataFrame, stands: Mapping[Key, object]) -> pd.DataFrame:
    """What is not as it stood when runs were first stored, with the columns of the table `changes`."""
    found = []
    for row in rows[rows["stood"] != ""].to_dict("records"):
        stood, today = json.loads(row["stood"]), stands.get((row["kind"], row["name"]))
        if row["after_runs"]:
            found.append((row["kind"], row["name"], "written", "", "after its runs"))
        # Lists that differ in their order alone are the same.
        found += [(row["kind"], row["name"], *change) for change in _changes(stood, json.loads(as_text(today)))
                  if any(change[1:])]
    return pd.DataFrame(found, columns=list(CHANGES.columns))


def _changes(stood, today) -> Iterator[tuple[str, str, str]]:
    """Which key of two values differs, if they have keys, and how."""
    if isinstance(stood, dict) and isinstance(today, dict):
        for key in sorted({*stood, *today}):
            if stood.get(key) != today.get(key):
                yield key, *_apart(stood.get(key), today.get(key))
    elif stood != today:
        yield "", *_apart(stood, today)


def _apart(one, other) -> tuple[str, str]:
    """Two values as text; of lists, what only one of them has."""
    if isinstance(one, list) and isinstance(other, list):
        one, other = ([item for item in mine if item not in its] for mine, its in ((one, other), (other, one)))
    return _said(one), _said(other)


def _said(value) -> str:
    if isinstance(value, list):
        return ", ".join(map(_said, value))
    return "" if value is None else value if isinstance(value, str) else as_text(value)


def said(change: Mapping[str, str]) -> str:
    """A change in a line: `claim bn_helps: region: worse, now better`."""
    key = f"{change['key']}: " if change["key"] else ""
    return f"{change['kind']} {change['name']}: {key}{change['stood'] or 'nothing'}, now {change['stands'] or 'nothing'}"
