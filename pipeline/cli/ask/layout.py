"""How a text file is written: its encoding, what parts columns and decimals, and where the columns' names stand."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from itertools import islice
from pathlib import Path

import charset_normalizer

from pipeline.data.user_data.rows import is_number
from pipeline.data.user_data.location import readable, unpacked
from pipeline.config.errors import ConfigError, shown

#: So many bytes and lines of a file are looked at.
BYTES, LINES = 2_000_000, 1_000
#: More lines above the names than this are no titles.
TITLES = 30
#: Encodings that files come in, beside UTF-8 and UTF-16; each gives all bytes a letter, so that the likeliest counts.
ENCODINGS = ["cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1257", "shift_jis", "gb18030", "big5", "euc_kr"]
#: A number with a decimal comma, with thousands set apart by commas, and one that may be either.
_DECIMAL = re.compile(r"\D{0,3}(?:\d+,(?!\d{3}(?:\D|\Z))\d+|0,\d+|\d{4,},\d+|\d{1,3}(?:\.\d{3})+,\d+)\D{0,6}\Z")
_THOUSANDS = re.compile(r"\D{0,3}\d{1,3}(?:(?:,\d{3}){2,}(?:\.\d+)?|,\d{3}\.\d+)\D{0,6}\Z")
_EITHER = re.compile(r"\D{0,3}\d{1,3},\d{3}\D{0,6}\Z")
_POINT = re.compile(r"-?\d+\.\d+\Z")


def layout(path: Path, name: str) -> tuple[dict, dict[str, str]]:
    """The keys of an entry that say how a text file is written, where that is not as by default; and why, by key.

    Raises:
        ConfigError: it is no text, or has no names above its columns.
    """
    with readable(name), unpacked(path, name) as content:
        start = content.read(BYTES)
    entry, why = _encoding(start)
    text = start.decode(entry.get("encoding") or ("utf-16" if start[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"), "ignore")
    lines = list(islice(io.StringIO(text, newline=""), LINES))
    separator, rows = _separator(lines)
    if separator != ("\t" if ".tsv" in name.lower()[-8:] else ","):
        entry["separator"], why["separator"] = separator, f"{shown(separator)} stands between the columns"
    skipped, names = _names(rows)
    if skipped:
        entry["skip_lines"] = skipped
        why["skip_lines"] = (f"{skipped} line{'s' * (skipped > 1)} stand{'s' * (skipped == 1)} above the columns' names: "
                             f"{shown(lines[0].strip()[:40])}")
    _require_names(name, skipped, names)
    cells = [cell.strip() for _, row in rows for cell in row if "," in cell or "." in cell]
    if _comma_is_decimal(cells, separator):
        number = next(cell for cell in cells if "," in cell and any(map(str.isdigit, cell)))
        entry["decimal"], why["decimal"] = ",", f"numbers are written as {number}"
    return entry, why


def _encoding(start: bytes) -> tuple[dict, dict[str, str]]:
    if start[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return {}, {}
    try:
        start[:-4].decode("utf-8")
        return {}, {}
    except UnicodeDecodeError:
        best = charset_normalizer.from_bytes(start, cp_isolation=ENCODINGS).best()
        found = best.encoding if best else "cp1252"
        if start.decode("cp1252", "replace") == start.decode(found, "replace"):
            found = "cp1252"  # The commonest of those that read it alike.
        return {"encoding": found}, {"encoding": "it is not UTF-8 text"}


def _separator(lines: list[str]) -> tuple[str, list[tuple[int, list[str]]]]:
    """What parts columns: what gives most lines the same number of cells; and each row with the lines before it."""
    best = None
    for separator in (",", ";", "\t", "|"):
        reader, rows, before = csv.reader(lines, delimiter=separator, skipinitialspace=True), [], 0
        try:
            for row in reader:
                rows.append((before, row))
                before = reader.line_num
        except csv.Error:
            continue
        widths = Counter(len(row) for _, row in rows if row)
        width, count = widths.most_common(1)[0] if widths else (1, 0)
        score = (width > 1, round(count / max(1, len(rows)), 3), width)
        if best is None or score > best[0]:
            best = score, separator, rows
    return best[1:] if best else (",", [])


def _names(rows: list[tuple[int, list[str]]]) -> tuple[int, list[str]]:
    """How many lines stand above the columns' names, and these."""
    filled = [(before, row, sum(bool(cell.strip()) for cell in row)) for before, row in rows]
    usual = Counter(count for *_, count in filled if count).most_common(1)
    least = max(2, round(0.7 * usual[0][0])) if usual and usual[0][0] > 1 else 1
    return next(((before, row) for before, row, count in filled[:TITLES] if count >= least), (0, []))


def _require_names(name: str, skipped: int, names: list[str]) -> None:
    """Refuse a line of names that looks like values. Numbers that rise, such as years, may be names."""
    values = [float(cell) for cell in names if cell.strip() and is_number(cell)]
    rising = all(a < b and b == round(b) for a, b in zip([-1, *values], values))
    if values and not (rising and (len(values) > 2 or values[0] > 1_000)) and len(values) < len([*filter(None, names)]):
        raise ConfigError(f"{name}, line {skipped + 1}: found {', '.join(map(shown, names[:3]))}, which look like values; "
                          "allowed: a line with the columns' names above them; write one, such as "
                          f"{','.join(f'c{n}' for n in range(1, min(len(names), 4) + 1))}")


def _comma_is_decimal(cells: list[str], separator: str) -> bool:
    is_either = separator == ";" and any(map(_EITHER.match, cells)) and not any(map(_POINT.match, cells))
    return not any(map(_THOUSANDS.match, cells)) and (any(map(_DECIMAL.match, cells)) or is_either)
