"""Numbers in words: no more digits than they deserve, and a unit that stays with its number."""

import math

from pipeline.findings.numbers import BLANK, capital, count

__all__ = ["MISSING", "capital", "count", "number", "share", "span"]
#: What stands where a number is missing.
MISSING = "–"


def number(value: float | None, form: str, unit: str = "") -> str:
    """A number as a format says (`.3g`), with its unit; a dash where it is missing."""
    if value is None or not math.isfinite(value):
        return MISSING
    return f"{value:{form}}".replace("-", "−") + unit


def share(value: float | None, form: str = ".0f") -> str:
    """A share in per cent."""
    return number(None if value is None else 100 * value, form, f"{BLANK}%")


def span(values) -> str:
    """The least and the greatest of some whole numbers; one if they are equal."""
    low, high = min(values), max(values)
    return f"{low}" if low == high else f"{low} to {high}"
