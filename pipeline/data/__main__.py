"""The stage `data`: the arrays of one data set."""

from __future__ import annotations

import argparse
import sys

from pipeline.data.draw import Arrays
from pipeline.data.own import from_file
from pipeline.data.sources import check, make, write
from pipeline.spec.base import ConfigError, complain
from pipeline.spec.files import FileSource
from pipeline.spec.params import Params, load


def arrays_of(params: Params, name: str) -> Arrays:
    """The arrays of a data set of params.yaml, from its source or its file.

    Raises:
        ConfigError: names the place of the mistake.
    """
    entry, place = params.data[name], f"params.yaml: data.{name}"
    if isinstance(entry, FileSource):
        return from_file(entry, params.seeds(name), place)
    check(entry.source, place, **entry.arguments)
    return make(entry.source, params.seeds(name), **entry.arguments)


def main() -> int:
    """Write `data/<name>.npz` of one data set of params.yaml."""
    parser = argparse.ArgumentParser(prog="python -m pipeline.data", description=main.__doc__)
    parser.add_argument("name")
    name = parser.parse_args().name
    try:
        write(arrays_of(load(), name), f"data/{name}.npz")
    except (ConfigError, ValueError) as error:
        return complain(error)
    return 0


if __name__ == "__main__":
    sys.exit(main())
