"""Certificates are shown as they are stored, and that there is none."""

import json
from dataclasses import replace

import pytest

from pipeline.book.pages.certificates import write
from pipeline.book.study import read
from pipeline.tables.stored import Damaged

FOUND = {"processor": "A processor", "instructions": "avx2", "python": "3.11.1", "cores": 2,
         "settings": {"TRAIN_THREADS": "1"}, "versions": {"numpy": "1.0"}, "seed": 7, "stored_seeds": 400,
         "sampled_seeds": 50, "chance_of_one_in_a_hundred": 0.4141, "runs": 200, "identical": 199, "largest": 0.0123,
         "median": 0, "tests": [], "differing": ["one on digits, seed 3001, rate 0.01: best_loss"],
         "says": "not reproduced", "verdicts_changed": ["a_claim: supported → undecided"]}


def text(study, **changes):
    return write(replace(study, certificates={"mine": FOUND | changes}))["generated/certificates.md"]


def test_a_certificate_is_a_row(study):
    row = next(line for line in text(study).splitlines() if line.startswith("| mine"))
    assert [cell.strip() for cell in row.strip("|").split("|")] == [
        "mine", "A processor (avx2)", "`TRAIN_THREADS=1`", "199 of 200 runs", "1.2\u00a0%, 0", "not reproduced",
        "a_claim: supported → undecided"]
    assert "50 of 400 seeds" in text(study) and "with a chance of 41\u00a0%" in text(study)
    assert ":::{dropdown} 1 run of mine" in text(study) and "- one on digits, seed 3001, rate 0.01: best_loss" in text(study)
    assert "| none |" in text(study, verdicts_changed=[], differing=[])


def test_the_tests_of_other_bits_are_told(study):
    test = {"family": "images", "seeds": 12, "references": 90, "p_shift": 0.31, "p_excess": 0.92}
    found = text(study, tests=[test])
    row = next(line for line in found.splitlines() if line.startswith("| images"))
    assert [cell.strip() for cell in row.strip("|").split("|")] == ["images", "12", "0.31", "0.92", "90"]


def test_without_a_certificate_that_is_said(study):
    assert write(study)["generated/certificates.md"] == "No certificate is stored yet.\n"


def test_a_certificate_that_is_no_json_is_refused_by_name(project):
    folder = project / "results/certificates"
    folder.mkdir()
    (folder / "avx2.json").write_text(json.dumps(FOUND))
    assert read(project).certificates == {"avx2": FOUND}
    (folder / "avx2.json").write_text(json.dumps(FOUND)[:-1])
    with pytest.raises(Damaged, match="avx2.json: it is no JSON"):
        read(project)
