"""The names of arms: an experiment, or a variant of its sweep as `name[variant]`."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import Field

ARM = re.compile(r"([a-z0-9_]+)(?:\[([A-Za-z0-9_ .,:;>/+*^()=-]+)\])?\Z")
#: What becomes the name of a page.
Name = Annotated[str, Field(pattern=r"^[a-z0-9_]{1,100}$")]


def arm_name(experiment: str, variant: str) -> str:
    return f"{experiment}[{variant}]" if variant else experiment


def base(name: str) -> str:
    """The experiment of `name` or `name[variant]`."""
    return name.partition("[")[0]
