"""Numbers in words: a sign, a unit, and no more digits than they deserve."""

from __future__ import annotations

import math


def signed(value: float, unit: str = "") -> str:
    """A number with its sign, no more digits than it deserves."""
    text = f"{value:+.0f}" if abs(value) >= 9.95 else f"{value:+.1f}" if abs(value) >= 0.05 else (
        f"{value:+.2g}" if value else "0")
    text = text.removesuffix(".0")
    return text.replace("-", "−") + unit


def whole(value: float) -> str:
    """A number with its sign, to the unit."""
    return "0" if abs(value) < 0.5 else f"{value:+.0f}".replace("-", "−")


def short(value: float) -> str:
    """At most one decimal below 10, none above."""
    text = f"{value:.0f}" if abs(value) >= 9.95 else f"{value:.1f}"
    return text.removesuffix(".0")


def factor(logarithm: float) -> str:
    """The ratio that a logarithm means."""
    return f"{math.exp(logarithm):.2f}"


def percent(effect: float) -> str:
    """The change of a score whose log ratio, control over treatment, is given."""
    value = 100 * math.expm1(-effect)
    return f"{abs(value):.0f} % {'lower' if value < 0 else 'higher'}"


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
