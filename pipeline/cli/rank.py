"""What was found on a reader's own data, in the terminal: every change, ranked."""

from __future__ import annotations

import argparse
import json
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from pipeline.cli.answer import WIDTH, say
from pipeline.book.ranked import (
    Change, advice, beaten, in_study, like, plain_error, ranked, simple, summary, warnings)
from pipeline.tables.schemas import FOUND
from pipeline.tables.store import STORE
from pipeline.tables.stored import read_table, write_text
from pipeline.config.errors import ConfigError, complain, nearest
from pipeline.config.schema import Params, load

FINDINGS, SETS = FOUND["findings"].path(), FOUND["sets"].path()
BASELINES = Path("results/baselines/baselines.csv")
PAGE = "build/html/own/{}.html"
#: Inside the store: what was said last of each own data set.
SAID = "ranking.json"


def ranking(name: str, changes: list[Change], baselines: Mapping | None, entry) -> str:
    """A data set's networks as lines of at most `WIDTH` characters, what to do, and the page that shows it.

    Args:
        entry: of the data set.
    """
    if not changes:
        return f"{name}: no result is stored yet; `make book` trains what is missing"
    first, plain = beaten(changes, baselines, entry), changes[0].found["control"]
    errors = {f"the plain network, {plain},": plain_error(changes), **simple(baselines)}
    said = ", ".join(f"{who} {'has ' * (who not in simple(baselines))}{error:.3g}" for who, error in errors.items())
    lines = [*(textwrap.wrap(first, WIDTH) + [""] if first else []),
             *textwrap.wrap(f"{name}: the test error, less is better: {said}", WIDTH),
             "Each network beside the plain one, with the 95 % interval of the change:", ""]
    width = max(len(one.name) for one in changes)
    for number, one in enumerate(changes, 1):
        lines.append(f"{number:3}  {one.name:{width}}  {one.found['treatment_mean']:<7.3g} {one.amount}")
        lines += textwrap.wrap(f"{one.here}; in the study {in_study(one)}: {advice(one)}", WIDTH,
                               initial_indent=" " * 9, subsequent_indent=" " * 9)
    for text in (*summary(changes), *(f"Mind: {line}" for line in warnings(changes, baselines))):
        lines += ["", *textwrap.wrap(text, WIDTH)]
    return "\n".join([*lines, "", f"  {PAGE.format(name)}"])


def of(name: str, params: Params) -> str:
    """The ranking of an own data set, from the stored tables.

    Raises:
        ConfigError: there is no such own data set.
        Damaged: a table is not what was stored.
    """
    if name not in params.own:
        raise ConfigError(f"params.yaml: data: there is no own data set '{name}'; allowed: "
                          f"{', '.join(params.own) or 'none'}{nearest(name, params.own)}")
    if not (FINDINGS.exists() and SETS.exists()):
        return ranking(name, [], None, params.data[name])
    rows = read_table(BASELINES) if BASELINES.exists() else pd.DataFrame(columns=["data"])
    known = rows[rows["data"] == name].to_dict("records")
    tables = {"findings": read_table(FINDINGS), "sets": read_table(SETS)}
    changes = ranked(tables, name, params.plain(name), like(name, _classes(params), params))
    return ranking(name, changes, known[0] if known else None, params.data[name])


def _classes(params: Params) -> dict[str, bool]:
    """Data set → whether its targets are classes, as the plans say."""
    found = {}
    for name in params.experiments:
        path = Path("plan") / f"{name}.json"
        if path.exists():
            arms = json.loads(path.read_text(encoding="utf-8"))["arms"]
            found |= {arm["data"]: bool(arm["task"]["classes"]) for arm in arms}
    return found


def main() -> int:
    """Print the ranking of own data sets; without a name, of those of which something is new."""
    parser = argparse.ArgumentParser(prog="python -m pipeline.cli.rank", description=main.__doc__)
    parser.add_argument("data", nargs="*")
    names, path = parser.parse_args().data, STORE / SAID
    try:
        params = load()
        found = {name: of(name, params) for name in names or params.own}
        said = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    except (ConfigError, ValueError) as error:
        return complain(error)
    for name, text in found.items():
        if names or said.get(name) != text:
            say("\n" + text)
    if found != {name: said.get(name) for name in found} or said.keys() - set(params.own):
        write_text(path, json.dumps({k: v for k, v in (said | found).items() if k in params.own}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
