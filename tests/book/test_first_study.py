"""The table of the first study is taken from its stored tables, and from nothing else."""

import subprocess
from pathlib import Path

import pandas as pd
import pytest

from pipeline.book.first_study import COLUMNS, COMMIT, FILE, PATIENCE, from_history, read, summary
from pipeline.tables.stored import write_table

ROOT = Path(__file__).parents[2]
SAYS = {"measured": "It helps.", "exact": "It is so."}


def verdicts():
    row = {"way": "", "reads": "", "scope": "", "k": 1, "fragile": False}
    return pd.DataFrame([{"slug": "measured", "verdict": "supported", "D": 2, "F": 1, "A": 0} | row,
                         {"slug": "exact", "verdict": "true", "D": 0, "F": 0, "A": 0} | row])


def cell(data, effect, treatment="bn", **more):
    return {"claim": "measured", "treatment": treatment, "control": "plain", "minus_treatment": "", "minus_control": "",
            "minus_data": "", "data": data, "metric": "error", "scale": "log ratio", "seeds": 30,
            "effect": effect} | more


def run(experiment, data, best, error=0.1, variant="", last=20, diverged=False):
    return {"experiment": experiment, "variant": variant, "data": data, "best_epoch": best, "last_epoch": last,
            "diverged": diverged, "best_error": error, "trivial_error": 0.5}


def made(cells, runs):
    return summary(verdicts(), pd.DataFrame(cells), pd.DataFrame(runs), SAYS).set_index("slug")


def test_what_a_claim_rested_on():
    found = made([cell("vowels", -0.1), cell("tabular", 0.3, seeds=60)],
                 [run("plain", "vowels", 5), run("bn", "vowels", 15), run("bn", "tabular", 3), run("plain", "tabular", 3)])
    row = found.loc["measured"]
    assert (row["data"], row["sets"], row["real"], row["seeds"]) == ("vowels, tabular", 2, 1, 60)
    assert (row["least"], row["greatest"], row["says"], row["D"]) == (-0.1, 0.3, "It helps.", 2)
    exact = found.loc["exact"]
    assert (exact["verdict"], exact["data"], exact["metric"]) == ("true", "", "") and pd.isna(exact["sets"])


def test_a_run_whose_best_epoch_is_among_the_last_was_still_learning():
    found = made([cell("vowels", 0.1)], [
        run("bn", "vowels", 20), run("bn", "vowels", 21 - PATIENCE), run("bn", "vowels", 20 - PATIENCE),
        run("bn", "vowels", 1), run("plain", "vowels", 1), run("bn", "tabular", 20), run("other", "vowels", 20)])
    row = found.loc["measured"]
    assert (row["learning_treatment"], row["learning_control"]) == (0.5, 0.0)


def test_a_run_worse_than_guessing_is_counted_once_and_a_diverged_one_not():
    bad = [run("bn", "vowels", 1, error=0.6), run("bn", "vowels", 1, error=9.0, diverged=True)]
    # The same runs stand on both sides of two comparisons.
    cells = [cell("vowels", 0.1), cell("vowels", 0.1, treatment="plain", control="bn")]
    assert made(cells, [*bad, run("plain", "vowels", 1)]).loc["measured", "beyond_trivial"] == 1


def test_an_arm_names_its_variant_and_an_interaction_names_four_arms():
    runs = [run("bn", "vowels", 20, variant="size=8"), run("bn", "vowels", 1, variant="size=32"),
            run("plain", "vowels", 1), run("other", "power", 20), run("base", "power", 20)]
    one = made([cell("vowels", 0.1, treatment="bn[size=8]")], runs).loc["measured"]
    assert one["learning_treatment"] == 1.0
    # Without a variant of that name, all variants are meant.
    assert made([cell("vowels", 0.1, treatment="bn[tuned]")], runs).loc["measured", "learning_treatment"] == 0.5
    both = made([cell("vowels", 0.1, minus_treatment="other", minus_control="base", minus_data="power")],
                runs).loc["measured"]
    assert both["learning_treatment"] == pytest.approx(2 / 3, abs=1e-3) and both["learning_control"] == 0.5


def test_the_stored_table_agrees_with_itself():
    found = read(ROOT / FILE)
    assert found["slug"].is_unique and (found["F"] + found["A"] <= found["D"]).all()
    measured = found[found["sets"].notna()]
    assert (measured["real"] <= measured["sets"]).all() and (measured["least"] <= measured["greatest"]).all()
    assert (measured["sets"] == measured["data"].str.split(", ").str.len()).all()
    assert set(found.loc[found["sets"].isna(), "verdict"]) == {"true", "false"}


def test_another_file_is_refused_and_none_is_empty(tmp_path):
    assert list(read(tmp_path / "none.csv").columns) == COLUMNS
    (tmp_path / "other.csv").write_text("slug,verdict\na,b\n")
    with pytest.raises(ValueError, match=r"other\.csv: found columns slug, verdict; allowed: slug, says"):
        read(tmp_path / "other.csv")


def test_the_stored_table_is_that_of_the_history(tmp_path):
    if subprocess.run(["git", "-C", ROOT, "cat-file", "-e", COMMIT], check=False, stderr=subprocess.DEVNULL).returncode:
        pytest.skip("this copy does not have the commit of the first study")
    write_table(from_history(ROOT), tmp_path / "again.csv")
    assert (tmp_path / "again.csv").read_bytes() == (ROOT / FILE).read_bytes()
