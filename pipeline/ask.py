"""A file of one's own → its entry in params.yaml, trained, ranked: `make ask FILE=my.csv TARGET=price WINDOW=24`."""

from __future__ import annotations

import argparse
import json
import math
import re
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from ruamel.yaml import YAML

from pipeline import ranking
from pipeline.data.user_data.location import regular, sha256
from pipeline.data.user_data.rows import LOOK, open_rows
from pipeline.data.user_data.read import from_file
from pipeline.data.sizes import TRAIN
from pipeline.data.sources import read
from pipeline.reproduce import reproduce
from pipeline.results import write_text
from pipeline.spec.base import ConfigError, complain, validate
from pipeline.spec.entries import FILES
from pipeline.spec.files import ARRAYS, TableFile, ends, kind
from pipeline.spec.given import given, option, whole
from pipeline.spec.params import PARAMS, Params, load, parse, study_seeds

#: Where a file from outside the project is copied to; git does not see it.
COPIES = Path("own")
#: Few, so that an answer takes minutes; the study takes three times as many.
SEEDS = 5
#: Of an experiment, what starting, compiling and writing it down takes, in seconds; and of all the rest.
START, REST = 12, 90
#: A run without a record of how long such runs take, in seconds.
RUN = 1.0
#: How dates are written that are not as ISO 8601 writes them.
FORMS = ("%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%d.%m.%Y", "%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%d/%m/%Y",
         "%m/%d/%Y %H:%M:%S", "%m/%d/%Y %H:%M", "%m/%d/%Y", "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M", "%Y/%m/%d")
#: What a refusal says that an entry may say, and so what is tried next.
_REMEDIES = (
    (re.compile(r"must say separator: '(.+?)'"), "separator"),
    (re.compile(r"missing: \{.+?: drop\}|missing: drop"), "missing"),
    (re.compile(r"missing_as: \['(.*?)'\]"), "missing_as"),
    (re.compile(r"resample: (\S+) in its entry"), "resample"),
    (re.compile(r"leave_out: \['(.+)'\]"), "leave_out"),
    # Of words that are numbers: 2041 different prices are no classes.
    (re.compile(r"classes \([-+.\d]+[,)].*its entry says task: regression"), "task"),
)
#: Words that mean a missing value, at most.
FEW = 3
#: So many refusals are followed; a file with more deserves a look.
MOST = 40
#: Words that are no text to YAML.
_NO_NAMES = ("true", "false", "null", "yes", "no", "on", "off", "y", "n")
_PLAIN = re.compile(r"[A-Za-z_][\w./-]*\Z")


@dataclass(frozen=True)
class Question:
    """What is asked of a file: what to predict, and from what."""

    file: str
    target: tuple[str, ...] = ()
    window: int | None = None
    horizon: int | None = None
    recording: str | None = None

    def said(self) -> dict[str, Any]:
        """The keys of its entry that say it."""
        found: dict[str, Any] = {"file": self.file}
        if self.target:
            found["target"] = self.target[0] if len(self.target) == 1 else list(self.target)
        if self.window is not None:
            found |= {"window": self.window, "horizon": 1 if self.horizon is None else self.horizon}
        return found | ({"recording": self.recording} if self.recording else {})


def settled(file: str, root: Path = Path(".")) -> tuple[str, str]:
    """A file's path inside the project, and what was done to have one there: a file elsewhere is copied.

    Raises:
        ConfigError: there is no such file.
    """
    inside, root = regular(Path(file).expanduser(), f"FILE: {file}", outside=True), root.resolve()
    if inside.is_relative_to(root):
        return inside.relative_to(root).as_posix(), ""
    # Two files of one name, from two folders, are two copies.
    first, rest = Path(file).name.partition(".")[::2]
    for number in range(1, 1_000):
        copy = COPIES / f"{first}{f'_{number}' if number > 1 else ''}.{rest}"
        if not copy.exists():
            COPIES.mkdir(exist_ok=True)
            shutil.copyfile(inside, copy)
            return copy.as_posix(), f"{file} is copied to {copy}, because an entry names a file inside the project"
        if sha256(copy) == sha256(inside):
            return copy.as_posix(), ""
    raise ConfigError(f"FILE: found '{file}'; there are a thousand other files of its name in {COPIES}/; take some away")


def asked_before(question: Question, params: Params) -> str | None:
    """The name of an own data set that asks the same of the same file."""
    for name in params.own:
        entry = params.data[name]
        if all(getattr(entry, key, None) == value for key, value in question.said().items()) and (
                question.window is not None or not hasattr(entry, "window")):
            return name
    return None


# Looking at a file

def look(question: Question) -> tuple[dict[str, Any], dict[str, str], dict]:
    """An entry of a file with what was guessed, why, and the arrays that it makes.

    What a file's reader refuses it answers with what the entry may say, and that is said.

    Returns:
        The entry's keys that are about the file, a comment by key, and the arrays.

    Raises:
        ConfigError: the file cannot be used, whatever its entry says.
    """
    entry, why = question.said(), {}
    suffix_is_array = ends(question.file, ARRAYS)
    # The reader of columns first: a separator is guessed before columns are looked at.
    for _ in range(MOST):
        try:
            if not suffix_is_array and "time" not in why:
                piece = _first_rows(question, entry)
                _leave_numbers_of_rows_out(piece, question, entry, why)
                found, why["time"] = (_time(piece, question) if question.window is not None or question.recording
                                      else ({}, ""))
                entry |= found
            arrays = _made(entry)
            break
        except ConfigError as error:
            _follow(str(error), entry, why)
    else:
        raise ConfigError(f"{question.file}: more than {MOST} guesses were needed; write its entry by hand, "
                          "see add_your_own in the book")
    _say_what_was_found(entry, why, arrays)
    return entry, why, arrays


def _made(entry: Mapping[str, Any]) -> dict:
    """The arrays of an entry."""
    spec = validate(PARAMS, FILES[kind(entry)], {"group": "own", "seeds": SEEDS, **entry})
    return from_file(spec, study_seeds(SEEDS), "FILE")


def _follow(message: str, entry: dict[str, Any], why: dict[str, str]) -> None:
    """Say in an entry what a refusal says that it may say; else it stands."""
    for pattern, key in _REMEDIES:
        match = pattern.search(message)
        if not match:
            continue
        reason = re.search(r"(?:line \d+, |row \d+, )?(?:column '.*?': )?found .*?(?=; allowed)", message)
        short = reason[0][:100] if reason else "as the file needs it"
        if key in ("missing_as", "leave_out"):
            column = re.search(r"column '(.+?)': found", message)
            held = entry.setdefault(key, [])
            # A column with many words that are no numbers holds words.
            if key == "missing_as" and len(held) >= FEW:
                key, found = "leave_out", column[1] if column else ""
                held = entry.setdefault(key, [])
            else:
                found = match[1]
            if found in held or not found or (key == "leave_out" and found in _listed(entry.get("target"))):
                break
            held.append(found)
            why[key] = f"{why[key]}; {short}" if key in why else short
            return
        value = {"missing": "drop", "task": "regression", "separator": None, "resample": None}[key]
        value = value or (match[1] if key == "separator" or not _is_number(match[1]) else float(match[1]))
        if entry.get(key) == value:
            continue
        entry[key], why[key] = value, short
        return
    raise ConfigError(message)


def _listed(value) -> list:
    return value if isinstance(value, list) else [value]


def _is_number(text: str) -> bool:
    return bool(re.fullmatch(r"[\d.]+", text))


def _first_rows(question: Question, entry: Mapping[str, Any]) -> pd.DataFrame:
    """All columns of the first rows, as they stand in the file."""
    rows = open_rows(validate(PARAMS, TableFile, {"file": question.file, "target": "y", "separator": entry.get("separator")}),
                     Path(question.file))
    return next(iter(rows.pieces([], rows.columns, rows=LOOK)), pd.DataFrame(columns=rows.columns))


def _leave_numbers_of_rows_out(piece: pd.DataFrame, question: Question, entry: dict[str, Any],
                               why: dict[str, str]) -> None:
    """Say in an entry that columns that only number the rows, one more in each, are no inputs."""
    for column in piece.columns.difference([*question.target, question.recording or ""], sort=False):
        cells = pd.to_numeric(piece[column], errors="coerce")
        if len(cells) > 2 and (cells.diff()[1:] == 1).all():
            entry.setdefault("leave_out", []).append(column)
            why["leave_out"] = "it numbers the rows"


def _time(piece: pd.DataFrame, question: Question) -> tuple[dict[str, str], str]:
    """The keys `time` and `time_format` of a file whose cells are dates, and why; nothing without any."""
    for column in piece.columns:
        cells = piece[column].dropna()
        if column in question.target or not len(cells) or pd.to_numeric(cells, errors="coerce").notna().any():
            continue
        for form in ("ISO8601", *FORMS):
            if pd.to_datetime(cells, format=form, utc=True, errors="coerce").notna().all():
                more = {} if form == "ISO8601" else {"time_format": form}
                return {"time": column} | more, "its cells are dates"
    return {}, ""


def _say_what_was_found(entry: dict[str, Any], why: dict[str, str], arrays: Mapping) -> None:
    """Write down what the reader decided by itself, so that a person sees it and can change it."""
    classes = arrays["about_classes"].tolist()
    targets = entry.get("target", "y")
    if not isinstance(targets, list):
        entry["task"] = str(arrays["task"])
        why["task"] = (f"{len(classes)} classes: {', '.join(classes[:4])}{', …' if len(classes) > 4 else ''}; or "
                       "regression" if classes else "numbers; or classes")
    if "about_categories" in arrays:
        entry["categories"] = list(dict.fromkeys(
            name.partition("=")[0] for name in arrays["about_categories"].tolist()))
        why["categories"] = "words, of which each becomes an input"
    entry["split"] = {part: int(arrays[part]) for part in ("train", "validation", "test")}
    things = "windows" if "last" in arrays else "recordings" if str(arrays["kind"]) == "recordings" else "rows"
    count = len(arrays["last"] if "last" in arrays else arrays["lengths"] if "lengths" in arrays else arrays["y"])
    why["split"] = f"of {count:,} {things}"
    if not why.get("time"):
        why.pop("time", None)


# Writing the entry

def name_of(file: str, params: Params) -> str:
    """A name that is free: the file's own, in the letters that a name may have."""
    stem = re.sub(r"[^a-z0-9_]+", "_", Path(file).name.partition(".")[0].lower()).strip("_")[:80]
    if not stem[:1].isalpha() or stem in _NO_NAMES:  # YAML would read a number, or true.
        stem = f"data_{stem}".rstrip("_")
    taken = {*params.data, *(group for one in params.data.values() for group in one.groups)}
    return next(name for name in (stem, *(f"{stem}_{n}" for n in range(2, 10_000))) if name not in taken)


def block(name: str, entry: Mapping[str, Any], why: Mapping[str, str], note: str) -> str:
    """The lines of an entry, a key each, its reason beside it."""
    lines = [f"  {name}:", f"    # {note}"]
    for key, value in entry.items():
        text = f"    {key}: {_flow(value)}"
        reason = " ".join(why.get(key, "").split())
        lines.append(f"{text}   # {reason}" if reason else text)
    return "".join(f"{line}\n" for line in lines)


def _flow(value) -> str:
    """A value as YAML writes it on one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_flow(k)}: {_flow(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_flow, value)) + "]"
    if isinstance(value, str) and _PLAIN.match(value) and value.lower() not in _NO_NAMES:
        return value
    return json.dumps(value, ensure_ascii=False)


def inserted(text: str, lines: str) -> str:
    """A params file's text with an entry behind the others of `data`; every other byte as it was."""
    section = YAML().load(text)
    keys = list(section)
    following = keys.index("data") + 1
    held = text.splitlines(keepends=True)
    at = section.lc.key(keys[following])[0] if following < len(keys) else len(held)
    # What stands right above the next section belongs to that.
    while at and (not held[at - 1].strip() or held[at - 1].startswith("#")):
        at -= 1
    before = "".join(held[:at])
    return before + ("" if before.endswith("\n") else "\n") + lines + "".join(held[at:])


def write(question: Question, params: Params, entry: dict[str, Any], why: dict[str, str]) -> str:
    """Write an entry into params.yaml; its name.

    Raises:
        ConfigError: the file would not be valid with it; nothing is written then.
    """
    group = "sequences" if kind(entry) != "table" else "tables"
    if not params.ask.get(group):
        raise ConfigError(f"{PARAMS}: ask.{group}: missing; it is required: the experiments that `make ask` tries")
    like = next(one for one in params.data.values() if group in one.groups and not one.own)
    name = name_of(question.file, params)
    training = json.loads(like.train.model_dump_json(exclude_none=True))
    whole = {"own": True, "group": group, "experiments": list(params.ask[group]), **entry, "seeds": SEEDS,
             **({"train": training} if training else {}), "title": _title(question)}
    text = PARAMS.read_text(encoding="utf-8")
    new = inserted(text, block(name, whole, why, "Guessed by `make ask`; what was not asked for, change at will."))
    content = YAML(typ="safe", pure=True).load(new)
    if content["data"].get(name) != whole:
        raise ConfigError(f"{PARAMS}: the entry of {question.file} cannot be written; write it by hand")
    parse(content, PARAMS)
    write_text(PARAMS, new)
    return name


def _title(question: Question) -> str:
    what = ", ".join(question.target) or "y"
    ahead = f", {1 if question.horizon is None else question.horizon} ahead" if question.window is not None else ""
    return f"{Path(question.file).name}: {what}{ahead}"


# How long it takes

def estimate(name: str, params: Params, samples: int) -> tuple[int, int, float]:
    """How many networks and runs a data set asks for, and about how many seconds they take.

    A run is taken to take what such a run took when the study was trained, by the samples that train.
    """
    networks, runs, seconds = 0, 0, REST
    for experiment in params.experiments:
        if name not in params.data_sets(experiment):
            continue
        networks += 1
        mine = (params.data[name].seeds * len(params.training(experiment, name).learning_rates)
                * len(params.variants(experiment)))
        runs += mine
        seconds += START + mine * _run(experiment, params) * samples / 640
    return networks, runs, seconds


def _run(experiment: str, params: Params) -> float:
    """Seconds that a run of an experiment took, of 640 training samples; or else one of its control, and so on."""
    seen = set()
    while experiment and experiment not in seen:
        path = Path("timings") / f"{experiment}.json"
        if path.exists():
            found = json.loads(path.read_text(encoding="utf-8"))
            return found["seconds"] / max(1, found["trained"])
        seen.add(experiment)
        experiment = params.experiments[experiment].versus
    return RUN


def main(reproduce: Callable[[], int] = reproduce) -> int:
    """Look at a file, write its entry, train what is asked of it, print the ranking."""
    parser = argparse.ArgumentParser(prog="make ask", description=main.__doc__)
    parser.add_argument("file", nargs="?", default=given("FILE"))
    for name in ("target", "window", "horizon", "recording"):
        option(parser, name)
    parser.add_argument("--look", action="store_true", help="only write the entry; train nothing")
    asked = parser.parse_args()
    try:
        name = ask(asked)
    except (ConfigError, ValueError) as error:
        return complain(error)
    if asked.look:
        return 0
    code = reproduce()
    if code == 0:
        print("\n" + ranking.of(name, load()))
    return code


def ask(asked: argparse.Namespace) -> str:
    """The name of the data set of a file, whose entry is written if there is none; says how long it will take.

    Raises:
        ConfigError: the file cannot be used as asked; nothing is written then.
    """
    params = load()
    if not asked.file:
        raise ConfigError("FILE: missing; allowed: make ask FILE=my.csv TARGET=price WINDOW=24 HORIZON=6, of a table "
                          "without WINDOW")
    window, horizon = whole("WINDOW", asked.window, least=1), whole("HORIZON", asked.horizon)
    if horizon is not None and window is None:
        raise ConfigError("HORIZON: found without WINDOW; allowed: both, of a series, whose rows are in order of time")
    file, done = settled(asked.file)
    if done:
        print(done)
    question = Question(file, _targets(asked.target, file), window, horizon, asked.recording)
    name = asked_before(question, params)
    if name:
        samples = _samples(name)
        print(f"{PARAMS} asks this already, as data.{name}")
    else:
        entry, why, arrays = look(question)
        name, samples = write(question, params, entry, why), int(arrays["train"])
        params = load()
        print(f"written into {PARAMS} as data.{name}; its guesses stand beside it")
    networks, runs, seconds = estimate(name, params, samples)
    print(f"{networks} networks, {runs} runs: about {max(1, math.ceil(seconds / 60))} minutes the first time; what is "
          "stored is not trained again", flush=True)
    return name


def _samples(name: str) -> int:
    """How many samples of a data set train; of one that is not made yet, as many as do by default."""
    path = Path("data") / f"{name}.npz"
    return int(read(path)["train"]) if path.exists() else TRAIN


def _targets(word: str, file: str) -> tuple[str, ...]:
    """The target columns that a word names: a column, or several with commas between them.

    Raises:
        ConfigError: a file with columns, and no target.
    """
    if ends(file, ARRAYS):
        if word:
            raise ConfigError(f"TARGET: found '{word}'; allowed: none, because '{file}' has no columns")
        return ()
    if not word:
        raise ConfigError(f"TARGET: missing; it is required: the column of {file} that is to be predicted")
    return tuple(part.strip() for part in word.split(","))


if __name__ == "__main__":
    sys.exit(main())
