"""Numbers in words: a sign, a unit, and no more digits than they deserve."""

from __future__ import annotations

import math


#: What stands where a number is missing.
MISSING = "–"


def number(value: float | None, form: str, unit: str = "") -> str:
    """A number as a format says (`.3g`), with its unit; a dash where it is missing."""
    if value is None or not math.isfinite(value):
        return MISSING
    text = f"{value:{form}}"
    return (text.replace("-", "−") if form.startswith("+") else text) + unit


def share(value: float | None, form: str = ".0f") -> str:
    """A share in per cent."""
    return number(None if value is None else 100 * value, form, " %")


def signed(value: float, unit: str = "") -> str:
    """A number with its sign, no more digits than it deserves."""
    if not value:
        return "0" + unit
    text = number(value, "+.0f" if abs(value) >= 9.95 else "+.1f" if abs(value) >= 0.05 else "+.2g")
    return text if text == MISSING else text.removesuffix(".0") + unit


def whole(value: float) -> str:
    """A number with its sign, to the unit."""
    return "0" if abs(value) < 0.5 else number(value, "+.0f")


def short(value: float) -> str:
    """At most one decimal below 10, none above."""
    return number(value, ".0f" if abs(value) >= 9.95 else ".1f").removesuffix(".0")


def factor(logarithm: float) -> str:
    """The ratio that a logarithm means."""
    return number(math.exp(logarithm), ".2f")


def percent(effect: float) -> str:
    """The change of a score whose log ratio, control over treatment, is given."""
    value = 100 * math.expm1(-effect)
    return number(abs(value), ".0f", f" % {'lower' if value < 0 else 'higher'}")


def count(number: int, noun: str) -> str:
    """A number of things."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def span(values) -> str:
    """The least and the greatest of some whole numbers; one if they are equal."""
    low, high = min(values), max(values)
    return f"{low}" if low == high else f"{low} to {high}"


def capital(text: str) -> str:
    """A text that begins with a capital letter."""
    return text[:1].upper() + text[1:]
