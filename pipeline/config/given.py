"""What a person gives a command: `make ask FILE=my.csv` puts it into the environment, as it was typed."""

from __future__ import annotations

import argparse
import os

from pipeline.config.errors import ConfigError, shown


def given(name: str) -> str | None:
    """The text after `NAME=` on make's command line; None without it, or without any text."""
    return os.environ.get(name) or None


def option(parser: argparse.ArgumentParser, name: str, default: str | None = None, **more) -> None:
    """Add `--name` to a command; without it, what make was given as NAME counts, else the default."""
    parser.add_argument(f"--{name.replace('_', '-')}", default=given(name.upper()) or default, **more)


def whole(name: str, text: str | None, least: int = 0) -> int | None:
    """A whole number that was given; None if nothing was; ConfigError, if it is another text, or a number below `least`."""
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= 18 and int(text) >= least):
        raise ConfigError(f"{name}: found {shown(text)}; allowed: a whole number from {least} on")
    return int(text)
