"""Tidy tables -> figures, each with its alternative text.

Every figure stands on a light panel of its own with dark text, so that it reads the same in a
light and in a dark theme. No function keeps state, and equal tables give equal bytes.
"""

from __future__ import annotations

import base64
import io
import math
import textwrap
from collections.abc import Mapping

import matplotlib
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, MaxNLocator, NullLocator
from PIL import Image

#: One colour per role (Okabe & Ito's palette, which colour-blind readers tell apart).
TREATMENT, CONTROL, BAND = "#0072b2", "#d55e00", "#dfe6dc"
BETTER, WORSE = TREATMENT, CONTROL
TEXT, QUIET, PANEL, GREY = "#1b1f24", "#5c6670", "#fcfcfa", "#c9ccd0"
#: Lower errors are blue, higher ones are orange, no change is as light as the panel.
DIVERGING = LinearSegmentedColormap.from_list("error", [BETTER, "#f7f7f5", WORSE])
#: The heat map's colours end at half, and at twice, the control's error.
FULL_COLOUR = math.log(2)

#: The longest heading of a forest plot's rows, in characters.
NAME = 44
LETTERS = {"better": "B", "worse": "W", "equivalent": "E"}
#: Per metric: its name, the sign that turns an effect into a change of the score, and the factor
#: and unit of a difference.
SCORES = {
    "error": ("test error", -1, 1, ""),
    "loss": ("test loss", -1, 1, ""),
    "calibration_error": ("calibration error", -1, 100, "points"),
    "minority_recall": ("minority recall", 1, 100, "points"),
    "epochs_to_target": ("epochs to the target", -1, 1, ""),
    "divergence": ("share of diverged seeds", -1, 100, "points"),
    "failure": ("share of failing seeds", -1, 100, "points"),
    "largest_rate": ("largest usable learning rate", 1, 1, ""),
    "parameters": ("parameters", -1, 1, ""),
}
#: Scales whose effects are logarithms of ratios.
RATIOS = ("log ratio", "median")
MARKERS = {  # position: marker, filled, words
    "for": ("o", True, "as predicted"), "against": ("X", True, "not as predicted"),
    "open": ("o", False, "open"), "uninformative": ("D", False, "cannot show anything"),
    "decided": ("o", True, "decided"), "undecided": ("o", False, "undecided")}

#: Per direction of a comparison, and whether it exceeds the margin: marker, filled, colour, words.
DIRECTIONS = {
    ("better", True): ("o", True, BETTER, "lower, by more than the margin"),
    ("better", False): ("o", False, BETTER, "lower"),
    ("worse", True): ("X", True, WORSE, "higher, by more than the margin"),
    ("worse", False): ("X", False, WORSE, "higher"),
    ("same", False): ("s", True, QUIET, "the same, within the margin"),
    ("unclear", False): ("o", False, QUIET, "unclear")}

_STYLE = {"font.family": "sans-serif", "font.sans-serif": ["DejaVu Sans"], "font.size": 9,
          "text.color": TEXT, "axes.labelcolor": TEXT, "xtick.color": TEXT, "ytick.color": TEXT,
          "axes.edgecolor": QUIET, "axes.facecolor": PANEL, "figure.facecolor": PANEL,
          "axes.titlesize": 10, "axes.titleweight": "bold", "axes.titlelocation": "left",
          "axes.unicode_minus": True, "svg.fonttype": "none", "svg.hashsalt": "layers"}


def svg(figure: Figure) -> str:
    """A figure as SVG text, the same text for the same figure."""
    buffer = io.StringIO()
    with matplotlib.rc_context(_STYLE):
        figure.savefig(buffer, format="svg", facecolor=PANEL, bbox_inches="tight", pad_inches=0.12,
                       metadata={"Date": None, "Creator": None})
    # Trailing blanks would make differences between versions hard to read.
    return "\n".join(line.rstrip() for line in buffer.getvalue().splitlines()) + "\n"


def png(figure: Figure, dpi: int = 80) -> bytes:
    """A figure as PNG bytes, for pictures with more lines than an SVG should hold."""
    buffer = io.BytesIO()
    with matplotlib.rc_context(_STYLE):
        figure.savefig(buffer, format="png", dpi=dpi, facecolor=PANEL, bbox_inches="tight",
                       pad_inches=0.12, metadata={"Software": None})
    # A palette of 48 colours is a quarter of the size, and thin lines look the same.
    small = io.BytesIO()
    Image.open(buffer).convert("RGB").quantize(48).save(small, format="png", optimize=True)
    return small.getvalue()


def change(effect: float, metric: str, scale: str) -> float:
    """An effect as the change of the score: in per cent for ratios, else in the score's unit.

    Args:
        effect: as in a table of cells, positive = better.
        metric: of the cell; an unknown one is a measure, whose effect is its change.
        scale: `log ratio`, `median`, `difference` or `share`.
    """
    _, turn, factor, _ = SCORES.get(metric, (metric, 1, 1, ""))
    if scale in RATIOS:
        return 100 * math.expm1(turn * effect)
    return turn * factor * effect


# Heat map

def heat_map(comparisons: pd.DataFrame) -> Figure:
    """Experiments (rows, under what each is compared with) by data sets (columns).

    Colour and number: the change of the test error in per cent. Letter: B better, W worse,
    E equivalent; none: undecided. Grey: the data set cannot show anything.

    Args:
        comparisons: columns `treatment`, `control`, `data`, `effect` (log ratio), `label`,
            `position`; one row per treatment and data set.

    Raises:
        ValueError: no rows, or an effect that is no log ratio.
    """
    _need(comparisons)
    if set(comparisons["scale"]) != {"log ratio"}:
        raise ValueError("a heat map needs effects on the log-ratio scale. "
                         f"Received: {sorted(set(comparisons['scale']))}")
    panels = [_panel(comparisons, names, sets) for names, sets in _families(comparisons)]
    wide, row, label, gap = 0.72, 0.235, 2.55, 0.5
    heights = [row * len(lines) for lines, *_ in panels]
    width = label + wide * max(len(sets) for _, sets, *_ in panels) + 0.2
    height = sum(heights) + gap * len(panels) + 1.25
    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(width, height))
        top = height - 0.5
        figure.text(0.02, 1 - 0.12 / height, _heat_finding(comparisons), va="top", weight="bold",
                    size=9.5)
        for (lines, sets, values, grey, notes), tall in zip(panels, heights, strict=True):
            top -= gap
            axes = figure.add_axes((label / width, (top + 0.28 - tall) / height,
                                    wide * len(sets) / width, tall / height))
            axes.set_facecolor(PANEL)
            sns.heatmap(values, ax=axes, cmap=DIVERGING, vmin=-FULL_COLOUR, vmax=FULL_COLOUR,
                        annot=notes, fmt="", annot_kws={"size": 7.5}, cbar=False,
                        xticklabels=False, yticklabels=False,
                        mask=np.isnan(values), linewidths=1, linecolor=PANEL)
            for i, j in zip(*np.nonzero(grey), strict=True):
                axes.add_patch(matplotlib.patches.Rectangle((j, i), 1, 1, fc=GREY, ec=PANEL))
            axes.xaxis.tick_top()
            axes.set_xticks(np.arange(len(sets)) + 0.5, sets, rotation=0, size=8)
            axes.set_yticks(np.arange(len(lines)) + 0.5, [text for text, _ in lines], rotation=0,
                            size=8)
            for tick, (_, heading) in zip(axes.get_yticklabels(), lines, strict=True):
                tick.set(color=QUIET if heading else TEXT, style="italic" if heading else "normal")
            axes.tick_params(length=0)
            top -= tall
        bar = figure.add_axes((label / width, 0.62 / height, min(2.6, width - label - 0.3) / width,
                               0.1 / height))
        scale = figure.colorbar(
            matplotlib.cm.ScalarMappable(Normalize(-FULL_COLOUR, FULL_COLOUR), DIVERGING), cax=bar,
            orientation="horizontal")
        ticks = [-50, -25, 0, 33, 100]
        scale.set_ticks(np.log1p(np.array(ticks) / 100), labels=[signed(t, " %") for t in ticks],
                        size=7.5)
        scale.outline.set_visible(False)
        figure.text(0.02, 0.67 / height, "change of the test error", size=8, va="center")
        figure.text(0.02, 0.12 / height, "Numbers in per cent. B better, W worse, E equivalent, no "
                    "letter undecided.\nGrey: cannot show anything.", size=7.5, color=QUIET)
    return figure


def heat_map_alt(comparisons: pd.DataFrame) -> str:
    """What the heat map shows, in a sentence or two."""
    _need(comparisons)
    shown = comparisons[comparisons["position"] != "uninformative"]
    text = (f"Heat map of {_count(comparisons['treatment'].nunique(), 'experiment')} against what "
            f"each is compared with, on {_count(comparisons['data'].nunique(), 'data set')}. "
            f"{_heat_finding(comparisons)}.")
    decided = shown[shown["label"].isin(["better", "worse"])]
    if len(decided):
        largest = decided.loc[decided["effect"].abs().idxmax()]
        text += (f" The largest decided change is that of {largest['treatment']} on "
                 f"{largest['data']}: {_percent(largest['effect'])} test error.")
    return text


def _heat_finding(table: pd.DataFrame) -> str:
    labels = table.loc[table["position"] != "uninformative", "label"].value_counts()
    better, worse, same = (int(labels.get(k, 0)) for k in ("better", "worse", "equivalent"))
    return (f"Of {_count(int(labels.sum()), 'comparison')}, {better} better, {worse} worse, "
            f"{same} equivalent, {int(labels.get('undecided', 0))} undecided")


def _families(table: pd.DataFrame) -> list[tuple[list[str], list[str]]]:
    """Treatments that share a data set, directly or through others, with their data sets."""
    families: list[tuple[list[str], list[str]]] = []
    for treatment, rows in table.groupby("treatment", sort=False):
        names, sets = [treatment], list(rows["data"])
        apart = []
        for family in families:
            if set(family[1]) & set(sets):
                names, sets = family[0] + names, family[1] + sets
            else:
                apart.append(family)
        families = [*apart, (names, list(dict.fromkeys(sets)))]
    return families


def _panel(table: pd.DataFrame, names: list[str], sets: list[str]):
    """Lines (text, is it a heading), data sets, and per line and data set: value, grey, note."""
    mine = table[table["treatment"].isin(names)]
    lines, values, grey, notes = [], [], [], []
    for control, group in mine.groupby("control", sort=False):
        lines.append((f"against {control}", True))
        values.append([math.nan] * len(sets))
        grey.append([False] * len(sets))
        notes.append([""] * len(sets))
        for treatment, rows in group.groupby("treatment", sort=False):
            cells = rows.set_index("data")
            lines.append((treatment, False))
            line = [cells.loc[s] if s in cells.index else None for s in sets]
            grey.append([c is not None and (c["position"] == "uninformative"
                                            or not math.isfinite(c["effect"])) for c in line])
            values.append([math.nan if c is None or g else -c["effect"]
                           for c, g in zip(line, grey[-1], strict=True)])
            notes.append(["" if math.isnan(v) else
                          f"{_whole(100 * math.expm1(v))} {LETTERS.get(c['label'], '')}".strip()
                          for c, v in zip(line, values[-1], strict=True)])
    return lines, sets, np.array(values), np.array(grey), np.array(notes)


# Forest plot

def forest(cells: pd.DataFrame) -> Figure:
    """One row per comparison and data set: effect, interval, and the band of equivalence.

    The axis shows the change of the score. The band is as wide as the row's own margin.

    Args:
        cells: rows of a table of cells or comparisons, all of one metric and scale.

    Raises:
        ValueError: no rows, or more than one metric or scale.
    """
    _need(cells)
    metric, scale = _one(cells, "metric"), _one(cells, "scale")
    name, turn, factor, unit = SCORES.get(metric, (metric.replace("_", " "), 1, 1, ""))
    ratio = scale in RATIOS
    factor = 1 if ratio or (cells["control"] == "trivial predictor").any() else factor
    lines = _lines(cells)
    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(6.6, 0.27 * len(lines) + 1.35), layout="constrained")
        axes = figure.add_subplot()
        ends, used = [], {}
        for y, (_, cell) in enumerate(lines):
            if cell is None:
                continue
            margin = factor * float(cell["margin"])
            if margin > 0:
                axes.barh(y, 2 * margin, left=-margin, height=0.86, color=BAND, zorder=0)
                ends += [-margin, margin]
            place = turn * factor * float(cell["effect"])
            if not math.isfinite(place):
                axes.text(0, y, "no effect can be computed", color=QUIET, size=7.5, va="center")
                continue
            low, high = sorted(turn * factor * float(cell[k]) for k in ("low", "high"))
            kind = _kind(cell)
            marker, filled, _ = MARKERS[kind]
            colour = QUIET if kind == "uninformative" else TREATMENT
            axes.plot([low, high], [y, y], color=colour, lw=1.6, solid_capstyle="butt", zorder=2)
            used[kind] = axes.plot(
                [place], [y], marker, color=colour, mfc=colour if filled else PANEL, mec=colour,
                ms=6, zorder=3, ls="none")[0]
            ends += [low, high]
        axes.axvline(0, color=QUIET, lw=0.8, zorder=1)
        axes.set_ylim(len(lines) - 0.4, -0.6)
        axes.set_yticks(range(len(lines)), [text for text, _ in lines])
        for tick, (_, cell) in zip(axes.get_yticklabels(), lines, strict=True):
            tick.set(color=QUIET if cell is None else TEXT, size=7.5 if cell is None else 8.5,
                     style="italic" if cell is None else "normal")
        axes.tick_params(axis="y", length=0)
        axes.spines[["top", "right", "left"]].set_visible(False)
        reach = [v for v in ends if math.isfinite(v)] or [-1, 1]
        edge = 0.06 * (max(reach) - min(reach) or 1)
        axes.set_xlim(min(0, *reach) - edge, max(0, *reach) + edge)
        interaction = (cells["minus_treatment"] != "").any()
        what = f"change of the {name}" if metric != "parameters" else "change of the parameters"
        if interaction:
            what = f"difference of two changes of the {name}"
        if ratio:
            axes.xaxis.set_major_locator(FixedLocator(_ticks(*axes.get_xlim())))
            axes.xaxis.set_minor_locator(NullLocator())
            axes.xaxis.set_major_formatter(
                FuncFormatter(lambda v, _: signed(100 * math.expm1(v), " %")))
        else:
            what += f", {unit}" if unit and factor != 1 else ""
            axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}".replace("-", "−")))
        better = {-1: "← better", 1: "better →"}[turn] if metric in SCORES else ""
        axes.set_xlabel(f"{what}   ({better})" if better else what, size=8.5)
        # Titles belong to the whole width, which row labels share.
        figure.suptitle(forest_finding(cells), x=0.01, ha="left", size=9.5, weight="bold")
        handles = [used[k] for k in MARKERS if k in used]
        words = [MARKERS[k][2] for k in MARKERS if k in used]
        if (cells["margin"] > 0).any():
            handles.append(matplotlib.patches.Patch(color=BAND))
            words.append("too small to matter")
        figure.legend(handles, words, loc="outside lower left", ncols=3, frameon=False, fontsize=8,
                      handletextpad=0.5, columnspacing=1.4)
    return figure


def forest_finding(cells: pd.DataFrame) -> str:
    """The finding of a forest plot in a few words."""
    _need(cells)
    counted = cells[cells["position"] != "uninformative"]
    if not len(counted):
        return f"None of {_count(len(cells), 'comparison')} can show anything"
    whole = f"{len(counted)}"
    if (counted["region"] != "").all():
        found = counted["position"].value_counts()
        return (f"{int(found.get('for', 0))} of {whole} as predicted, "
                f"{int(found.get('against', 0))} not, {int(found.get('open', 0))} open")
    found = counted["label"].value_counts()
    parts = [f"{int(found[k])} {k}" for k in ("better", "worse", "equivalent", "undecided")
             if found.get(k, 0)]
    return f"Of {_count(len(counted), 'comparison')}: " + ", ".join(parts)


def forest_alt(cells: pd.DataFrame) -> str:
    """The finding, and every row's change with its interval."""
    _need(cells)
    metric, scale = _one(cells, "metric"), _one(cells, "scale")
    name = SCORES.get(metric, (metric.replace("_", " "),))[0]
    rows = []
    for _, cell in cells.iterrows():
        where = f"{cell['treatment']} against {cell['control']} on {cell['data']}"
        if not math.isfinite(cell["effect"]):
            rows.append(f"{where}: no effect can be computed")
            continue
        trivial = cell["control"] == "trivial predictor"
        rows.append(f"{where}: {interval({**cell, 'metric': 'error'} if trivial else cell)}, "
                    f"{_kind_words(cell)}")
    return f"Forest plot of the {name}. {forest_finding(cells)}. " + "; ".join(rows) + "."


def _lines(cells: pd.DataFrame):
    """Lines of a forest plot: (text, cell), or (heading, None) above each comparison."""
    lines = []
    keys = ["treatment", "control", "minus_treatment", "minus_control", "minus_data"]
    for (treatment, control, less, less_control, other), rows in cells.groupby(keys, sort=False):
        parts = [treatment, f"against {control}"]
        if less:
            parts += [f"less {less}", f"against {less_control}" + (f" on {other}" if other else "")]
        # Names may take two fifths of the width; longer ones get lines of their own.
        whole = " ".join(parts)
        lines += [(text, None) for text in ([whole] if len(whole) <= NAME else [
            line for part in parts for line in textwrap.wrap(
                part.replace("[", " [").replace(",", ", "), NAME)])]
        lines += [(cell["data"], cell) for _, cell in rows.iterrows()]
    return lines


def _kind(cell) -> str:
    if cell["position"] in ("for", "against", "uninformative"):
        return cell["position"]
    if cell["region"]:
        return "open"
    return "decided" if cell["label"] in LETTERS else "undecided"


def _kind_words(cell) -> str:
    kind = _kind(cell)
    return cell["label"] if kind in ("decided", "undecided") else MARKERS[kind][2]


def _ticks(low: float, high: float) -> list[float]:
    """Round per-cent changes between two logarithms."""
    grids = ([-20, -15, -10, -5, 0, 5, 10, 15, 20, 25], 
             [-60, -50, -40, -30, -20, -10, 0, 10, 25, 50, 75, 100, 150],
             [-80, -60, -40, -20, 0, 30, 60, 100, 200, 300],
             [-99, -95, -80, -50, 0, 100, 400, 1900, 9900])
    grid = grids[int(np.searchsorted([0.4, 1.0, 2.2], high - low))]
    places = [math.log1p(g / 100) for g in grid]
    return [p for p in places if low <= p <= high]


# The forest of the answers

def answers(cells: pd.DataFrame) -> Figure:
    """Every comparison of every answer with its interval, the best first, below the answer's name.

    Narrow enough for a telephone. What leaves the axis ends at its edge.

    Args:
        cells: rows of a table of cells, effects as log ratios of errors, with one column more:
            `answer`, its name.

    Raises:
        ValueError: no rows, or an effect that is no log ratio.
    """
    _need(cells)
    if set(cells["scale"]) != {"log ratio"}:
        raise ValueError("this figure needs effects on the log-ratio scale. "
                         f"Received: {sorted(set(cells['scale']))}")
    low, high = math.log(0.4), math.log(2.5)
    names, y, used = list(dict.fromkeys(cells["answer"])), 0.0, {}
    # In lines: a name takes three, a comparison one.
    height = len(cells) + 3.2 * len(names)
    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(4.5, 0.068 * height + 1.55), layout="constrained")
        axes = figure.add_subplot()
        for name in names:
            mine = cells[cells["answer"] == name].sort_values("effect", ascending=False)
            axes.text(0, y + 2.1, name, transform=axes.get_yaxis_transform(), size=8.5, va="bottom")
            y += 2.9
            # A line of zero for each answer, so that none runs through a name.
            axes.plot([0, 0], [y - 0.5, y + len(mine) - 0.5], color=QUIET, lw=0.8, zorder=1)
            for cell in mine.to_dict("records"):
                kind = (direction(cell), cell["label"] in ("better", "worse"))
                marker, filled, colour, _ = DIRECTIONS[kind]
                axes.barh(y, 2 * cell["margin"], left=-cell["margin"], height=1, color=BAND, zorder=0)
                middle, *ends = np.clip([-cell["effect"], -cell["high"], -cell["low"]], low, high)
                axes.plot(ends, [y, y], color=colour, lw=1.1, solid_capstyle="butt", zorder=2)
                used[kind] = axes.plot(
                    [middle], [y], marker, color=colour, ms=3.8, zorder=3, mew=0.9,
                    mfc=colour if filled else PANEL, mec=colour, ls="none")[0]
                y += 1
            y += 0.3
        axes.set_xlim(low - 0.03, high + 0.03)
        axes.set_ylim(y + 0.4, 0)
        axes.set_yticks([])
        axes.spines[["top", "right", "left"]].set_visible(False)
        ticks = [-60, -40, -20, 0, 25, 60, 150]
        axes.set_xticks([math.log1p(t / 100) for t in ticks], [signed(t, " %") for t in ticks], size=8)
        axes.tick_params(top=True, labeltop=True)
        axes.set_xlabel("change of the test error   (← better)", size=8.5)
        figure.suptitle(answers_finding(cells), x=0.01, ha="left", size=9.5, weight="bold")
        shown = [kind for kind in DIRECTIONS if kind in used]
        figure.legend([*(used[kind] for kind in shown), matplotlib.patches.Patch(color=BAND)],
                      [*(DIRECTIONS[kind][3] for kind in shown), "margin: too small to matter"],
                      loc="outside lower left", ncols=2, frameon=False, fontsize=7.5,
                      handletextpad=0.5, columnspacing=1.2)
    return figure


def direction(cell: Mapping) -> str:
    """`better` or `worse` where the whole interval is on one side of zero, `same` where it lies within
    the margin, else `unclear`."""
    if cell["label"] == "equivalent":
        return "same"
    return {"+": "better", "-": "worse"}.get(cell["sign"], "unclear")


def answers_finding(cells: pd.DataFrame) -> str:
    """How many of the answers' changes lower errors, raise them, do both, or neither."""
    _need(cells)
    found = cells.assign(way=cells.apply(direction, axis=1)).groupby("answer", sort=False)["way"].agg(set)
    better, worse = (found.map(lambda ways, way=way: way in ways) for way in ("better", "worse"))
    return (f"Of {_count(len(found), 'change')}, {int((better & ~worse).sum())} only lowered the error, "
            f"{int((worse & ~better).sum())} only raised it,\n{int((better & worse).sum())} did both and "
            f"{int((~better & ~worse).sum())} neither")


def answers_alt(cells: pd.DataFrame) -> str:
    """The finding, and every answer's best and worst change with its interval."""
    rows = []
    for name, mine in cells.groupby("answer", sort=False):
        ends = [mine.loc[mine["effect"].idxmax()], mine.loc[mine["effect"].idxmin()]]
        rows.append(f"{name}: {_count(len(mine), 'comparison')}, from " + " to ".join(
            f"{interval(cell)} on {cell['data']}" for cell in ends))
    finding = answers_finding(cells).replace("\n", " ")
    return f"Forest plot of the test error. {finding}. " + "; ".join(rows) + "."


def interval(cell: Mapping) -> str:
    """A comparison's change of the score with its interval, in few characters."""
    middle, *ends = (change(float(cell[k]), cell["metric"], cell["scale"])
                     for k in ("effect", "low", "high"))
    low, high = sorted(ends)
    unit = " %" if cell["scale"] in RATIOS else ""
    return f"{signed(middle, unit)} ({signed(low)} to {signed(high, unit)})"


# Dose and response

def dose_response(doses: pd.DataFrame) -> Figure:
    """Mean test errors by the value of a sweep: a panel per data set, a line per experiment.

    Args:
        doses: columns `experiment`, `key`, `dose` (a number), `data`, `mean`, `low`, `high`.

    Raises:
        ValueError: no rows, or more than one key.
    """
    _need(doses)
    key = _one(doses, "key")
    names, sets = list(dict.fromkeys(doses["experiment"])), list(dict.fromkeys(doses["data"]))
    colours = sns.color_palette("colorblind", len(names))
    with matplotlib.rc_context(_STYLE):
        columns = min(2, len(sets))
        rows = -(-len(sets) // columns)
        figure = Figure(figsize=(0.5 + 3.1 * columns, 0.7 + 2.4 * rows), layout="constrained")
        for axes, data in zip(figure.subplots(rows, columns, squeeze=False).flat, sets, strict=False):
            for colour, marker, name in zip(colours, "os^Dv<>p" * len(names), names, strict=False):
                mine = doses[(doses["data"] == data) & (doses["experiment"] == name)].sort_values("dose")
                if len(mine):
                    axes.errorbar(mine["dose"], mine["mean"], [mine["mean"] - mine["low"],
                                  mine["high"] - mine["mean"]], color=colour, marker=marker, ms=4.5,
                                  lw=1.4, capsize=2, label=name)
            values = sorted(set(doses["dose"]))
            if values[0] > 0 and values[-1] / values[0] > 3:
                axes.set_xscale("log")
            axes.xaxis.set_major_locator(FixedLocator(values))
            axes.xaxis.set_minor_locator(NullLocator())
            axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}"))
            axes.set_title(data, size=9)
            axes.set_xlabel(key.rpartition(".")[2].replace("_", " "), size=8.5)
            axes.spines[["top", "right"]].set_visible(False)
        for axes in figure.axes[len(sets):]:
            axes.remove()
        for axes in figure.axes[::columns]:
            axes.set_ylabel("mean test error", size=8.5)
        handles = {label: handle for axes in figure.axes for handle, label in
                   zip(*axes.get_legend_handles_labels(), strict=True)}
        figure.suptitle(textwrap.fill(dose_finding(doses), 42 * columns), x=0.01, ha="left", size=9.5,
                        weight="bold")
        figure.legend(handles.values(), handles, loc="outside lower left", ncols=2, frameon=False,
                      fontsize=8)
    return figure


def dose_finding(doses: pd.DataFrame) -> str:
    """Per data set, at which dose which experiment has the least error."""
    best = doses.loc[doses.groupby("data", sort=False)["mean"].idxmin()]
    return "Least error: " + "; ".join(
        f"{row['experiment']} at {row['dose']:g} ({row['data']})" for _, row in best.iterrows())


def dose_alt(doses: pd.DataFrame) -> str:
    """The finding, and every mean with its interval."""
    key = _one(doses, "key")
    rows = [f"{r['experiment']} on {r['data']} at {r['dose']:g}: {r['mean']:.3g} ({r['low']:.3g} to "
            f"{r['high']:.3g})" for _, r in doses.iterrows()]
    return f"Mean test error by {key}. {dose_finding(doses)}. " + "; ".join(rows) + "."


# Learning curves

class _Picture(Figure):
    """A figure that a notebook shows as PNG with its alternative text, whatever its backend."""

    alt = ""

    def _repr_mimebundle_(self, include=None, exclude=None):
        data = base64.b64encode(png(self)).decode("ascii")
        return ({"image/png": data, "text/plain": self.alt}, {"image/png": {"alt": self.alt}})


def learning_curves(curves: pd.DataFrame) -> Figure:
    """Validation loss by epoch: a thin line per seed, the median of all seeds thick.

    One panel per data set and variant. The median training loss is dashed. In a notebook the
    figure shows itself, with its alternative text.

    Args:
        curves: columns `data`, `variant`, `seed`, `epoch`, `train_loss`, `validation_loss`;
            one line per variant, data set and seed.

    Raises:
        ValueError: no rows.
    """
    _need(curves)
    panels = list(curves.groupby(["data", "variant"], sort=False))
    columns = min(2, len(panels))
    rows = -(-len(panels) // columns)
    with matplotlib.rc_context(_STYLE):
        figure = _Picture(figsize=(0.4 + 3.3 * columns, 0.5 + 2.1 * rows), layout="constrained")
        figure.alt = learning_curves_alt(curves)
        grid = figure.subplots(rows, columns, squeeze=False).flat
        first = {}
        for axes, ((data, variant), mine) in zip(grid, panels, strict=False):
            # A diverged seed has no finite loss; it has no line from there on.
            mine = mine.replace([np.inf, -np.inf], np.nan)
            for _, seed in mine.groupby("seed"):
                axes.plot(seed["epoch"], seed["validation_loss"], color=TREATMENT, lw=0.5,
                          alpha=0.3, rasterized=True)
            median = mine.groupby("epoch")[["train_loss", "validation_loss"]].median()
            axes.plot(median.index, median["validation_loss"], color=TREATMENT, lw=2,
                      label="validation, median; thin: each seed")
            axes.plot(median.index, median["train_loss"], color=CONTROL, lw=1.4, ls="--",
                      label="training, median")
            if np.nanmin(mine[["train_loss", "validation_loss"]].to_numpy(), initial=np.inf) > 0:
                axes.set_yscale("log")
                axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 3, 5)))
                axes.yaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}"))
                axes.yaxis.set_minor_locator(NullLocator())
            if data in first:
                axes.sharey(first[data])
            first.setdefault(data, axes)
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
            best, heading = _best_epoch(median), f"{data}, {variant}" if variant else data
            title = f"{heading}: best at epoch {best}" if best else heading
            # The names of a sweep's variants may be longer than a panel is wide.
            axes.set_title(textwrap.fill(title.replace(",", ", ").replace(",  ", ", "), 44),
                           size=8 if variant else 9)
            axes.spines[["top", "right"]].set_visible(False)
            axes.tick_params(labelsize=8)
            axes.set_xlabel("epoch", size=8.5)
            axes.set_ylabel("loss", size=8.5)
        for axes in figure.axes[len(panels):]:
            axes.set_axis_off()
        handles, words = figure.axes[0].get_legend_handles_labels()
        figure.legend(handles, words, loc="outside lower left", ncols=2, frameon=False, fontsize=8)
    return figure


def learning_curves_alt(curves: pd.DataFrame) -> str:
    """Per data set and variant: where the median validation loss is least, and where it ends."""
    _need(curves)
    parts = []
    for (data, variant), mine in curves.groupby(["data", "variant"], sort=False):
        mine = mine.replace([np.inf, -np.inf], np.nan)
        median = mine.groupby("epoch")[["train_loss", "validation_loss"]].median()
        best, where = _best_epoch(median), f"{data}, {variant}" if variant else data
        seeds = _count(mine["seed"].nunique(), "seed")
        parts.append(
            f"on {where} ({seeds}) the median validation loss is least at epoch {best} of "
            f"{median.index.max()} ({median['validation_loss'].loc[best]:.3g}) and ends at "
            f"{median['validation_loss'].iloc[-1]:.3g}" if best else
            f"on {where} ({seeds}) no loss is finite")
    return "Learning curves: " + "; ".join(parts) + "."


def _best_epoch(median: pd.DataFrame) -> int | None:
    losses = median["validation_loss"]
    return int(losses.idxmin()) if losses.notna().any() else None


# Words and checks

def _need(table: pd.DataFrame) -> None:
    if not len(table):
        raise ValueError("a figure needs at least one row. Received: none")


def _one(table: pd.DataFrame, column: str) -> str:
    values = list(dict.fromkeys(table[column]))
    if len(values) != 1:
        raise ValueError(f"a forest plot needs one {column}. Received: {', '.join(values)}")
    return values[0]


def signed(value: float, unit: str = "") -> str:
    """A number with its sign, no more digits than it deserves."""
    text = f"{value:+.0f}" if abs(value) >= 9.95 else f"{value:+.1f}" if abs(value) >= 0.05 else (
        f"{value:+.2g}" if value else "0")
    text = text.removesuffix(".0")
    return text.replace("-", "−") + unit


def _whole(value: float) -> str:
    return "0" if abs(value) < 0.5 else f"{value:+.0f}".replace("-", "−")


def _percent(effect: float) -> str:
    value = 100 * math.expm1(-effect)
    return f"{abs(value):.0f} % {'lower' if value < 0 else 'higher'}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
