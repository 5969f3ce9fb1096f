"""Results in words."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from difflib import SequenceMatcher

from pipeline.book.study import Study, counted
from pipeline.spec.claims import Claim, base
from pipeline.spec.layers import words
from pipeline.spec.metrics import METRICS, SCORES, metric_of
from pipeline.spec.params import Experiment, Params, Train
from pipeline.spec.tables import TRIVIAL
from pipeline.verdicts.rule import Rule


def sentence(cell: Mapping, rule: Rule = Rule()) -> str:
    """A cell in words, e.g. "12 % lower test error (95 % interval 8 % to 16 %)".

    Args:
        cell: a row of `cells` or `comparisons`.
        rule: for the confidence; the interval holds for all cells of the claim together.
    """
    effect, low, high = (float(cell[name]) for name in ("effect", "low", "high"))
    if not math.isfinite(effect):
        return f"no effect can be computed: {cell['why']}"
    spec = metric_of(cell["metric"])
    one_sided = cell["control"] == TRIVIAL
    interval = (f"{_number(100 * (1 - rule.alpha))} % "
                + ("one-sided bounds" if one_sided else "interval"))
    name = spec.name
    if spec.scale == "median":
        than = "that of the other contrast" if cell["minus_treatment"] else "the control's"
        gain = "the gain in the " if cell["minus_treatment"] else ""
        return (f"{gain}{name} is {_factor(effect)} times {than} (median; {interval} "
                f"{_factor(low)} to {_factor(high)})")
    if cell["minus_treatment"]:
        if spec.scale == "log ratio":
            return (f"{name}: the ratio of control to treatment is {_factor(effect)} times that "
                    f"of the other contrast ({interval} {_factor(low)} to {_factor(high)})")
        unit, times = ("points", 100) if _in_points(cell["metric"]) else ("", 1)
        values = [f"{times * v:+.3g}".replace("-", "−") for v in (effect, low, high)]
        unit = f" {unit}" if unit else ""
        gain = "gain" if cell["metric"] in METRICS else "change"
        return (f"{name}: the {gain} differs from that of the other contrast by "
                f"{values[0]}{unit} ({interval} {values[1]} to {values[2]}{unit})")
    if cell["scale"] == "log ratio":
        # ln(control / treatment): the treatment's score is exp(-effect) of the control's.
        low, high = sorted(-math.expm1(-v) for v in (low, high))
        effect, unit, times = -math.expm1(-effect), " %", 100
    elif _in_points(cell["metric"]) and not one_sided:
        unit, times = " points", 100
    else:
        unit, times = "", 1
    more, less = ("higher", "lower")
    if cell["metric"] in ("epochs_to_target", "divergence", "failure", "parameters"):
        more, less = ("more", "fewer")
    up, down = (less, more) if spec.lower else (more, less)
    name += f" than the {TRIVIAL}" if one_sided else ""
    number = _number if times == 100 else "{:.3g}".format

    def part(value, word=False):
        amount = f"{number(abs(times * value))}{unit}"
        amount = "1 point" if amount == "1 points" else amount
        return f"{amount} {up if value >= 0 else down}" if word else amount

    if cell["metric"] == "parameters":
        return "as many parameters" if effect == 0 else f"{part(effect, True)} {name}"
    if low < 0 < high:
        bounds = f"{part(low, True)} to {part(high, True)}"
    elif effect >= 0:
        bounds = f"{part(low)} to {part(high)}"
    else:
        bounds = f"{part(high)} to {part(low)}"
    return f"{part(effect, True)} {name} ({interval} {bounds})"


def _in_points(metric: str) -> bool:
    return metric in ("divergence", "failure", "minority_recall", "calibration_error")


def _number(value: float) -> str:
    """At most one decimal below 10, none above."""
    text = f"{value:.0f}" if abs(value) >= 9.95 else f"{value:.1f}"
    return text.removesuffix(".0")


def _factor(value: float) -> str:
    return f"{math.exp(value):.2f}"


LETTERS = {"better": "B", "worse": "W", "equivalent": "E"}
#: Scales whose effects are logarithms of ratios.
RATIOS = ("log ratio", "median")


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


def direction(cell: Mapping) -> str:
    """`better` or `worse` where the whole interval is on one side of zero, `same` where it lies within
    the margin, else `unclear`."""
    if cell["label"] == "equivalent":
        return "same"
    return {"+": "better", "-": "worse"}.get(cell["sign"], "unclear")


def interval(cell: Mapping) -> str:
    """A comparison's change of the score with its interval, in few characters."""
    middle, *ends = (change(float(cell[k]), cell["metric"], cell["scale"])
                     for k in ("effect", "low", "high"))
    low, high = sorted(ends)
    unit = " %" if cell["scale"] in RATIOS else ""
    return f"{signed(middle, unit)} ({signed(low)} to {signed(high, unit)})"


def signed(value: float, unit: str = "") -> str:
    """A number with its sign, no more digits than it deserves."""
    text = f"{value:+.0f}" if abs(value) >= 9.95 else f"{value:+.1f}" if abs(value) >= 0.05 else (
        f"{value:+.2g}" if value else "0")
    text = text.removesuffix(".0")
    return text.replace("-", "−") + unit


def whole(value: float) -> str:
    return "0" if abs(value) < 0.5 else f"{value:+.0f}".replace("-", "−")


def percent(effect: float) -> str:
    value = 100 * math.expm1(-effect)
    return f"{abs(value):.0f} % {'lower' if value < 0 else 'higher'}"


def count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


THREADS = {
    "A": ("Batch normalization layer for CNN-LSTM", None),
    "B": ("Where do I call the BatchNormalization function in Keras?",
          "https://stackoverflow.com/questions/34716454/"
          "where-do-i-call-the-batchnormalization-function-in-keras")}
BADGES = {"supported": "primary", "true": "primary", "contradicted": "warning", "false": "warning",
          "mixed": "info", "undecided": "secondary", "not measured": "light"}
REGIONS = {
    "better": "{name} {down} by more than the margin",
    "worse": "{name} {up} by more than the margin",
    "equivalent": "{name} the same, within the margin",
    "not_worse": "{name} not {up} by more than the margin",
    "not_better": "{name} not {down} by more than the margin",
    "differs": "{name} different by more than the margin, in either direction",
    "positive": "{name} {down}, however little"}
QUANTIFIERS = {"generally": "in at least half of the comparisons (and in two, if there are), and against it in none",
               "some": "in at least one comparison", "always": "in every comparison"}
_NAMES = {name.lower(): name for name in (
    "BN", "LSTM", "Conv1D", "Conv2D", "MLP", "ReLU", "SELU", "SE")}


def chain(experiment: Experiment) -> str:
    """The layers in the network's order, and a head that is not the usual one."""
    text = " → ".join(words(experiment.layers))
    if experiment.head:
        head = experiment.head
        text += " → output → " + (head if isinstance(head, str) else " → ".join(words(head)))
    return f"`{text}`"


def changed(params: Params, treatment: str, control: str) -> str:
    """What a treatment does to its control, in words."""
    if control == TRIVIAL:
        return f"{chain(params.experiments[base(treatment)])} instead of guessing"
    new, old = (params.experiments[base(n)] for n in (treatment, control))
    a, b = words(old.layers), words(new.layers)
    parts = []
    if a != b and sorted(a) == sorted(b):
        parts.append(f"{chain(new)} instead of {chain(old)}")
    elif a != b:
        for kind, i1, i2, j1, j2 in SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
            gone, come = _code(a[i1:i2]), _code(b[j1:j2])
            if kind == "insert":
                parts.append(f"{come} after {_code(b[j1 - 1:j1])}" if j1 else f"{come} first")
            elif kind == "replace":
                parts.append(f"{come} instead of {gone}")
            elif kind == "delete":
                parts.append(f"without {gone}")
    if new.head != old.head and new.head:
        parts.append("output " + _code([new.head] if isinstance(new.head, str) else
                                       words(new.head)))
    parts += [f"`{k}: {getattr(new, k)}`" for k in Train.model_fields
              if getattr(new, k, None) is not None and getattr(new, k) != getattr(old, k)]
    if "[" in treatment:
        parts.append("at `" + treatment.partition("[")[2].rstrip("]").replace("=", " = ") + "`")
    return ", ".join(dict.fromkeys(parts)) or "the same network"


def _code(names: Sequence[str]) -> str:
    return "`" + " → ".join(names) + "`"


def verdict_words(row: Mapping) -> str:
    """A verdict with its badge, its direction and its scope."""
    reads = row["reads"] or row["verdict"]
    text = f"{{bdg-{BADGES[row['verdict']]}}}`{reads}`"
    text += f" {row['way']}." if row["way"] else ""
    return text + (" {bdg-danger-line}`fragile`" if row["fragile"] else "")


def verdict_sentence(claim: Claim, row: Mapping) -> str:
    """How many comparisons the verdict rests on."""
    if row["verdict"] == "not measured":
        return "No stored result decides this claim yet."
    if claim.checks:
        number = len(claim.checks)
        return (f"{count(number, 'exact check')} {'decides' if number == 1 else 'decide'} it; "
                "no statistics are needed.")
    d, f, a = (int(row[k]) for k in "DFA")
    if d == 0:
        return "No comparison can show anything, so nothing is decided."
    sets = f" on {row['scope']}" if row["scope"] else ""
    return (f"{f} of {count(d, 'comparison')}{sets} came out as predicted, {a} did not, "
            f"{d - f - a} stayed open.")


def prediction(claim: Claim) -> str:
    """What is predicted, how generally, and by whom."""
    if claim.predicts is None:
        return "An identity: it holds exactly, or it does not."
    name, lower = metric_words(claim.metric)
    up, down = ("higher", "lower") if lower else ("lower", "higher")
    if claim.metric in ("epochs_to_target", "divergence", "parameters"):
        up, down = "more", "fewer"
    # Of a measure, a positive effect is a larger value.
    if claim.metric not in METRICS:
        up, down = "smaller", "larger"
    region = REGIONS[claim.predicts.region].format(name=name, up=up, down=down)
    if claim.baseline:
        region = region.replace("by more than the margin", f"than the {TRIVIAL} scores")
    who = ("The thread's prediction" if claim.predicts.by == "thread" else
           "Our prediction, as the thread makes none")
    text = f"{who}: {region}, {QUANTIFIERS[claim.predicts.quantifier]}."
    if claim.probe:
        text += " Measured inside the networks while they train, on a few seeds."
    return text + (f" Measured at the {claim.endpoint} epoch." if claim.endpoint != "best" else "")


def metric_words(name: str) -> tuple[str, bool]:
    known = METRICS.get(name)
    return (known.name, known.lower) if known else (name.replace("_", " "), True)


def short(slug: str) -> str:
    """A slug as a few words, for lists of links."""
    text = " ".join(_NAMES.get(word, word) for word in slug.split("_"))
    return capital(text)


def threads(rows: Iterable[str]) -> str:
    """The threads that rows of the ledger come from, by name."""
    names = []
    for letter in dict.fromkeys(row[0] for row in rows):
        title, link = THREADS.get(letter, (letter, None))
        names.append(f"[“{title}”]({link})" if link else f"“{title}”")
    return " and ".join(names)


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def question(study: Study, topic: str) -> str:
    """The practitioner's question that a chapter answers."""
    found = study.answers.get(topic)
    return found["question"] if found else capital(topic.replace("_", " "))


def effect(study: Study, found: Mapping) -> str:
    """An answer's effect with its interval, in plain words: the best comparison and the worst."""
    cells = counted(found["cells"])
    if not len(cells):
        return "exact" if found["claim"].checks else "–"
    ends = [cells.iloc[0], *([cells.iloc[-1]] if len(cells) > 1 else [])]
    lead = "between " if len(ends) > 1 else ""
    return lead + " and ".join(
        f"{sentence(cell, study.rule)} on {cell['data']}" for cell in ends)


def sureness(study: Study, found: Mapping) -> str:
    """How sure an answer is: its verdict, what it rests on, and whether it is fragile."""
    claim, row = found["claim"], found["row"]
    text = verdict_words(row)
    if claim.checks or not row["D"]:
        return text
    seeds = sorted({int(n) for n in study.claim_cells(claim)["seeds"]})
    many = f"{seeds[0]}" if len(seeds) == 1 else f"{seeds[0]} to {seeds[-1]}"
    return (f"{text} {int(row['F'])} of {count(int(row['D']), 'comparison')} as predicted, "
            f"{int(row['A'])} against; {many} seeds each")
