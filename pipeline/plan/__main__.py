"""The stage `plan`: one resolved file an experiment."""

from __future__ import annotations

import argparse
import os
import sys

from pipeline.config.readings import READINGS
from pipeline.config.errors import ConfigError, complain, tell
from pipeline.config.schema import PARAMS
from pipeline.plan import announce
from pipeline.plan.code import warning
from pipeline.plan.study import Arrays, Facts, describe, read, resolved, text
from pipeline.plan.tidy import PLAN, tidy
from pipeline.process.cycles import search_seldom
from pipeline.process.reproduce import ANNOUNCED
from pipeline.process.stage import run
from pipeline.tables.lock import Damaged, check_edited
from pipeline.tables.stored import replace_folder, write_text


def write(plans: dict[str, str]) -> None:
    """Write plans, together or not at all.

    Raises:
        Damaged: the plans that are there were changed, see `lock.check_edited`.
    """
    with replace_folder(PLAN) as new:
        for name, content in plans.items():
            write_text(new / f"{name}.json", content)


def put_in_order() -> None:
    """What `make` calls before DVC: read, mend what a kill left, and remove what was taken out of params.yaml."""
    found: list[ConfigError] = []
    params = read(found)
    tell(found)
    tidy(params)
    check_edited(PLAN)


def check(dry: bool) -> None:
    """Tell all mistakes, those of networks too, or OK; with `dry`, what is about to be trained. Nothing is written."""
    found: list[ConfigError] = []
    try:
        check_edited(PLAN)
    except Damaged as error:
        found.append(ConfigError(str(error)))
    params = read(found)
    plans, new = resolved(params, Facts(params), found) if params else ({}, [])
    tell(found)
    print(f"OK: {PARAMS} and {READINGS}: {len(params.data)} data sets, {len(params.experiments)} experiments, the claims on "
          f"them; " + (f"the networks of {', '.join(new[:5])}{', …' if len(new) > 5 else ''} can be trained" if new else
                       "no network is new"))
    if dry:
        print(announce.said(announce.missing({name: text(plan) for name, plan in plans.items()}, Arrays(params))))


def make() -> None:
    """The stage: say what is about to be trained, and write the plans."""
    found: list[ConfigError] = []
    params = read(found)
    check_edited(PLAN)
    plans = resolved(params, describe(params), found)[0] if params else {}
    tell(found)
    print(warning(), end="\n" if warning() else "", file=sys.stderr)
    texts = {name: text(plan) for name, plan in plans.items()}
    if not os.environ.get(ANNOUNCED) and not announce.agreed(announce.missing(texts)):
        raise ConfigError("nothing was trained, and nothing was changed")
    write(texts)


def main() -> int:
    """The stage `plan`; with an option, what comes before it."""
    parser = argparse.ArgumentParser(prog="python -m pipeline.plan", description=main.__doc__)
    ways = parser.add_mutually_exclusive_group()
    ways.add_argument("--tidy", action="store_true", help=put_in_order.__doc__)
    ways.add_argument("--check", action="store_true", help=check.__doc__)
    ways.add_argument("--dry", action="store_true", help="as --check; then say what is about to be trained")
    given = parser.parse_args()
    try:
        if given.tidy:
            put_in_order()
        elif given.check or given.dry:
            check(given.dry)
        else:
            make()
    except (ConfigError, ValueError) as error:
        return complain(error)
    return 0


if __name__ == "__main__":
    search_seldom()
    sys.exit(run(main))
