"""Claims on disk, and their mistakes."""

import pytest

from pipeline.spec.base import ConfigError
from pipeline.spec.claims import read_claims


CLAIM = """
- slug: bn_after_lstm
  rows: [A2]
  who: Q
  says: It is sensible.
  topic: sequences
  predicts: {by: thread, region: better}
  contrasts:
    - {treatment: a, control: b, minus: {treatment: c, control: d}}
  data: [forecast]
"""


def test_claims_are_read(tmp_path):
    path = tmp_path / "claims.yaml"
    path.write_text(CLAIM)
    found, = read_claims(path)
    assert found.contrasts[0].minus.control == "d"
    assert (found.predicts.quantifier, found.endpoint, found.metric) == (
        "generally", "best", "error")
    with pytest.raises(ValueError, match="frozen"):
        found.slug = "other"


@pytest.mark.parametrize("old, new, message", [
    ("rows:", "row:", "claims.yaml: bn_after_lstm.row: unknown key; .*did you mean 'rows'"),
    ("region: better", "region: beter", r"bn_after_lstm.predicts.region: found 'beter'.*"
                                        "did you mean 'better'"),
    ("control: d", "contrl: d", r"contrasts\[0\].minus.contrl: unknown key; allowed: "
                                  "treatment, control, data; did you mean 'control'"),
    ("by: thread, ", "by: thread, sure: 1, ", "predicts.sure: unknown key; allowed: by, region"),
    ("control: b", "control: a", r"contrasts\[0\]: found 'a' twice"),
    ("treatment: a", "treatment: A b", r"found 'A b'; allowed: name, or name\[variant\]"),
    ("  data:", "  checks: [x]\n  data:", "found contrasts, checks; exactly one of"),
    ("  predicts: {by: thread, region: better}\n", "", "predicts is missing"),
    ("better}", "equivalent}\n  metric: zero_share", "cannot show it"),
    ("[forecast]", "[a, a]", "a data set may stand once"),
    (CLAIM, CLAIM + CLAIM, "the slug 'bn_after_lstm' stands twice"),
    (CLAIM, "a: b", "allowed: a list of claims"),
    (CLAIM, "- 3", "claim 1: found 3"),
])
def test_mistakes_in_claims_are_named(tmp_path, old, new, message):
    path = tmp_path / "claims.yaml"
    path.write_text(CLAIM.replace(old, new, 1) if old != CLAIM else new)
    with pytest.raises(ConfigError, match=message):
        read_claims(path)
