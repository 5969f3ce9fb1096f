"""What is new, in the terminal: an experiment against its control, in words and as a plot."""

from __future__ import annotations

import argparse
import math
import sys
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path

import pandas as pd

from pipeline.results import NEW, RUNS, RUNS_TABLE, STORE, read_table
from pipeline.spec.base import ConfigError, complain, nearest
from pipeline.spec.claims import ARM
from pipeline.spec.params import Params, load

WIDTH = 80
#: The longest name of a plot's row, in characters.
NAME = 24
#: So many experiments are answered at once; more are a matter for the book.
MOST = 10
EXPERIMENTS = Path("build/html/experiments")
#: Which data sets cannot show that there is no difference, as they were last decided.
BLIND = Path("results/verdicts/data_sets.csv")
#: For a terminal that has no other characters.
ASCII = str.maketrans({"├": "[", "┤": "]", "─": "-", "●": "o", "│": "|", "┊": ":", "┼": "+", "−": "-", "…": "~",
                       "←": "<", "→": ">"})


def experiment(name: str, params: Params) -> str:
    """The name of an experiment, if it is one.

    Raises:
        ConfigError: with the nearest one.
    """
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


def compared(name: str, params: Params) -> pd.DataFrame:
    """An experiment's rows of the table of comparisons, from the stored runs.

    Raises:
        ConfigError: a table of runs is not stored, or the arms cannot be compared.
        Damaged: a table is not what was stored.
    """
    # Only where something is compared: they load scipy.
    from pipeline.verdicts.cells import compare
    from pipeline.verdicts.rule import rule
    from pipeline.verdicts.scores import derive

    tables, constants = [], rule(params.verdicts)
    for one in dict.fromkeys((name, params.experiments[name].versus)):
        path = RUNS / one / RUNS_TABLE
        if not path.exists():
            raise ConfigError(f"{path}: there is no such file; `make try EXPERIMENT={name}` trains it")
        tables.append(read_table(path))
    blind = read_table(BLIND).query("blind")["data"].tolist() if BLIND.exists() else ()
    runs = derive(pd.concat(tables, ignore_index=True), constants)
    return compare(name, params, runs, None, constants, blind=blind)


def conclusion(cell: Mapping) -> str:
    """What a comparison's interval shows, beside the margin."""
    if cell["position"] == "uninformative":
        return f"nothing can be shown: {cell['why']}"
    if cell["label"] in ("better", "worse"):
        return f"{cell['label']} by more than the margin"
    if cell["label"] == "equivalent":
        return "the same within the margin"
    if cell["why"]:
        return f"undecided: {cell['why']}"
    way = {"+": "better", "-": "worse"}.get(cell["sign"])
    return f"{way}, though perhaps by less than the margin" if way else "undecided"


def _percent(effect: float) -> str:
    """An effect as the change of the error, e.g. `−12 %`; a positive effect is a lower error."""
    change = round(100 * math.expm1(-effect))
    return f"{change:+d} %".replace("-", "−") if change else "0"


def plot(cells: pd.DataFrame, names: list[str]) -> list[str]:
    """Lines of at most `WIDTH` characters: a row a comparison, on one axis, where left is better.

    Args:
        cells: rows of the table of comparisons whose effects are logarithms of ratios.
        names: one a row; long ones are cut.
    """
    finite = cells[cells["effect"].map(math.isfinite)]
    reach = finite[["low", "high"]].stack().tolist() + [
        turn * margin for margin in cells["margin"].dropna() for turn in (1, -1)] + [0.0]
    left, right = max(reach), min(reach)
    names = [name if len(name) <= NAME else name[:NAME - 1] + "…" for name in names]
    start = 2 + max(map(len, names)) + 2
    span = WIDTH - start - 4  # The labels of the axis stand around their marks.

    def column(effect: float) -> int:
        return 2 + round((left - effect) / (left - right or 1) * (span - 1))

    def drawn(marks: Mapping[int, str]) -> str:
        return "".join(marks.get(i, " ") for i in range(span + 4))

    lines = []
    for name, (_, cell) in zip(names, cells.iterrows(), strict=True):
        marks = {column(turn * cell["margin"]): "┊" for turn in (1, -1) if math.isfinite(cell["margin"])}
        marks[column(0)] = "│"
        if math.isfinite(cell["effect"]):
            low, high = column(cell["high"]), column(cell["low"])
            crossed = {i: "┼" for i in marks if low < i < high}
            marks |= dict.fromkeys(range(low, high), "─") | crossed | {low: "├", high: "┤"}
            marks[column(cell["effect"])] = "●"
        lines.append(f"  {name:{start - 2}}{drawn(marks)}".rstrip())
    axis, used = [" "] * (span + 4), set()
    for effect in (0.0, *_margins(cells), left, right):
        text = _percent(effect)
        at = min(max(column(effect) - len(text) // 2, 0), len(axis) - len(text))
        if not used & set(range(at - 1, at + len(text) + 1)):
            axis[at:at + len(text)] = text
            used |= set(range(at, at + len(text)))
    return [*lines, " " * start + "".join(axis).rstrip()]


def _margins(cells: pd.DataFrame) -> list[float]:
    """The margins that all rows share, in both directions."""
    margins = {round(margin, 6) for margin in cells["margin"].dropna()}
    return [turn * margin for margin in margins for turn in (1, -1)] if len(margins) == 1 else []


def _parts(cells: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame, list[str]]]:
    """What is drawn together: a title, its rows and their names.

    Of one network, its data sets; of a sweep, its variants, a data set after another.
    """
    variants = cells["treatment"].map(lambda name: match[2] if (match := ARM.match(name)) else "")
    if variants.nunique() < 2:
        yield "", cells, cells["data"].tolist()
        return
    for data, mine in cells.groupby("data", sort=False):
        yield f" on {data}", mine, variants[mine.index].tolist()


def answer(name: str, params: Params, cells: pd.DataFrame) -> str:
    """An experiment's comparison in words and as a plot, and the page of the book that shows it.

    Args:
        cells: its rows of the table of comparisons.
    """
    from pipeline.book.words.comparison import sentence
    from pipeline.verdicts.rule import rule

    versus, constants = params.experiments[name].versus, rule(params.verdicts)
    parts = []
    for title, mine, names in _parts(cells):
        lines = [f"{name} against {versus}{title}"]
        for label, (_, cell) in zip(names, mine.iterrows(), strict=True):
            # A data set is where something holds, a variant is what holds.
            said = f"{'' if title else 'on '}{label}: {sentence(cell, constants)}, {conclusion(cell)}"
            lines += textwrap.wrap(said, WIDTH, initial_indent="  ", subsequent_indent="    ")
        parts += [*lines, "", *plot(mine, names), ""]
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
    """The experiments whose results are new since the last answer, and that still exist."""
    path = STORE / NEW
    noted = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return [name for name in dict.fromkeys(noted) if name in params.experiments]


def main() -> int:
    """Say how experiments compare with their controls; without a name, those that are new."""
    parser = argparse.ArgumentParser(prog="python -m pipeline.answer", description=main.__doc__)
    parser.add_argument("experiments", nargs="*", metavar="experiment")
    parser.add_argument("--stages", action="store_true",
                        help="only print the DVC stages that the comparisons need, in their order")
    given = parser.parse_args()
    try:
        params = load()
        names = [experiment(name, params) for name in given.experiments] or _new(params)
        if given.stages:
            print(*dict.fromkeys(stage for name in names for stage in stages(name, params)))
            return 0
        for name in names[:MOST]:
            _say("\n" + (answer(name, params, compared(name, params)) if params.experiments[name].versus
                         else f"{name} is compared with nothing (it has no versus): {page(name, params)}"))
    except (ConfigError, ValueError) as error:
        return complain(error)
    if len(names) > MOST:
        _say(f"\n{len(names) - MOST} more are new: {EXPERIMENTS.with_suffix('.html')}")
    if not given.experiments:
        (STORE / NEW).unlink(missing_ok=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
