"""A file of a reader → its entry in params.yaml, trained, ranked: `make ask FILE=my.csv TARGET=price WINDOW=24`."""

from __future__ import annotations

import argparse
import json
import math
import shutil
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

from pipeline.cli import rank as ranking
from pipeline.cli.answer import WIDTH
from pipeline.cli.ask.entry import block, name_of, whole, write
from pipeline.cli.ask.guess import Refused, look
from pipeline.cli.ask.question import Guess, Question, question, rows_of
from pipeline.data.sizes import TRAIN
from pipeline.data.sources import read
from pipeline.data.user_data.location import digest, folder_files, regular
from pipeline.process.reproduce import reproduce
from pipeline.config.errors import ConfigError, complain, printable
from pipeline.config.given import given, option
from pipeline.config.schema import PARAMS, Params, load

#: Where a file from outside the project is copied to; git does not see it.
COPIES = Path("own")
#: Of an experiment, what starting, compiling and writing it down takes, in seconds; and of all the rest.
START, REST = 12, 90
#: A run without a record of how long such runs take, in seconds.
RUN = 1.0
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


def estimate(name: str, params: Params, samples: int) -> tuple[int, int, float]:
    """How many networks and runs a data set asks for, and about how many seconds they take.

    A run is taken to take what such a run took when the study was trained, by the samples that train.
    """
    runs = {one: params.data[name].seeds * len(params.training(one, name).learning_rates) * len(params.variants(one))
            for one in params.experiments if name in params.data_sets(one)}
    seconds = sum(START + count * _run(experiment, params) * samples / 640 for experiment, count in runs.items())
    return len(runs), sum(runs.values()), REST + seconds


def _run(experiment: str, params: Params) -> float:
    """Seconds that a run of an experiment took, of 640 training samples; or else one of its control, and so on."""
    for _ in params.experiments:
        path = Path("timings") / f"{experiment}.json"
        if path.exists():
            found = json.loads(path.read_text(encoding="utf-8"))
            return found["seconds"] / max(1, found["trained"])
        experiment = params.experiments[experiment].versus or experiment
    return RUN


def _say(guess: Guess) -> None:
    """What was found in a file, and what deserves a look, before anything trains."""
    for text in (*guess.said, *(f"Mind: {line}" for line in guess.mind)):
        print("\n".join(textwrap.wrap(printable(text), WIDTH, initial_indent="  ", subsequent_indent="    ")))


def main(reproduce: Callable[[], int] = reproduce) -> int:
    """Look at a file, write its entry, train what is asked of it, print the ranking."""
    parser = argparse.ArgumentParser(prog="make ask", description=main.__doc__)
    parser.add_argument("file", nargs="?", default=given("FILE"))
    for name in GIVEN:
        option(parser, name)
    parser.add_argument("--look", action="store_true", help="only write the entry; train nothing")
    asked = parser.parse_args()
    try:
        name = ask(asked.file, {key: getattr(asked, key) for key in GIVEN})
    except (ConfigError, ValueError) as error:
        return complain(error)
    if asked.look:
        return 0
    code = reproduce()
    if code == 0:
        print("\n" + ranking.of(name, load()))
    return code


def ask(file: str | None, options: dict[str, str | None]) -> str:
    """The name of the data set of a file, whose entry is written if there is none; says how long it will take.

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
        samples = _samples(name)
        print(f"{PARAMS} asks this already, as data.{name}")
    else:
        try:
            guess, arrays = look(asked)
        except Refused as error:
            _say(error.guess)
            print("its entry would be this, under `data` in params.yaml; mend it there, and run `make book`:\n"
                  + block(name_of(asked.file, params), whole(asked, params, error.guess), error.guess))
            raise
        name, samples = write(asked, params, guess), int(arrays["train"])
        params = load()
        _say(guess)
        print(f"written into {PARAMS} as data.{name}; its guesses stand beside it")
    networks, runs, seconds = estimate(name, params, samples)
    print(f"{networks} networks, {runs} runs: about {max(1, math.ceil(seconds / 60))} minutes the first time; what is "
          "stored is not trained again", flush=True)
    return name


def _samples(name: str) -> int:
    """How many samples of a data set train; of one that is not made yet, as many as do by default."""
    path = Path("data") / f"{name}.npz"
    return int(read(path)["train"]) if path.exists() else TRAIN


if __name__ == "__main__":
    sys.exit(main())
