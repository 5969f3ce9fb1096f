"""A file of a reader → its entry in params.yaml, trained, ranked: `make ask FILE=my.csv TARGET=price WINDOW=24`."""

from __future__ import annotations

import argparse
import math
import shutil
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

from pipeline.cli import rank as ranking
from pipeline.cli.answer import WIDTH
from pipeline.cli.ask.entry import block, drafted, name_of, whole
from pipeline.cli.ask.guess import SEEDS, Refused, look
from pipeline.cli.ask.question import Guess, Question, question, rows_of
from pipeline.data.user_data.location import digest, folder_files, regular
from pipeline.process.reproduce import reproduce
from pipeline.tables.stored import write_text
from pipeline.config.errors import ConfigError, complain, printable
from pipeline.config.given import given, option, whole as whole_number
from pipeline.config.schema import PARAMS, Params, load

#: Where a file from outside the project is copied to; git does not see it.
COPIES = Path("own")
#: So long an answer may take by default, in minutes.
MINUTES = 10
#: What may be given beside the file.
GIVEN = ("target", "window", "horizon", "recording", "task", "time", "group_by")


def settled(file: str, root: Path = Path(".")) -> tuple[str, str]:
    """A file's path inside the project, and what was done to have one there: a file elsewhere is copied.

    Raises:
        ConfigError: there is no such file.
    """
    path, root, end = Path(file).expanduser(), root.resolve(), ""
    if path.is_dir():
        inside, end = path.resolve(), "/"
        folder_files(path, outside=True)
    else:
        inside = regular(path, f"FILE: {file}", outside=True)
    if inside.is_relative_to(root):
        return inside.relative_to(root).as_posix() + end, ""
    # Two files of one name, from two folders, are two copies.
    first, dot, rest = inside.name.partition(".")
    for number in range(1, 1_000):
        copy = COPIES / f"{first}{f'_{number}' if number > 1 else ''}{dot}{rest}"
        if not copy.exists():
            COPIES.mkdir(exist_ok=True)
            (shutil.copytree if end else shutil.copyfile)(inside, copy)
            return copy.as_posix() + end, f"{file} is copied to {copy}, because an entry names a file inside the project"
        if copy.is_dir() == bool(end) and digest(f"{copy}{end}", copy) == digest(f"{inside}{end}", inside, outside=True):
            return copy.as_posix() + end, ""
    raise ConfigError(f"FILE: found '{file}'; there are a thousand other files of its name in {COPIES}/; take some away")


def asked_before(asked: Question, params: Params) -> str | None:
    """The name of an own data set that asks the same of the same file."""
    for name in params.own:
        entry = params.data[name]
        if entry.file != asked.file:
            continue
        columns = rows_of(asked.file, entry.model_dump(include={"separator", "decimal", "encoding", "skip_lines"})).columns if (
            asked.has_columns) else []
        if all(getattr(entry, key, None) == value for key, value in asked.said(columns).items()) and (
                asked.window is not None or not hasattr(entry, "window")) and (
                    not asked.group_by or entry.group_by == (None if asked.group_by == "none" else asked.group_by)):
            return name
    return None


def _say(guess: Guess) -> None:
    """What was found in a file, and what deserves a look, before anything trains."""
    for text in (*guess.said, *(f"Mind: {line}" for line in guess.mind)):
        _print(text)


def _print(text: str) -> None:
    print("\n".join(textwrap.wrap(printable(text), WIDTH, initial_indent="  ", subsequent_indent="    ")))


def main(reproduce: Callable[[], int] = reproduce) -> int:
    """Look at a file, write its entry, train what is asked of it, print the ranking."""
    parser = argparse.ArgumentParser(prog="make ask", description=main.__doc__)
    parser.add_argument("file", nargs="?", default=given("FILE"))
    for name in (*GIVEN, "minutes"):
        option(parser, name)
    parser.add_argument("--look", action="store_true", help="only write the entry; train nothing")
    asked = parser.parse_args()
    try:
        minutes = 0 if asked.look else whole_number("MINUTES", asked.minutes, least=1) or MINUTES
        name = ask(asked.file, {key: getattr(asked, key) for key in GIVEN}, minutes)
    except (ConfigError, RuntimeError, ValueError) as error:
        return complain(error)
    if asked.look:
        return 0
    code = reproduce()
    if code == 0:
        print("\n" + ranking.of(name, load()))
    return code


def ask(file: str | None, options: dict[str, str | None], minutes: int = 0) -> str:
    """The name of the data set of a file, whose entry is written if there is none; says how long it will take.

    Args:
        minutes: so much trains as takes about so many; 0: all, and nothing is timed.

    Raises:
        ConfigError: the file cannot be used as asked; nothing is written then.
    """
    params = load()
    if not file:
        raise ConfigError("FILE: missing; allowed: make ask FILE=my.csv TARGET=price WINDOW=24 HORIZON=6, of a table "
                          "without WINDOW")
    inside, done = settled(file)
    if done:
        print(done)
    asked = question(inside, options)
    name = asked_before(asked, params)
    if name:
        print(f"{PARAMS} asks this already, as data.{name}; what is stored is not trained again", flush=True)
        return name
    try:
        guess = look(asked)
    except Refused as error:
        _say(error.guess)
        print("its entry would be this, under `data` in params.yaml; mend it there, and run `make book`:\n"
              + block(name_of(asked.file, params), whole(asked, params, error.guess), error.guess))
        raise
    _say(guess)
    if minutes:
        seconds = _fitted(asked, params, guess, minutes)
    name, text, params = drafted(asked, params, guess)
    _print(f"split: {', '.join(f'{size:,} {part}' for part, size in guess.entry['split'].items())}, {guess.why['split']}")
    write_text(PARAMS, text)
    print(f"written into {PARAMS} as data.{name}; its guesses stand beside it", flush=True)
    if minutes:
        count = sum(name in params.data_sets(one) for one in params.experiments)
        print(f"{count} networks on {SEEDS} seeds: about {math.ceil(seconds / 60)} minutes more on a machine as free as now; what "
              "is stored is not trained again", flush=True)
    return name


def _fitted(asked: Question, params: Params, guess: Guess, minutes: int) -> float:
    # Only here, because it loads scikit-learn and, in the end, TensorFlow.
    from pipeline.cli.ask.budget import fitted

    print("the first runs of the plain network, which all others are compared with, are timed", flush=True)
    return fitted(guess, lambda one: drafted(asked, params, one)[::2], minutes)


if __name__ == "__main__":
    sys.exit(main())
