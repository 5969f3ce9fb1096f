"""The answer in the terminal says what the comparison's numbers say, and draws them in their place."""

import io
import math
import re
import sys

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from pipeline.cli import answer
from pipeline.cli.answer import NAME, WIDTH, main, plot
from pipeline.tables.news import NEW
from pipeline.tables.store import STORE
from pipeline.tables.stored import COLUMNS, RUNS, RUNS_TABLE, write_tables
from pipeline.config.schema import load, parse
from tests.locked import lock

PARAMS = """
data:
  waves: {group: sequences, source: forecast, seeds: 8, unit: waves}
  tides: {group: sequences, source: forecast, seeds: 8, unit: tides}
layers: {}
experiments:
  plain: {data: sequences, layers: [LSTM]}
  new_one: {data: sequences, layers: [LSTM], versus: plain}
  on_tides: {data: tides, layers: [LSTM], versus: plain}
  swept: {data: sequences, layers: [LSTM], versus: plain, vary: {epochs: [1, 2]}}
train: {epochs: 1, batch_size: 8, optimizer: Adam, learning_rates: [0.01]}
"""
#: The error of an arm over that of the control, on each data set.
FACTORS = {"plain": (1, 1), "new_one": (0.5, 1.5), "on_tides": (None, 1.02), "swept": (0.5, 2.0)}


def runs(name):
    """Runs of an experiment: errors around 1, which differ a little from seed to seed."""
    rows = []
    for variant in ("epochs=1", "epochs=2") if name == "swept" else ("",):
        for data, factor in zip(("waves", "tides"), FACTORS[name], strict=True):
            errors = 1 + 0.02 * np.random.default_rng(list(FACTORS).index(name)).standard_normal(8)
            factor = factor and factor * (0.7 if variant == "epochs=2" else 1)
            rows += [{"experiment": name, "variant": variant, "data": data, "seed": seed,
                      "learning_rate": 0.01, "chosen": True, "stopped": 1, "hit_limit": False,
                      "diverged": False, "best_error": factor * error, "last_error": factor * error,
                      "best_loss": factor, "last_loss": factor, "best_train_loss": factor,
                      "last_train_loss": factor, "trivial_error": 4.0, "test_size": 100, "key": f"{name} {variant} {data} {seed}"}
                     for seed, error in enumerate(errors) if factor]
    return pd.DataFrame(rows).reindex(columns=COLUMNS)


@pytest.fixture
def study(tmp_path, monkeypatch):
    """A folder with params.yaml and the runs of its experiments."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text(PARAMS)
    for name in FACTORS:
        write_tables(RUNS / name, {RUNS_TABLE: runs(name)})
    return tmp_path


@pytest.fixture
def say(monkeypatch, capsys):
    """Runs the command; gives its exit code, and what it printed and complained of."""
    def say(*given):
        monkeypatch.setattr("sys.argv", ["answer", *given])
        return main(), *capsys.readouterr()

    return say


def drawn(text, name):
    """The row of a plot that begins with a name."""
    row, = (line for line in text.splitlines() if line.startswith(f"  {name}  ") and "●" in line)
    return row


# --- an experiment ------------------------------------------------------------------------------

def test_each_data_set_is_said_in_words_and_drawn_in_a_row(study, say):
    code, out, err = say("new_one")
    assert (code, err) == (0, "")
    words = " ".join(out.replace("\u00a0", " ").split())
    # exp(-effect) is the ratio of the mean errors, 0.5 and 1.5 but for the seeds' spread.
    control, own = (runs(name).groupby("data")["best_error"].mean() for name in ("plain", "new_one"))
    lower, higher = (round(100 * abs(own[data] / control[data] - 1)) for data in ("waves", "tides"))
    assert f"on waves: −{lower} % (" in words and f"on tides: +{higher} % (" in words
    assert "), better" in words and "), worse" in words
    waves, tides = drawn(out, "waves"), drawn(out, "tides")
    assert waves.index("●") < tides.index("●")
    zero = waves.index("│")
    assert tides.index("│") == zero and waves.index("●") < zero < tides.index("●")
    for row in (waves, tides):
        assert row.count("┊") == 2 and row.index("┊") < zero < row.rindex("┊")
    assert max(map(len, out.splitlines())) <= WIDTH
    assert "build/html/experiments/sequences.html#experiment-new-one" in out
    assert "(once `make book` has built it)" in out


def test_its_words_and_sentences_are_the_findings_own(study, say):
    params = load()
    findings, sets = answer.compared("swept", params, answer._stored("swept", params))
    words = " ".join(say("swept")[1].split())
    for sentence in findings["sentence"]:
        assert " ".join(sentence.split()) in words
    findings, sets = answer.compared("new_one", params, answer._stored("new_one", params))
    words = " ".join(say("new_one")[1].split())
    for row in sets.to_dict("records"):
        assert f"on {row['data']}: " in words and f", {row['word']}" in words


def test_the_page_is_the_one_that_the_book_has(study, say):
    page = study / "build/html/experiments/sequences.html"
    page.parent.mkdir(parents=True)
    page.write_text('<span id="experiment-new-one"></span>')
    assert "once `make book`" not in say("new_one")[1]


def test_a_sweep_has_its_variants_the_best_first(study, say):
    out = say("swept")[1]
    assert "sequences: best epochs=2, worst epochs=1" in out
    first, second = drawn(out, "epochs=1"), drawn(out, "epochs=2")
    assert second.index("●") < first.index("●") and out.index("epochs=2: On") < out.index("epochs=1: On")


def test_an_experiment_is_answered_on_its_own_data_sets_alone(study, say):
    out = " ".join(say("on_tides")[1].split())
    assert "on tides: " in out and "waves" not in out and "no difference that matters" in out
    assert "average" not in out


def test_a_control_has_nothing_to_be_compared_with(study, say):
    code, out, _ = say("plain")
    assert code == 0 and out.strip().startswith("plain is compared with nothing")


def test_a_terminal_without_these_characters_gets_others(study, monkeypatch):
    monkeypatch.setattr("sys.argv", ["answer", "new_one"])
    plain = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", plain)
    assert main() == 0
    plain.seek(0)
    text = plain.read()
    assert "[-" in text and "o" in text and "?" not in text


@pytest.fixture
def placed(study):
    """The study with an experiment that tries two places, the second the better one on both sets."""
    (study / "params.yaml").write_text(PARAMS.replace(
        "train:", "  anywhere: {of: plain, everywhere: Dropout}\ntrain:"))
    tables = []
    for number, (place, factor) in enumerate((("first", 1.3), ("after LSTM_1", 0.7))):
        for data in ("waves", "tides"):
            noise = 1 + 0.02 * np.random.default_rng(number).standard_normal(8)
            tables.append(runs("plain").query(f"data == '{data}'").assign(
                experiment="anywhere", variant=place, best_error=factor * noise))
    write_tables(RUNS / "anywhere", {RUNS_TABLE: pd.concat(tables, ignore_index=True)})
    return study


def test_places_are_ranked(placed, say):
    out = say("anywhere")[1]
    assert out.index("after LSTM_1: On") < out.index("first: On")
    assert drawn(out, "after LSTM_1").index("●") < drawn(out, "first").index("●")


def test_mistakes_are_named(study, say):
    assert say("new_on")[::2] == (1, (
        "error: EXPERIMENT: there is no experiment 'new_on'; did you mean 'new_one'?\n"))
    assert say("plan")[2].endswith("did you mean 'plain'?\n")
    lock(plain=([], [RUNS / "plain"]))
    (RUNS / "plain" / RUNS_TABLE).write_text("changed\n")
    code, _, err = say("new_one")
    assert code == 1 and "its content is not what was stored" in err
    for path in (RUNS / "plain").iterdir():
        path.unlink()
    assert say("new_one")[2] == (f"error: {RUNS / 'plain' / RUNS_TABLE}: there are no runs; "
                                 "`make try EXPERIMENT=new_one` trains them\n")


@pytest.mark.parametrize("name", ["new_one", "swept"])
def test_data_of_ones_own_are_shown_and_averaged_nowhere(study, say, name):
    lines = re.sub(r"source: forecast, seeds: 8, unit: \w+}", "file: a.csv, target: y, window: 3, seeds: 8, own: true}",
                   (study / "params.yaml").read_text())
    (study / "params.yaml").write_text(lines)
    code, out, err = say(name)
    assert (code, err) == (0, "") and "average" not in out
    rows = [line for line in out.splitlines() if line.startswith("  tides  ") and "●" in line]
    assert "on waves: " in out and len(rows) == out.count("on tides: ") == (2 if name == "swept" else 1)


# --- what is new --------------------------------------------------------------------------------

def test_what_is_new_is_said_once_and_nothing_where_nothing_is(study, say, monkeypatch):
    assert say() == (0, "", "")
    STORE.mkdir()
    NEW.write_text("new_one\nremoved\non_tides\nnew_one\n")
    out = say()[1]
    assert [line for line in out.splitlines() if "against" in line] == [
        "new_one against plain", "on_tides against plain"]
    assert say() == (0, "", "")
    NEW.write_text("new_one\non_tides\n")
    assert "on_tides" not in say("new_one")[1]
    monkeypatch.setattr(answer, "MOST", 1)
    out = say()[1]
    assert "new_one against" in out and "on_tides" not in out
    assert "1 more are new: build/html/experiments.html" in out


def test_what_waits_for_its_control_says_so_and_the_others_are_said(study, say):
    (study / "params.yaml").write_text(PARAMS + "being_measured: [plain]\n")
    STORE.mkdir()
    NEW.write_text("new_one\n")
    # Runs on own data are runs: these are compared.
    assert "new_one against plain" in say()[1]
    write_tables(RUNS / "plain", {RUNS_TABLE: runs("plain").head(0)})
    NEW.write_text("new_one\n")
    code, out, err = say()
    assert (code, err) == (0, "") and "new_one is compared with plain, which is being measured" in out
    # Nor is anything said of what has no runs itself any more.
    (study / "params.yaml").write_text(PARAMS + "being_measured: [new_one]\n")
    write_tables(RUNS / "plain", {RUNS_TABLE: runs("plain")})
    write_tables(RUNS / "new_one", {RUNS_TABLE: runs("new_one").head(0)})
    NEW.write_text("new_one\n")
    assert say() == (0, "", "")
    # Asked by name, there is no answer.
    code, out, err = say("new_one")
    assert code == 1 and err.startswith("error: params.yaml, line 12: being_measured: new_one has no runs yet")


def test_what_could_not_be_said_is_said_the_next_time(study, say):
    STORE.mkdir()
    NEW.write_text("new_one\n")
    before = (RUNS / "plain" / RUNS_TABLE).read_text()
    (RUNS / "plain" / RUNS_TABLE).write_text("changed\n")
    assert say()[0] == 1
    (RUNS / "plain" / RUNS_TABLE).write_text(before)
    assert "new_one against plain" in say()[1]


# --- the plot -----------------------------------------------------------------------------------

def cells(*rows):
    return pd.DataFrame(rows, columns=["y", "low", "high", "margin"])


@pytest.mark.parametrize("seed", range(20))
def test_marks_are_in_the_order_of_their_values_and_in_proportion(seed):
    generator = np.random.default_rng(seed)
    low, effect, high = np.sort(generator.normal(0, 10.0 ** generator.integers(-2, 2), 3))
    margin = 0.1
    row, axis = plot(cells((effect, low, high, margin)), ["waves"])
    assert len(row) <= WIDTH and len(axis) <= WIDTH
    # The dot may stand on an end, and an interval may be as narrow as the dot.
    place = {mark: row.find(mark) for mark in "├●┤"}
    left, right = max(high, margin), min(low, -margin)
    scale = (WIDTH - len("  waves  ") - 5) / (left - right)
    # To the right the error is larger, so the effect smaller.
    for mark, value in (("├", high), ("┤", low)):
        if place[mark] >= 0:
            assert place["●"] - place[mark] == pytest.approx(scale * (value - effect), abs=1.01)
        else:
            assert scale * abs(value - effect) < 1.01


def test_an_interval_that_crosses_zero_or_a_margin_shows_it():
    row, _ = plot(cells((0.02, -0.3, 0.3, 0.1)), ["waves"])
    assert row.count("┼") == 3 and "│" not in row and "┊" not in row
    row, _ = plot(cells((0.02, -0.05, 0.06, 0.1)), ["waves"])
    assert row.count("┼") == 1 and row.count("┊") == 2


def test_the_axis_names_zero_the_shared_margin_and_its_ends():
    axis = plot(cells((0.5, 0.4, 0.6, math.log(1.1)), (-0.5, -0.6, -0.4, math.log(1.1))), ["a", "b"])[-1]
    # exp(-0.6) - 1 and exp(0.6) - 1; 1 / 1.1 - 1 and 1.1 - 1
    assert axis.split() == ["−45", "%", "−9", "%", "0", "+10", "%", "+82", "%"]


def test_a_long_name_is_cut():
    first, second, _ = plot(cells((0.1, 0.0, 0.2, 0.1), (0.3, 0.2, 0.4, 0.1)), ["x" * 40, "y"])
    assert first.startswith("  " + "x" * (NAME - 1) + "…") and "●" in second
