"""What is new, in the terminal: an experiment against its control, in words and as a plot."""

from __future__ import annotations

import argparse
import math
import os
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from pipeline.tables import news
from pipeline.tables.schemas import FOUND
from pipeline.tables.stored import RUNS, RUNS_TABLE, read_table
from pipeline.config.errors import ConfigError, complain, nearest
from pipeline.config.claims import ARM
from pipeline.config.metrics import metric_of
from pipeline.config.schema import Params, load

WIDTH = 80
#: The longest name of a plot's row, in characters.
NAME = 24
#: So many experiments are answered at once; more are a matter for the book.
MOST = 10
LEGEND = "change of the test error, left is better: ● effect ├─┤ interval ┊ margin"
EXPERIMENTS = Path("build/html/experiments")
#: For a terminal that has no other characters.
ASCII = str.maketrans({"├": "[", "┤": "]", "─": "-", "●": "o", "│": "|", "┊": ":", "┼": "+", "−": "-", "…": "~",
                       "←": "<", "→": ">", "\u00a0": " "})


def experiment(name: str, params: Params) -> str:
    """The name of an experiment, if it is one; a ConfigError with the nearest ones."""
    if name not in params.experiments:
        raise ConfigError(f"EXPERIMENT: there is no experiment '{name}'{nearest(name, params.experiments, most=5)}")
    return name


def _stored(name: str, params: Params) -> pd.DataFrame:
    """The stored runs of an experiment and of its control.

    Raises:
        ConfigError: there are none of one of them.
        Damaged: a table is not what was stored.
    """
    tables = {one: _runs(one) for one in dict.fromkeys((name, params.experiments[name].versus))}
    for one in (one for one, runs in tables.items() if runs.empty):
        raise ConfigError(f"params.yaml: being_measured: {one} has no runs yet; it is trained once it is taken off that list"
                          if one in params.being_measured else
                          f"{RUNS / one / RUNS_TABLE}: there are no runs; `make try EXPERIMENT={name}` trains them")
    return pd.concat(tables.values(), ignore_index=True)


def _runs(name: str) -> pd.DataFrame:
    path = RUNS / name / RUNS_TABLE
    return read_table(path) if os.path.lexists(path) else pd.DataFrame()


def compared(name: str, params: Params, runs: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """An experiment's rows of the tables `findings` and `sets`; there is no q value, which needs all findings.

    Args:
        runs: of the experiment and of its control.

    Raises:
        ConfigError: the arms cannot be compared.
    """
    # Only where something is compared: they load scipy.
    from pipeline.findings.record import of_experiment
    from pipeline.findings.rule import rule

    return of_experiment(name, params, runs, rule(params.verdicts))


def _waits(name: str, params: Params) -> bool:
    """Whether an experiment is being measured, and has no runs on own data either."""
    return name in params.being_measured and _runs(name).empty


def measured(row: Mapping) -> str:
    """What was measured on a data set: `on waves: −12 % (−20 to −3 %)`."""
    from pipeline.findings.numbers import interval

    return f"on {row['data']}: {interval([row['y'], row['low'], row['high']], metric_of('error'))}"


def _percent(effect: float) -> str:
    """A label of the axis, e.g. `−12 %`; a positive effect is a lower error."""
    change = round(100 * math.expm1(-effect))
    return f"{change:+d} %".replace("-", "−") if change else "0"


def plot(rows: pd.DataFrame, names: list[str]) -> list[str]:
    """Lines of at most `WIDTH` characters: a row an effect, on one axis, where left is better.

    Args:
        rows: `y`, `low`, `high` and `margin`, logarithms of ratios.
        names: one a row; long ones are cut.
    """
    left = max(0.0, *rows["high"], *rows["low"], *rows["margin"])
    right = min(0.0, *rows["high"], *rows["low"], *-rows["margin"])
    names = [name if len(name) <= NAME else name[:NAME - 1] + "…" for name in names]
    start = 2 + max(map(len, names)) + 2
    span = WIDTH - start - 4  # The labels of the axis stand around their marks.

    def column(effect: float) -> int:
        return 2 + round((left - effect) / (left - right or 1) * (span - 1))

    def drawn(marks: Mapping[int, str]) -> str:
        return "".join(marks.get(i, " ") for i in range(span + 4))

    lines = []
    for name, row in zip(names, rows.to_dict("records"), strict=True):
        marks = {column(turn * row["margin"]): "┊" for turn in (1, -1)} | {column(0): "│"}
        low, high = column(row["high"]), column(row["low"])
        crossed = {i: "┼" for i in marks if low < i < high}
        marks |= dict.fromkeys(range(low, high), "─") | crossed | {low: "├", high: "┤"}
        marks[column(row["y"])] = "●"
        lines.append(f"  {name:{start - 2}}{drawn(marks)}".rstrip())
    axis, used = [" "] * (span + 4), set()
    # The margins, where all rows share them.
    margins = {round(margin, 6) for margin in rows["margin"]}
    shared = [turn * margin for margin in margins for turn in (1, -1) if len(margins) == 1]
    for effect in (0.0, *shared, left, right):
        text = _percent(effect)
        at = min(max(column(effect) - len(text) // 2, 0), len(axis) - len(text))
        if not used & set(range(at - 1, at + len(text) + 1)):
            axis[at:at + len(text)] = text
            used |= set(range(at, at + len(text)))
    return [*lines, " " * start + "".join(axis).rstrip()]


def _lines(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent="  ", subsequent_indent="    ")


def _finding(rows: pd.DataFrame, sets: pd.DataFrame) -> list[str]:
    """A finding: its title, each data set and its sentences, and a plot of them."""
    lines, several = textwrap.wrap(rows["title"].iloc[0], WIDTH), len(sets) > 1
    for row in sets.to_dict("records"):
        lines += _lines(f"{measured(row)}, {row['word']}")
    for row in rows.to_dict("records") if several else ():
        lines += _lines(row["sentence"])
    drawn = pd.concat([sets.assign(name=sets["data"]), *([rows.rename(columns={"effect": "y"}).assign(
        name="average of " + rows["stratum"])] if several else [])]).dropna(subset=["y", "low", "high"])
    return [*lines, "", *(plot(drawn, drawn["name"].tolist()) if len(drawn) else []), ""]


def _together(stratum: str, rows: pd.DataFrame) -> list[str]:
    """The variants of a sweep, or the places of a network: the best and the worst, each with its sentence, and a plot."""
    rows = rows.dropna(subset=["effect", "low", "high"]).sort_values("effect", ascending=False, kind="stable")
    names = [_variant(row["treatment"]) for row in rows.to_dict("records")]
    ends = f"best {names[0]}, worst {names[-1]}" if len(names) > 1 else ""
    lines = textwrap.wrap(f"{stratum}: {ends}", WIDTH)
    lines += [line for name, sentence in zip(names, rows["sentence"], strict=True) for line in _lines(f"{name}: {sentence}")]
    return [*lines, "", *(plot(rows.rename(columns={"effect": "y"}), names) if len(rows) else []), ""]


def _variant(arm: str) -> str:
    return match[2] or "" if (match := ARM.match(arm)) else ""


def of(name: str, params: Params) -> str:
    """An experiment's comparison, from the stored runs; see `answer`, and `_stored` for what it raises."""
    return answer(name, params, compared(name, params, _stored(name, params)))


def quick(name: str, params: Params, runs: pd.DataFrame) -> str:
    """What runs on few seeds of one data set show: its effect there, without an average or a word.

    Args:
        params: a study of that data set alone.
        runs: of the experiment and of its control.
    """
    findings, sets = compared(name, params, runs)
    names = [_variant(arm) or data for arm, data in zip(
        sets["id"].map(findings.drop_duplicates("id").set_index("id")["treatment"]), sets["data"], strict=True)]
    lines = [f"{name} against {params.experiments[name].versus}, {', '.join(params.data)}: no average and no verdict"]
    for label, row in zip(names, sets.to_dict("records"), strict=True):
        lines += _lines(f"{label}: {measured(row)}")
    return "\n".join([*lines, "", *plot(sets, names), "", f"  {LEGEND}",
                      f"  `make try EXPERIMENT={name}` trains every seed on every data set"])


def answer(name: str, params: Params, found: tuple[pd.DataFrame, pd.DataFrame]) -> str:
    """An experiment's findings in words and as a plot, and the page of the book that shows it."""
    findings, sets = found
    parts = [f"{name} against {params.experiments[name].versus}"]
    alone = findings["kind"].isin(params.own) | (len(params.variants(name)) < 2)
    for id_, rows in findings[alone].groupby("id", sort=False):
        parts += ["", *_finding(rows, sets[sets["id"] == id_])]
    for stratum, rows in findings[~alone].groupby("stratum", sort=False):
        parts += ["", *_together(stratum, rows)]
    return "\n".join([*parts, f"  {LEGEND}", f"  {page(name, params)}"])


def page(name: str, params: Params) -> str:
    """Where the book shows an experiment; says so if it does not do so yet."""
    # The same words as Sphinx makes of the label before the experiment's heading.
    from docutils.nodes import make_id

    first = params.data_sets(name)[0]
    path, place = EXPERIMENTS / f"{params.data[first].group}.html", make_id(f"experiment-{name}")
    built = path.exists() and f'id="{place}"' in path.read_text(encoding="utf-8")
    return f"{path}#{place}" + ("" if built else "\n  (once `make book` has built it)")


def say(text: str) -> None:
    """Print with the characters that the terminal has."""
    encoding = sys.stdout.encoding or "ascii"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        text = text.translate(ASCII).encode(encoding, "replace").decode(encoding)
    print(text)


def _new(params: Params) -> list[str]:
    """The experiments whose results are new since the last answer, and that still exist.

    Those of own data that were taken out since are gone from what is being measured.
    """
    return [name for name in news.noted() if name in params.experiments and not _waits(name, params)]


def _say_changes() -> None:
    """Say which predictions and constants were changed after their runs were stored."""
    path = FOUND["changes"].path()
    found = read_table(path).to_dict("records") if os.path.lexists(path) else []
    for change in found[:MOST]:
        say(f"changed after its runs were stored: {change['kind']} {change['name']}{': ' * bool(change['key'])}{change['key']}")
    if len(found) > MOST:
        say(f"and {len(found) - MOST} more: build/html/turned.html")


def main() -> int:
    """Say how experiments compare with their controls; without a name, those that are new."""
    parser = argparse.ArgumentParser(prog="python -m pipeline.cli.answer", description=main.__doc__)
    parser.add_argument("experiments", nargs="*", metavar="experiment")
    given = parser.parse_args()
    try:
        params = load()
        names = [experiment(name, params) for name in given.experiments] or _new(params)
        for name in names[:MOST]:
            control = params.experiments[name].versus
            if not control:
                say(f"\n{name} is compared with nothing (it has no versus): {page(name, params)}")
            elif not given.experiments and _waits(control, params):
                say(f"\n{name} is compared with {control}, which is being measured: {page(name, params)}")
            else:
                say("\n" + of(name, params))
        if not given.experiments:
            _say_changes()
    except (ConfigError, ValueError) as error:
        return complain(error)
    if len(names) > MOST:
        say(f"\n{len(names) - MOST} more are new: {EXPERIMENTS.with_suffix('.html')}")
    if not given.experiments:
        news.forget()
    return 0


if __name__ == "__main__":
    sys.exit(main())
