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

from pipeline.process.reproduce import reproduce
from pipeline.tables.stored import NEW, RUNS, RUNS_TABLE, STORE, read_table
from pipeline.tables.schemas import STORED
from pipeline.config.errors import ConfigError, complain, nearest
from pipeline.config.claims import ARM
from pipeline.config.given import given
from pipeline.config.schema import Params, load

WIDTH = 80
#: The longest name of a plot's row, in characters.
NAME = 24
#: So many experiments are answered at once; more are a matter for the book.
MOST = 10
EXPERIMENTS = Path("build/html/experiments")
#: For a terminal that has no other characters.
ASCII = str.maketrans({"├": "[", "┤": "]", "─": "-", "●": "o", "│": "|", "┊": ":", "┼": "+", "−": "-", "…": "~",
                       "←": "<", "→": ">"})


def experiment(name: str, params: Params) -> str:
    """The name of an experiment, if it is one.

    Raises:
        ConfigError: with the nearest one.
    """
    if not name:
        raise ConfigError("EXPERIMENT: missing; allowed: the name of one, make try EXPERIMENT=name")
    if name not in params.experiments:
        raise ConfigError(f"params.yaml: experiments: there is no '{name}'; allowed: any experiment"
                          f"{nearest(name, params.experiments)}")
    return name


def stages(name: str, params: Params) -> list[str]:
    """The DVC stages that an experiment's comparison needs, each after those that it needs itself.

    They are the data, the plan, and the training of its control and of itself.
    """
    trained = [one for one in (params.experiments[name].versus, name) if one]
    return ["data", "plan", *(f"train@{one}" for one in trained)]


def compared(name: str, params: Params) -> list[tuple[pd.DataFrame, pd.DataFrame]]:
    """An experiment's effects on data sets, and their averages, from the stored runs.

    Returns:
        For each network and family, its rows of the tables `effects` and `averages`.

    Raises:
        ConfigError: a table of runs is not stored, or the arms cannot be compared.
        Damaged: a table is not what was stored.
    """
    # Only where something is compared: they load scipy.
    from pipeline.verdicts.decide import average_table, compare, effect_table
    from pipeline.verdicts.rule import rule

    tables, constants = [], rule(params.verdicts)
    for one in dict.fromkeys((name, params.experiments[name].versus)):
        path = RUNS / one / RUNS_TABLE
        runs = read_table(path) if os.path.lexists(path) else pd.DataFrame()
        if runs.empty:
            raise ConfigError(f"params.yaml: being_measured: {one} has no runs yet; it is trained once it is taken off "
                              "that list" if one in params.being_measured else
                              f"{path}: there are no runs; `make try EXPERIMENT={name}` trains them")
        tables.append(runs)
    found = compare(name, params, pd.concat(tables, ignore_index=True), constants)
    return [(effect_table([one], params, constants), average_table([one])) for one in found]


def _waits(name: str, params: Params) -> bool:
    """Whether an experiment is being measured, and has no runs on own data either."""
    path = RUNS / name / RUNS_TABLE
    return name in params.being_measured and not (os.path.lexists(path) and len(read_table(path)))


def conclusion(row: Mapping) -> str:
    """What an interval shows, beside the margin."""
    low, high, margin = row["low"], row["high"], row["margin"]
    if low > margin or high < -margin:
        return f"{'better' if low > 0 else 'worse'} by more than the margin"
    if low > -margin and high < margin:
        return "the same within the margin"
    way = "better" if low > 0 else "worse" if high < 0 else ""
    return f"{way}, though perhaps by less than the margin" if way else "undecided"


def said(effect: float, low: float, high: float, confidence: float) -> str:
    """An effect in words: `12 % lower test error (95 % interval −20 % to −3 %)`."""
    change = round(100 * math.expm1(-effect))
    size = f"{abs(change)} % {'lower' if change < 0 else 'higher'} test error" if change else "no change of the test error"
    return f"{size} ({round(100 * confidence)} % interval {_percent(high)} to {_percent(low)})"


def averaged(row: Mapping, confidence: float) -> str:
    """An average in words: what it says, on how many units, and where another set falls.

    Args:
        row: a row of the table of averages.
    """
    count = int(row["units"])
    over = f"{count} units of {row['family']}" if row["family"] else "these sets" if count > 1 else "this set"
    if row["group"]:
        over += f", {row['group']}"
    text = (f"on average over {over}: {said(row['mean'], row['low'], row['high'], confidence)}, {row['word']}; "
            f"better on {row['better']} of {count}, worse on {row['worse']}")
    if row["depends"]:
        text += "; it depends on the data"
    if math.isfinite(row["range_low"]):
        text += (f"; measured on another such set, in about four of five: {_percent(row['range_high'])} to "
                 f"{_percent(row['range_low'])}")
    return text


def _percent(effect: float) -> str:
    """An effect as the change of the error, e.g. `−12 %`; a positive effect is a lower error."""
    change = round(100 * math.expm1(-effect))
    return f"{change:+d} %".replace("-", "−") if change else "0"


def plot(rows: pd.DataFrame, names: list[str]) -> list[str]:
    """Lines of at most `WIDTH` characters: a row an effect, on one axis, where left is better.

    Args:
        rows: `y`, `low`, `high` and `margin`, logarithms of ratios.
        names: one a row; long ones are cut.
    """
    reach = rows[["low", "high"]].stack().tolist() + [
        turn * margin for margin in rows["margin"] for turn in (1, -1)] + [0.0]
    left, right = max(reach), min(reach)
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
    for effect in (0.0, *_margins(rows), left, right):
        text = _percent(effect)
        at = min(max(column(effect) - len(text) // 2, 0), len(axis) - len(text))
        if not used & set(range(at - 1, at + len(text) + 1)):
            axis[at:at + len(text)] = text
            used |= set(range(at, at + len(text)))
    return [*lines, " " * start + "".join(axis).rstrip()]


def _margins(rows: pd.DataFrame) -> list[float]:
    """The margins that all rows share, in both directions."""
    margins = {round(margin, 6) for margin in rows["margin"]}
    return [turn * margin for margin in margins for turn in (1, -1)] if len(margins) == 1 else []


def _lines(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent="  ", subsequent_indent="    ")


def _network(title: str, sets: pd.DataFrame, means: pd.DataFrame, confidence: float) -> list[str]:
    """One network: each data set, then the average, in words and as a plot."""
    lines = [title]
    for row in sets.to_dict("records"):
        lines += _lines(f"on {row['data']}: {said(row['y'], row['low'], row['high'], confidence)}, {conclusion(row)}")
    for row in means.to_dict("records"):
        lines += _lines(averaged(row, confidence)) if len(sets) > 1 else []
    shown, names = sets, sets["data"].tolist()
    if len(sets) > 1 and len(means):
        shown = pd.concat([sets, means.rename(columns={"mean": "y"})])
        names += [f"average {group}".strip() for group in means["group"]]
    return [*lines, "", *plot(shown, names), ""]


def _sweep(title: str, means: pd.DataFrame, confidence: float) -> list[str]:
    """The variants of a sweep: their averages, in words and as a plot."""
    lines = [title]
    names = [" ".join(filter(None, (_variant(row["treatment"]), row["group"]))) for row in means.to_dict("records")]
    for name, row in zip(names, means.to_dict("records"), strict=True):
        lines += _lines(f"{name}, {averaged(row, confidence)}")
    return [*lines, "", *plot(means.rename(columns={"mean": "y"}), names), ""]


def _variant(arm: str) -> str:
    return match[2] or "" if (match := ARM.match(arm)) else ""


def answer(name: str, params: Params, found: list[tuple[pd.DataFrame, pd.DataFrame]]) -> str:
    """An experiment's comparison in words and as a plot, and the page of the book that shows it.

    Args:
        found: see `compared`.
    """
    versus, confidence, parts = params.experiments[name].versus, params.verdicts.confidence, []
    title = f"{name} against {versus}"
    if len(params.variants(name)) < 2:
        for sets, means in found:
            parts += _network(title, sets, means, confidence)
    else:
        families: dict[str, list[pd.DataFrame]] = {}
        for sets, means in found:
            if len(means):
                families.setdefault(sets["family"].iloc[0], []).append(means)
            else:  # A reader's own data sets are averaged nowhere.
                parts += _network(f"{sets['treatment'].iloc[0]} against {versus}", sets, means, confidence)
        for family, tables in families.items():
            parts += _sweep(title + (f" on {family}" if family else ""), pd.concat(tables), confidence)
    legend = "change of the test error, left is better: ● effect ├─┤ interval ┊ margin"
    return "\n".join([*parts, f"  {legend}", f"  {page(name, params)}"])


def page(name: str, params: Params) -> str:
    """Where the book shows an experiment; says so if it does not do so yet."""
    # The same words as Sphinx makes of the label before the experiment's heading.
    from docutils.nodes import make_id

    first = params.data_sets(name)[0]
    path, place = EXPERIMENTS / f"{params.data[first].group}.html", make_id(f"experiment-{name}")
    built = path.exists() and f'id="{place}"' in path.read_text(encoding="utf-8")
    return f"{path}#{place}" + ("" if built else "\n  (once `make book` has built it)")


def _say(text: str) -> None:
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
    path = STORE / NEW
    noted = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return [name for name in dict.fromkeys(noted) if name in params.experiments and not _waits(name, params)]


def _say_changes() -> None:
    """Say which predictions and constants were changed after their runs were stored."""
    path = STORED["changes"].path()
    found = read_table(path).to_dict("records") if os.path.lexists(path) else []
    for change in found[:MOST]:
        _say(f"changed after its runs were stored: {change['kind']} {change['name']}{': ' * bool(change['key'])}{change['key']}")
    if len(found) > MOST:
        _say(f"and {len(found) - MOST} more: build/html/claims.html, build/html/method.html")


def main() -> int:
    """Say how experiments compare with their controls; without a name, those that are new."""
    parser = argparse.ArgumentParser(prog="python -m pipeline.cli.answer", description=main.__doc__)
    parser.add_argument("experiments", nargs="*", metavar="experiment")
    parser.add_argument("--try", dest="tried", action="store_true", help="train what make was given as EXPERIMENT first")
    asked = parser.parse_args()
    try:
        params = load()
        if asked.tried:
            asked.experiments = [experiment(given("EXPERIMENT") or "", params)]
            if code := reproduce(*stages(*asked.experiments, params), only=True):
                return code
        names = [experiment(name, params) for name in asked.experiments] or _new(params)
        for name in names[:MOST]:
            control = params.experiments[name].versus
            if not control:
                _say(f"\n{name} is compared with nothing (it has no versus): {page(name, params)}")
            elif not asked.experiments and _waits(control, params):
                _say(f"\n{name} is compared with {control}, which is being measured: {page(name, params)}")
            else:
                _say("\n" + answer(name, params, compared(name, params)))
        if not asked.experiments:
            _say_changes()
    except (ConfigError, ValueError) as error:
        return complain(error)
    if len(names) > MOST:
        _say(f"\n{len(names) - MOST} more are new: {EXPERIMENTS.with_suffix('.html')}")
    if not asked.experiments:
        (STORE / NEW).unlink(missing_ok=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
