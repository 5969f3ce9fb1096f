"""Numbers in print: a sign, a unit, and as many digits as tell the bounds of an interval apart."""

import math
from collections.abc import Sequence

import numpy as np

from pipeline.config.metrics import Metric

#: A number and its unit stay on one line.
BLANK = "\u00a0"
#: What stands where a number is missing.
MISSING = "–"
#: No number of digits tells apart what differs by less.
MOST_DIGITS = 9


def change(effect, metric: Metric):
    """Effects as changes of the score: in per cent for ratios, else in the score's unit; positive = more of it.

    Args:
        effect: a number or an array; positive = better, or of a measure that nobody judges larger.
    """
    turned = metric.turn * np.asarray(effect, float)
    return 100 * np.expm1(turned) if metric.scale == "log ratio" else metric.factor * turned


def unit_of(metric: Metric) -> str:
    """`%`, `points`, or nothing."""
    return "%" if metric.scale == "log ratio" else metric.unit


def digits(values: Sequence[float]) -> int:
    """The fewest decimals with which two numbers that differ are printed differently, and none but 0 as 0.

    None from 10 on, one below; more where needed.
    """
    known = [value for value in values if math.isfinite(value)]
    apart = not math.isclose(min(known, default=0), max(known, default=0), rel_tol=1e-9, abs_tol=1e-12)
    for decimals in range(0 if max(map(abs, known), default=0) >= 9.95 else 1, MOST_DIGITS):
        texts = [plain(value, decimals) for value in known]
        if (len(set(texts)) > 1 or not apart) and all(
                text != "0" or abs(value) < 1e-12 for value, text in zip(known, texts, strict=True)):
            return decimals
    return MOST_DIGITS


def plain(value: float, decimals: int) -> str:
    """A number with a true minus, never −0, and no needless zeros behind the point of a whole number."""
    if not math.isfinite(value):
        return "unknown" if math.isnan(value) else ("−" if value < 0 else "") + "∞"
    text = f"{value:.{decimals}f}"
    text = text.removesuffix("." + "0" * decimals) if decimals else text
    return (text if float(text) else "0").replace("-", "−")


def signed(value: float, decimals: int) -> str:
    text = plain(value, decimals)
    return text if text in ("0", "unknown") or value < 0 else f"+{text}"


def with_unit(text: str, unit: str) -> str:
    """A number's text and its unit, on one line; one point is no points."""
    if not unit:
        return text
    return f"{text}{BLANK}{'point' if unit == 'points' and text.lstrip('+−') == '1' else unit}"


def interval(values: Sequence[float], metric: Metric) -> str:
    """A change with its interval, short: `+6.2 % (+2.8 to +9.7 %)`. `values`: effect, low, high, on the effect's own scale."""
    middle, *ends = (float(one) for one in change(values, metric))
    low, high = sorted(ends)
    if not math.isfinite(middle):
        return "no effect can be computed"
    if low == high:
        return f"{with_unit(signed(middle, digits([middle])), unit_of(metric))} (exactly)"
    decimals = digits([low, high])
    return (f"{with_unit(signed(middle, decimals), unit_of(metric))} ({signed(low, decimals)} to "
            f"{with_unit(signed(high, decimals), unit_of(metric))})")


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


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
