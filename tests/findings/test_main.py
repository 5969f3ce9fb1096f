"""The stage as a whole, on a small study; and the files that a person writes."""

import hashlib
import json
import math
from pathlib import Path

import pandas as pd
import pytest

from pipeline.config.errors import ConfigError
from pipeline.config.readings import check_claims, read_changes, read_claims
from pipeline.config.schema import load
from pipeline.findings.__main__ import main, read
from pipeline.findings.record import of_experiment, tables
from pipeline.tables.schemas import FOUND, STORED
from pipeline.tables.stored import read_table
from tests.findings.conftest import CLAIMS, DATA
from tests.findings.made import RULE
from tests.locked import lock


def digests():
    return {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in Path("results/findings").iterdir()}


def test_the_stage_writes_every_table_the_same_twice(project, capsys):
    assert main() == 0, capsys.readouterr().err
    first = digests()
    assert {path.name for path in first} == {table.path().name for table in FOUND.values()} | {"metrics.json"}
    for table in FOUND.values():
        assert list(read_table(table.path()).columns) == list(table.columns)
    assert main() == 0 and digests() == first


def test_claims_read_what_was_found(project):
    assert main() == 0
    found = read_table(FOUND["readings"].path()).set_index("slug")
    assert found.reading.to_dict() == {"it_helps": "agrees", "it_is_coming": "being measured", "it_holds": "true"}
    row = read_table(FOUND["findings"].path()).set_index("role").loc["versus"]
    assert (row["id"], row["word"], row["scope"]) == ("new_or_old_tables", "better", "family")
    assert row["q"] == row["p"] and row["same_sign"] == 1
    assert row["sentence"].startswith("On tables, ")


def test_no_two_rows_of_a_finding_have_different_words(project):
    assert main() == 0
    words = read_table(FOUND["findings"].path()).set_index(["id", "stratum"]).word
    assert words.index.is_unique
    for part in read_table(FOUND["parts"].path()).itertuples():
        assert part.word == words[part.id, part.stratum]


def test_the_study_in_a_few_numbers(project):
    assert main() == 0
    assert json.loads(Path("results/findings/metrics.json").read_text()) == {
        "claims": {"agrees": 1, "being measured": 1, "true": 1}, "words": {"better": 1}, "A/A": 1.0}


def test_one_experiment_alone_says_the_same(project):
    assert main() == 0
    runs = pd.concat([read_table(STORED["runs"].path(name)) for name in ("old", "new")])
    findings, sets = of_experiment("new", load(), runs, RULE)
    stored = read_table(FOUND["findings"].path())
    stored = stored[stored.role == "versus"].iloc[0]
    alone, = findings.to_dict("records")
    assert (alone["id"], alone["word"], alone["sentence"]) == (stored["id"], stored["word"], stored["sentence"])
    assert alone["effect"] == pytest.approx(stored["effect"], rel=1e-5) and len(sets) == len(DATA)
    assert alone["of_half"] == pytest.approx(stored["of_half"], rel=1e-5) and math.isnan(alone["q"])


def test_a_mistake_is_one_message_and_nothing_is_written(project, capsys):
    Path("book/readings.yaml").write_text(CLAIMS.replace("treatment: new", "treatment: newt"))
    assert main() == 1
    assert capsys.readouterr().err == (
        "error: book/readings.yaml, line 3: it_helps.findings[0].treatment: there is no experiment 'newt'; did you mean 'new'?\n")
    assert not Path("results/findings").exists()


def test_a_changed_table_of_runs_is_refused(project, capsys):
    path = STORED["runs"].path("new")
    lock(train=([], [path.parent]))
    path.write_text(path.read_text().replace("0.01", "0.02", 1))
    assert main() == 1 and "its content is not what was stored" in capsys.readouterr().err


def test_without_claims_everything_else_is_found(project):
    found = tables(read(load(), RULE), [], {})
    assert set(found) == set(FOUND) - {"changes"} and found["readings"].empty and len(found["findings"]) == 3


# The claims of the study

NEW = {one.slug: one for one in read_claims()}


def test_the_claims_of_the_study_name_what_exists():
    check_claims(list(NEW.values()), load())


def test_every_change_of_a_claim_is_of_one_that_there_is():
    changed = [one.slug for one in read_changes()]
    assert len(set(changed)) == len(changed) and set(changed) <= set(NEW)


def test_a_claim_with_several_findings_never_averages_them():
    for one in NEW.values():
        assert all(asked.called for asked in one.findings) or len(one.findings) == 1


@pytest.mark.parametrize(("change", "message"), [
    (("findings: [{treatment: new, control: old}]",
      "findings: [{treatment: new, control: old}, {treatment: later, control: old}]"), "each needs `called`"),
    (("control: old}]", "control: old, slope: x, minus: {treatment: new, control: old}}]"), "found minus and slope")])
def test_a_mistake_in_a_claim_is_named(tmp_path, change, message):
    path = tmp_path / "readings.yaml"
    path.write_text(CLAIMS.replace(*change, 1))
    with pytest.raises(ConfigError, match=f"it_helps.*{message}"):
        read_claims(path)
    path.write_text("slug: x")
    with pytest.raises(ConfigError, match="allowed: a list"):
        read_changes(path)
