"""Texts that hold a number and signs beside it: `$1,204.50`, `(3)`, `12 %`, `7.3 kg`, `1.5M`."""

from __future__ import annotations

import re

#: What behind a number multiplies it; anything else there is a unit, of which no letter is a digit.
TIMES = {"k": 1e3, "K": 1e3, "M": 1e6, "B": 1e9, "bn": 1e9, "T": 1e12}
NUMBER = {decimal: re.compile(
    rf"(?P<sign>[-−+(]?)\s*(?:[$€£¥]\s*(?P<inner>[-−+]?))?(?P<whole>\d{{1,3}}(?:[{thousands}' \u00a0\u202f]\d{{3}})+|\d+)"
    rf"(?:[{decimal}](?P<rest>\d+))?(?P<power>[eE][-+]?\d{{1,2}})?\s*(?P<unit>[^\d\s.,'()+-][^\d,'()]{{0,9}})?\)?\Z")
    for decimal, thousands in ((".", ","), (",", "."))}


def number_in(text: str, decimal: str = ".") -> float:
    """The number in a text, whose thousands may be set apart; NaN if it has none, or more than one."""
    match = NUMBER[decimal].match(text.strip())
    if not match:
        return float("nan")
    digits = f"{re.sub(r'[^0-9]', '', match['whole'])}.{match['rest'] or 0}{match['power'] or ''}"
    value = float(digits) * TIMES.get((match["unit"] or "").strip(), 1)
    return -value if {match["sign"], match["inner"]} & {"-", "−", "("} else value
