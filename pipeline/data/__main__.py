"""The stage `data`: the arrays of one data set."""

from __future__ import annotations

import argparse
import sys

from pipeline.data.sources import check, make, write
from pipeline.spec.base import ConfigError, complain
from pipeline.spec.params import load


def main() -> int:
    """Write `data/<name>.npz` of one data set of params.yaml."""
    parser = argparse.ArgumentParser(prog="python -m pipeline.data", description=main.__doc__)
    parser.add_argument("name")
    name = parser.parse_args().name
    try:
        params = load()
        entry = params.data[name]
        check(entry.source, f"params.yaml: data.{name}", **entry.arguments)
        write(make(entry.source, params.seeds(name), **entry.arguments), f"data/{name}.npz")
    except (ConfigError, ValueError) as error:
        return complain(error)
    return 0


if __name__ == "__main__":
    sys.exit(main())
