"""What others found is checked as it is read."""

from pathlib import Path

import pytest

from pipeline.book.evidence import check_claims, read_evidence
from pipeline.config.errors import ConfigError
from pipeline.config.read_yaml import read_yaml
from pipeline.config.readings import read_claims

ROOT = Path(__file__).parents[2]
PAIR = """
- rows: [B5]
  says: It halves the error.
  cite: someone2000
  comparison: a network
  treatment_error: 0.1
  control_error: 0.2
  claims: [it_helps]
  turned: [it_harms]
- {rows: [A1], says: It is known., cite: other_2001}
"""
CLAIM = """
- slug: {slug}
  rows: [{row}]
  who: someone
  says: It is so.
  topic: order
  metric: {metric}
  predicts: {{by: ours, region: better}}
  findings: [{{treatment: one, control: two}}]
"""


def folder(path, evidence):
    (path / "book").mkdir()
    (path / "book/evidence.yaml").write_text(evidence)
    (path / "book/references.bib").write_text("@misc{someone2000,\n}\n@inproceedings{other_2001,\n}\n")
    return path


def claims(path, slugs=("it_helps", "it_harms"), metric="error", row="B5"):
    (path / "claims.yaml").write_text("".join(CLAIM.format(slug=slug, metric=metric, row=row) for slug in slugs))
    return read_claims(path / "claims.yaml")


def test_a_project_without_findings_has_none(tmp_path):
    assert read_evidence(tmp_path) == ()


@pytest.mark.parametrize(("old", "new", "message"), [
    ("cite: someone2000", "cite: someone_200", r"\[0\].cite: found 'someone_200'.*did you mean 'someone2000'"),
    ("control_error: 0.2", "control_error: 20", r"\[0\].control_error: found 20.*below 1"),
    ("  control_error: 0.2\n", "", r"\[0\].*control_error missing"),
    ("  claims: [it_helps]\n  turned: [it_harms]\n", "", r"\[0\].*claims or turned missing"),
    ("treatment_error", "treatment_eror", r"unknown key 'treatment_eror'.*did you mean 'treatment_error'"),
    ("rows: [B5]", "rows: [C5]", r"\[0\].rows\[0\]")])
def test_a_mistake_is_answered_with_its_place(tmp_path, old, new, message):
    assert old in PAIR
    with pytest.raises(ConfigError, match=message):
        read_evidence(folder(tmp_path, PAIR.replace(old, new)))


def test_a_file_is_a_list(tmp_path):
    with pytest.raises(ConfigError, match="needs a list"):
        read_evidence(folder(tmp_path, "rows: [B5]\n"))


def test_an_effect_speaks_to_claims_on_errors_of_its_rows(tmp_path):
    found = read_evidence(folder(tmp_path, PAIR))
    check_claims(found, claims(tmp_path))
    with pytest.raises(ConfigError, match="turned: found 'it_harms'; there is no such claim; did you mean"):
        check_claims(found, claims(tmp_path, ("it_helps", "it_harm")))
    with pytest.raises(ConfigError, match="claims: found 'it_helps', a claim about loss; allowed"):
        check_claims(found, claims(tmp_path, metric="loss"))
    with pytest.raises(ConfigError, match="a claim of row A7; allowed: claims of row B5"):
        check_claims(found, claims(tmp_path, row="A7"))


def test_the_findings_of_this_book_speak_to_its_claims():
    found = read_evidence(ROOT)
    check_claims(found, read_claims(ROOT / "book/readings.yaml"))
    written = read_yaml(ROOT / "book/evidence.yaml")
    assert len(found) == len(written) > 20
    # An error rate is 1 less an accuracy that its sentence, or an earlier one of its source, prints.
    said = ""
    for entry in written:
        said = said + entry["says"] if "comparison" in entry else said
        for name in ("treatment_error", "control_error"):
            if name in entry:
                accuracy = 1 - entry[name]
                assert f"{accuracy:.3f}" in said or f"{100 * accuracy:.1f} %" in said, entry
