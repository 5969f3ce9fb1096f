"""An experiment's network and training as plain Keras code, to paste: `make code EXPERIMENT=name`."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys

import pandas as pd

from pipeline.book.keras_code import keras_code
from pipeline.cli import answer
from pipeline.cli.trial import alone
from pipeline.config.errors import ConfigError, complain, nearest, shown, tell
from pipeline.config.given import given
from pipeline.config.schema import Params, load
from pipeline.plan.study import Facts, resolved
from pipeline.tables.schemas import FOUND
from pipeline.tables.stored import read_table
from pipeline.train.layers import layers


def one_of(asked: str, allowed, what: str) -> str:
    """What was asked for, if it is allowed; a ConfigError with the nearest ones."""
    if asked not in allowed:
        raise ConfigError(f"{what}: found {shown(asked)}; allowed: {', '.join(allowed)}{nearest(asked, allowed)}")
    return asked


def code(asked: str, params: Params, data: str | None = None, form: str | None = None) -> str:
    """The Keras code of an experiment, or of `name[variant]`; of a sweep without one, of its first variant.

    Args:
        data: one of its data sets; without it, its first.
        form: `functional` calls the layers one by one also where a list of them would do.

    Raises:
        ConfigError: one of these is not there, or the experiment has a mistake.
    """
    name, _, variant = asked.partition("[")
    sets, variants = params.data_sets(answer.experiment(name, params)), [*params.variants(name)]
    data = one_of(data, sets, "DATA") if data else sets[0]
    variant = one_of(variant.removesuffix("]"), variants, f"EXPERIMENT: a variant of '{name}'") if variant else variants[0]
    if form:
        one_of(form, ["functional"], "FORM")
    found: list[ConfigError] = []
    # What it says while it checks a new network is no code.
    with contextlib.redirect_stdout(sys.stderr):
        plans, _ = resolved(alone(params, [name], data), Facts(params), found)
    tell(found)
    plan = plans[name] | {"arms": [arm for arm in plans[name]["arms"] if arm["variant"] == variant]}
    edges = FOUND["edges"]
    stored = read_table(edges.path()) if os.path.lexists(edges.path()) else pd.DataFrame(columns=list(edges.columns))
    return keras_code(plan, layers(plan), stored, calls=bool(form))


def main() -> int:
    """Print an experiment's network and its training as Keras code."""
    parser = argparse.ArgumentParser(prog="make code", description=main.__doc__)
    parser.add_argument("experiment", nargs="?", default=given("EXPERIMENT"))
    asked = parser.parse_args().experiment
    try:
        if not asked:
            raise ConfigError("EXPERIMENT: missing; allowed: the name of one, make code EXPERIMENT=name")
        print(code(asked, load(), given("DATA"), given("FORM")), end="")
        return 0
    except (ConfigError, ValueError) as error:
        return complain(error)


if __name__ == "__main__":
    sys.exit(main())
