"""A file → its entry: what it needs is guessed, said with counts, and refused only where nothing helps."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline.cli.ask import cautions, times
from pipeline.cli.ask.layout import layout
from pipeline.cli.ask.profile import Column, column
from pipeline.cli.ask.question import NONE, Guess, Question, require_named, rows_of
from pipeline.data.split import PARTS
from pipeline.data.user_data.columns import MANY
from pipeline.data.user_data.numbers import number_in
from pipeline.data.user_data.read import bounded_memory, from_file
from pipeline.data.user_data.rows import MISSING, Rows, require_columns
from pipeline.config.errors import ConfigError, validate
from pipeline.config.experiments import FILES
from pipeline.config.data_files import TEXT, ends, listed
from pipeline.config.file_kinds import kind
from pipeline.config.schema import PARAMS, study_seeds

#: So many cells of a file are looked at.
LOOK = 2_000_000
#: Few, so that an answer takes minutes; the study takes three times as many.
SEEDS = 5
#: So many refusals are followed; a file with more deserves a look.
MOST = 40
#: A column of which this share is missing is left out, and so are others while more than this share of all rows is lost.
EMPTY, LOST = 0.3, 0.5
#: Names of columns that tell rows, or those that rows are about, apart.
IDS = re.compile(r"(\A|[_\W])(id|ids|nr|no|number|num|key|code|uuid|guid|index|serial|account|patient|subject|person|people|user|"
                 r"customer|client|participant|household|member|student|employee|animal|device|name)(\Z|[_\W])|[a-z]I[dD]\Z", re.I)
#: Words that are numbered: p07, device-12.
NUMBERED = re.compile(r"[A-Za-z]*[-_ ]?\d+\Z")


class Refused(ConfigError):
    """A file that no guess makes a data set of; what was guessed until then may help."""

    def __init__(self, error: ConfigError, guess: Guess):
        super().__init__(str(error))
        self.guess = guess
        # Which sizes are worth it is for a person to say.
        guess.entry.update([error.remedy] if error.remedy and error.remedy[0] == "split" else [])


def look(question: Question) -> Guess:
    """An entry of a file, with what was guessed.

    Raises:
        ConfigError: the file cannot be used, whatever its entry says.
    """
    guess = Guess(question.said([]))
    if question.has_columns:
        with bounded_memory():
            _look_at_columns(guess, question)
    arrays = _made(guess)
    _found(guess, arrays)
    cautions.of_arrays(guess, arrays)
    return guess


def _look_at_columns(guess: Guess, question: Question) -> None:
    """Guess what the columns of a file are."""
    how = {}
    if ends(question.file, TEXT):
        how, guess.why = layout(Path(question.file), question.file)
        guess.said += [f"{key} {value!r}: {guess.why[key]}" for key, value in how.items()]
    guess.entry = question.said(rows_of(question.file, how).columns) | how
    rows = rows_of(question.file, how, guess.entry["target"])
    for key in ("target", "recording"):
        require_columns(rows, key.upper(), listed(guess.entry.get(key)))
    piece = rows.read([], rows.columns, LOOK // (len(rows.columns) + 1))
    columns = {name: column(name, piece[name], how.get("decimal", ".")) for name in rows.columns}
    guess.said.insert(0, f"{question.file}: {len(columns)} columns, of which {len(piece):,} rows were looked at")
    for one in (columns[name] for name in listed(guess.entry["target"])):
        if one.kind == "numbers" and (one.signed or ("decimal" in how and (one.numbers % 1 > 0).any())) and not question.task:
            guess.set("task", "regression", "")
    _roles(guess, question, rows, columns)
    _inputs(guess, question, columns, len(piece))
    _missing(guess, columns, len(piece))
    cautions.of_columns(guess, columns)


def _roles(guess: Guess, question: Question, rows: Rows, columns: dict[str, Column]) -> None:
    """Times and groups."""
    if question.window is not None:
        times.order(guess, question, rows, columns, times.find(guess, question, rows, columns))
        return
    if question.recording:
        if question.time and question.time != NONE:
            guess.set("time", require_named(rows, "TIME", question.time)[0], "as was asked")
    elif (found := [one for one in columns.values() if one.kind == "dates" and one.name not in guess.no_inputs]):
        first = times.find(Guess(dict(guess.entry)), question, rows, columns)
        if first is not None and times.in_order(first):
            guess.mind.append(f"rows are in order of time ('{found[0].name}'), and are split at random: if the past is to tell "
                              "what follows, ask with WINDOW=24 (rows of one input) and HORIZON=1 (rows ahead)")
    if question.group_by and question.group_by != NONE:
        guess.set("group_by", require_named(rows, "GROUP_BY", question.group_by)[0], "as was asked")
    elif not question.group_by:
        _groups(guess, question, columns)


def _groups(guess: Guess, question: Question, columns: dict[str, Column]) -> None:
    """Guess the column whose names stand on many rows each: of one of them, no rows may train and others test."""
    for one in columns.values():
        held = one.cells.dropna()
        if one.name in guess.no_inputs or one.kind not in ("words", "numbers") or not 10 <= held.nunique() <= len(held) / 2:
            continue
        numbered = one.kind == "words" and held.map(lambda cell: bool(NUMBERED.match(cell))).mean() > 0.9
        if numbered or (IDS.search(one.name) and not (one.kind == "numbers" and (one.numbers.dropna() % 1).any())):
            count = held.nunique()
            guess.set("group_by", one.name, f"{count} names stand on {len(held)} rows: rows of one never train and test together; "
                      "or GROUP_BY=none", f"rows with the same '{one.name}' stay together ({count} of them); it is no input")
            inside = [other.name for other in columns.values() if other.kind == "numbers" and other.name != one.name and (
                other.numbers.groupby(one.cells).diff().dropna() == 1).all()]
            if inside and not question.recording:
                guess.mind.append(f"'{inside[0]}' numbers the rows of each '{one.name}': if they are steps of a recording, ask "
                                  f"with RECORDING={one.name}")
            return


def _inputs(guess: Guess, question: Question, columns: dict[str, Column], count: int) -> None:
    """Guess which columns are no inputs, and how those that are are read."""
    is_table = question.window is None and not question.recording
    group = columns[guess.entry["recording"]].cells if question.recording else pd.Series("", range(count))
    for name, one in columns.items():
        held = one.cells[~one.missing]
        if name in guess.no_inputs:
            reason = ""
        elif one.kind == "empty" or len(held) < (1 - EMPTY) * count:
            reason = f"empty in {count - len(held)} of {count} rows"
        elif one.kind == "mixed":
            reason = f"numbers, but {int(one.numbers.isna().sum() - one.cells.isna().sum())} of {count} cells are words"
        elif one.kind == "numbers" and count > 2 and (one.numbers.groupby(group.to_numpy()).diff().dropna() == 1).all():
            reason = "it numbers the rows"
        elif one.kind == "numbers" and held.nunique() == len(held) > 50 and IDS.search(name) and not (one.numbers % 1).any():
            reason = "a number of its own in each row"
        elif one.kind == "dates":
            reason = "dates are no input"
        elif one.kind == "words" and not is_table:
            reason = "words are no input of a series or a recording"
        elif one.kind == "words" and held.nunique() > MANY:
            reason = f"{held.nunique()} different words"
        elif held.nunique() < 2:
            reason = f"{held.iloc[0]} in every row"
        else:
            reason = ""
        if reason:
            guess.add("leave_out", name, reason)
    for name, one in columns.items():
        if one.kind != "numbers" or name in guess.entry.get("leave_out", []) or name in listed(guess.entry.get("time")):
            continue
        if one.signed:
            cell = next(c for c in one.cells.dropna() if pd.isna(pd.to_numeric(c, errors="coerce")))
            guess.add("as_numbers", name, f"{cell} is {number_in(cell, guess.entry.get('decimal', '.')):.10g}")
        for word in one.odd:
            guess.add("missing_as", word, f"{int((one.cells == word).sum())} of {count} cells of {name}")


def _missing(guess: Guess, columns: dict[str, Column], count: int) -> None:
    """Guess what is done about missing values; of a table, leave out what costs most rows."""
    used = [one for name, one in columns.items() if name not in guess.entry.get("leave_out", [])]
    missing = pd.DataFrame({one.name: one.missing | (one.cells.isin(MISSING) if one.name in listed(
        guess.entry["target"]) else False) for one in used})
    while len(missing) and "window" not in guess.entry and missing.any(axis=1).mean() > LOST:
        worst = missing.drop(columns=[*guess.no_inputs & set(missing)]).sum().sort_values()
        if not len(worst) or not worst.iloc[-1]:
            break
        guess.add("leave_out", worst.index[-1], f"empty in {int(worst.iloc[-1])} of {count} rows, of which a row may have none")
        missing = missing.drop(columns=worst.index[-1])
    lost, by = int(missing.any(axis=1).sum()), missing.sum()
    if lost:
        words = ", ".join(f"{name} {number}" for name, number in by[by > 0].sort_values(ascending=False).items())
        what = "what touches one is" if "window" in guess.entry else "are"
        guess.set("missing", "drop", f"{lost} of {count} rows have a missing value: {words}",
                  f"{lost} of {count} rows have a missing value ({words}) and {what} left out")
    if not {"group_by", "window", "recording"} & guess.entry.keys():
        rows = pd.DataFrame({one.name: one.cells for one in used})[~missing.any(axis=1)]
        equal = int(rows.duplicated().sum())
        if equal > 0.2 * len(rows):
            guess.set("equal_rows", "keep", f"{equal} of {len(rows)} rows are equal to another one, too many for repeats")
            guess.mind.append(f"{equal} of {len(rows)} rows are equal to another one, and count each; if they are repeats, "
                              "take equal_rows out")
        elif equal:
            guess.said.append(f"{equal} of {len(rows)} rows repeat another one, and are left out")


def _made(guess: Guess) -> dict:
    """The arrays of an entry; what refuses it is followed, where it says what would help."""
    for _ in range(MOST):
        try:
            return arrays_of(guess.entry)
        except ConfigError as error:
            if not _follow(guess, error):
                raise Refused(error, guess) from None
    raise ConfigError(f"{guess.entry['file']}: more than {MOST} guesses were needed; write its entry by hand, see "
                      "add_your_own in the book")


def arrays_of(entry: Mapping[str, Any]) -> dict:
    """The arrays that an entry makes; ConfigError, if it makes none."""
    spec = validate(PARAMS, FILES[kind(entry)], {"group": "own", "seeds": SEEDS, "own": True, **entry})
    return from_file(spec, study_seeds(SEEDS), "FILE")


def _follow(guess: Guess, error: ConfigError) -> bool:
    """Put what a refusal says would help into an entry; whether there is something new."""
    match = re.search(r"(?:line \d+, |row \d+, )?(?:column '.*?': )?found .*?(?=; allowed)", str(error))
    reason, new = (match[0][:100] if match else "as the file needs it"), False
    key, value = error.remedy or ("split", None)
    if isinstance(value, list):
        for one in value:
            new |= one not in guess.entry.get(key, [])
            guess.add(key, one, reason)
    elif key != "split" and (key not in guess.entry or (key == "encoding" and guess.entry[key] != value)):
        guess.set(key, value, reason, f"{key}: {value}, because of {reason}" if key not in ("task", "missing") else "")
        new = True
    return new


def _classes(classes: list[str]) -> str:
    numbers = all(re.match(r"-?[\d.]+\Z", name) for name in classes) and len(classes) > 2
    return (f"{len(classes)} classes: {', '.join(classes[:4])}{', …' if len(classes) > 4 else ''}"
            + ("; or TASK=regression" if numbers else ""))


def _found(guess: Guess, arrays: Mapping[str, Any]) -> None:
    """Write down what the reader decided by itself, so that a person sees it and can change it."""
    classes, entry = arrays["about_classes"].tolist(), guess.entry
    if not isinstance(entry.get("target"), list):
        task, before = str(arrays["task"]), guess.why.get("task")
        why = _classes(classes) if classes else (f"numbers from {np.nanmin(arrays['y']):.6g} to {np.nanmax(arrays['y']):.6g}"
                                                 + (f"; {before}, or else TASK=classes" if before else ""))
        guess.set("task", task, why, f"task: {task}, {why}")
    if "about_categories" in arrays:
        names = list(dict.fromkeys(name.partition("=")[0] for name in arrays["about_categories"].tolist()))
        guess.set("categories", names, f"words, which become {len(arrays['about_categories'])} inputs")
    inputs = [str(name) for name in arrays["about_inputs"]]
    if inputs:
        guess.said.append(f"{len(inputs)} inputs: {', '.join(inputs[:12])}{', …' if len(inputs) > 12 else ''}")
    guess.said += [f"no input: {reason}" for reason in guess.why.get("leave_out", "").split("; ") if reason]
    guess.said += [f"read as {what}: {guess.why[key]}" for what, key in (("numbers", "as_numbers"), ("missing", "missing_as"))
                   if key in guess.why]
    things = "windows" if "last" in arrays else "recordings" if str(arrays["kind"]) == "recordings" else "rows"
    count = len(arrays["last"] if "last" in arrays else arrays["lengths"] if "lengths" in arrays else arrays["y"])
    dropped, used = int(arrays.get("about_windows_dropped", 0)), str(arrays["about_used"])
    held = int(arrays["about_recordings" if things == "recordings" else "about_rows"])
    why = f"of {count:,} {things}" + (f" ({used} of the file's {held:,})" if used != "all" else "") + (
        f", without {dropped:,} that touch a missing value" if dropped else "") + (
        "; each seed takes another stretch" if things == "windows" and "groups" not in arrays else "")
    guess.set("split", {part: int(arrays[part]) for part in PARTS}, why)
