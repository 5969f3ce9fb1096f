"""`readings.yaml` → frozen specs whose names exist, and one readable message for each mistake."""

import pydantic
import pytest

from pipeline.config.errors import ConfigError
from pipeline.config.readings import check_claims, read_claims
from pipeline.config.schema import parse

CLAIM = """
- slug: bn_after_lstm
  rows: [A2]
  who: Q
  says: It is sensible.
  topic: sequences
  predicts: {by: thread, region: better}
  findings:
    - {treatment: a, control: b, minus: {treatment: c, control: d}}
  data: [waves]
"""
PARAMS = parse({
    "data": {"waves": {"group": "sequences", "source": "noise", "seeds": 3}},
    "layers": {},
    "experiments": {
        "a": {"data": "waves", "layers": ["Dense"]}, "b": {"of": "a"}, "c": {"of": "a"}, "d": {"of": "a"},
        "swept": {"of": "a", "vary": {"epochs": [1, 2]}},
        "placed": {"of": "a", "everywhere": "Dropout"}},
    "train": {"epochs": 2, "batch_size": 8, "optimizer": "Adam", "learning_rates": [0.01]},
    "verdicts": {"controls": ["a"]}, "probe": {"experiments": ["b"]}})


@pytest.fixture
def read(tmp_path):
    def read_text(text):
        (tmp_path / "readings.yaml").write_text(text)
        return read_claims(tmp_path / "readings.yaml")

    return read_text


def message(call, *arguments):
    with pytest.raises(ConfigError) as error:
        call(*arguments)
    assert "\n" not in str(error.value)
    return str(error.value).partition("readings.yaml: ")[2]


def replaced(old, new):
    assert CLAIM.count(old) == 1
    return CLAIM.replace(old, new)


def test_claims_are_read(read):
    found, = read(CLAIM)
    assert found.findings[0].minus.control == "d"
    assert (found.predicts.quantifier, found.endpoint, found.metric) == ("one", "best", "error")
    assert found.experiments == ["a", "b", "c", "d"]
    with pytest.raises(pydantic.ValidationError, match="frozen"):
        found.slug = "other"


MISTAKES = [
    ("rows:", "row:", "bn_after_lstm: unknown key 'row'; allowed: slug, rows, who, says, topic, predicts, "
     "findings, beside, explains, needs, checks, data, metric, endpoint, probe, identity, because, analogue, primary; did you mean "
     "'rows'?"),
    ("region: better", "region: beter", "bn_after_lstm.predicts.region: found 'beter'; allowed: 'better', "
     "'worse', 'much_worse', 'useless', 'positive', 'equivalent', 'not_worse', 'not_better', 'differs', 'more' or 'less'; did you "
     "mean 'better'?"),
    ("control: d", "contrl: d", "bn_after_lstm.findings[0].minus: unknown key 'contrl'; allowed: treatment, "
                                "control, data; did you mean 'control'?"),
    ("control: b", "contrl: b", "bn_after_lstm.findings[0]: unknown key 'contrl'; allowed: treatment, "
                                "control, minus, slope, called, endpoint; did you mean 'control'?"),
    ("by: thread, ", "by: thread, sure: 1, ",
     "bn_after_lstm.predicts: unknown key 'sure'; allowed: by, region, quantifier"),
    ("control: b", "control: a", "bn_after_lstm.findings[0]: found 'a' twice; a comparison needs two arms"),
    ("treatment: a", "treatment: A b",
     "bn_after_lstm.findings[0]: found 'A b'; allowed: name, or name[variant]"),
    ("  data:", "  checks: [x]\n  data:", "bn_after_lstm: found findings and checks; exactly one of findings, "
                                         "checks decides a claim"),
    ("  predicts: {by: thread, region: better}\n", "",
     "bn_after_lstm: predicts is missing; a comparison needs a predicted region"),
    ("better}", "equivalent}\n  metric: zero_share", "bn_after_lstm: predicts.region: found 'equivalent'; allowed for zero_share: more, less, differs"),
    ("[waves]", "[a, a]", "bn_after_lstm: data: found ['a', 'a']; a data set may stand once"),
    ("[waves]", "waves", "bn_after_lstm.data: found 'waves'; allowed: a list"),
    ("[waves]", "[]", "bn_after_lstm.data: found []; allowed: at least 1 entry"),
    ("[A2]", "['']", "bn_after_lstm.rows[0]: found ''; allowed: text that matches ^[A-Z]\\d+$"),
    ("[A2]", "['<b>']", "bn_after_lstm.rows[0]: found '<b>'; allowed: text that matches ^[A-Z]\\d+$"),
    ("slug: bn_after_lstm", "slug: BN after", "BN after.slug: found 'BN after'; allowed: text that matches "
                                              "^[a-z0-9_]{1,100}$"),
    ("slug: bn_after_lstm", "slug: 3", "claim 1.slug: found 3; allowed: a word"),
    ("slug: bn_after_lstm\n  ", "", "claim 1.slug: missing; it is required"),
    ("who: Q", "who: .nan", "bn_after_lstm.who: found .nan; allowed: a word"),
    ("who: Q", "1: Q", "bn_after_lstm: found the key 1; allowed: slug, rows, who, says, topic, predicts, "
     "findings, beside, explains, needs, checks, data, metric, endpoint, probe, identity, because, analogue, primary"),
]


@pytest.mark.parametrize(("old", "new", "expected"), MISTAKES, ids=[new for _, new, _ in MISTAKES])
def test_a_mistake_in_a_claim(read, old, new, expected):
    assert message(read, replaced(old, new)) == expected


@pytest.mark.parametrize(("text", "expected"), [
    (CLAIM + CLAIM, "the slug 'bn_after_lstm' stands twice; a slug may stand once"),
    ("a: b", 'found {"a": "b"}; allowed: a list'),
    ("", "found nothing; allowed: a list"),
])
def test_a_file_that_is_no_list_of_claims(read, text, expected):
    assert message(read, text) == expected
    assert message(read, "- 3").startswith("claim 1: found 3; it needs a mapping with: slug, rows, ")


@pytest.mark.parametrize(("old", "new"), [
    ("a, control: b", "'swept[epochs=1]', control: 'swept[epochs=2]'"),
    ("a, control: b", "'swept[tuned]', control: b"),
    ("a, control: b", "'placed[after Dense_1]', control: 'placed[first]'"),
    ("a, control: b", "'a[repetition=1]', control: a"),
    ("a, control: b, minus: {treatment: c, control: d}", "'b[Dense_1]', control: 'b[any]'"),
])
def test_names_of_experiments_and_variants_that_exist(read, old, new):
    text = replaced(f"treatment: {old}", f"treatment: {new}")
    check_claims(read(text + ("  probe: true\n" if "[any]" in new else "")), PARAMS)


@pytest.mark.parametrize(("old", "new", "expected"), [
    ("treatment: a", "treatment: aa", "findings[0].treatment: there is no experiment 'aa'; did you mean 'a'?"),
    ("control: d", "control: swep", "findings[0].minus.control: there is no experiment 'swep'; did you mean "
                                    "'swept'?"),
    ("control: b", "control: swept", "findings[0].control: found 'swept'; allowed: swept[epochs=1], "
     "swept[epochs=2], swept[tuned], swept[rates]; did you mean 'swept[tuned]'?"),
    ("control: b", "control: 'b[epochs=1]'", "findings[0].control: found 'b[epochs=1]'; allowed: b"),
    ("control: b", "control: 'b[repetition=1]'", "findings[0].control: found 'b[repetition=1]'; allowed: b"),
    ("control: b", "control: 'placed[after Dense_2]'", "findings[0].control: found 'placed[after Dense_2]'; "
     "allowed: placed[first], placed[after Dense_1], placed[tuned], placed[rates]; did you mean "
     "'placed[after Dense_1]'?"),
    ("[waves]", "[wave]", "data: there is no data set, family or stratum 'wave'; did you mean 'waves'?"),
    ("control: d}", "control: d, data: wave}",
     "findings[0].minus.data: there is no data set, family or stratum 'wave'; did you mean 'waves'?"),
])
def test_names_that_do_not_exist(read, old, new, expected):
    assert message(check_claims, read(replaced(old, new)), PARAMS) == f"bn_after_lstm.{expected}"


def test_every_mistake_of_every_claim_is_told(read):
    text = CLAIM.replace("treatment: a", "treatment: aa").replace("control: d", "control: swep")
    with pytest.raises(ConfigError) as error:
        check_claims(read(text + CLAIM.replace("slug: bn", "slug: other").replace("[waves]", "[wave]")), PARAMS)
    assert [str(one).partition(": there")[0] for one in error.value.each] == [
        f"book/readings.yaml: {place}" for place in (
            "bn_after_lstm.findings[0].treatment", "bn_after_lstm.findings[0].minus.control", "other_after_lstm.data")]
    with pytest.raises(ConfigError) as error:
        check_claims(read(CLAIM.replace("data: [waves]", "probe: true")), PARAMS)
    assert len(error.value.each) == 3 and all("the probe does not watch" in str(one) for one in error.value.each)
    with pytest.raises(ConfigError) as error:
        read(CLAIM.replace("rows:", "row:") + CLAIM.replace("who: Q", "who: 3"))
    assert len(error.value.each) == 2
