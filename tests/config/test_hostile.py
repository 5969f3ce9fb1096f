"""Whatever params.yaml and readings.yaml hold, they are a valid spec or get one message."""

import re

import pytest
from hypothesis import given

from pipeline.config.errors import ConfigError, complain, validate
from pipeline.config.read_yaml import DEEPEST, MOST_BYTES, read_yaml
from pipeline.config.readings import Claim, check_claims, read_claims
from pipeline.config.sweeps import MOST_VARIANTS
from pipeline.config.references import NAME
from pipeline.config.schema import Params, load, parse
from tests.hostile import SCRIPT, answer, changed_bytes, counted, mutated

TEXT = """\
data:
  waves: {group: sequences, source: forecast, seeds: 3, train: {epochs: 5}, arguments: {noise: 0.1}, title: waves}
  table: {group: tables, source: tabular, seeds: 4}
  own: {group: tables, file: a.csv, target: y, seeds: 3, missing: {x: drop}, split: {train: 0.5}, leave_out: [z]}
  air: {of: own, window: 4, horizon: 2, time: t, resample: 1h, missing: {carry: 3}, leave_out: null}
  pictures: {group: images, file: a.npz, images: true, seeds: 3}
layers:
  conv: {Conv1D: {filters: 3, kernel_size: [2]}}
  bn: BatchNormalization
  both: {Bidirectional: {layer: {LSTM: {units: 3}}}}
experiments:
  cnn: {data: sequences, layers: [conv, {2: [both, bn]}, {Activation: relu}], title: A network, note: It is one.}
  cnn_bn: {of: cnn, data: waves, after: {conv: bn}, set: {conv.filters: 4}, epochs: 7}
  cnn_swept: {of: cnn, vary: {conv.filters: [2, 3], batch_size: [4, 8]}, optimizer: {SGD: {momentum: 0.9}}}
  bn_anywhere: {of: cnn, everywhere: bn, quantiles: [0.1, 0.9]}
  mlp: {data: [tables, images], layers: [bn], head: sigmoid, learning_rate: 0.1}
train: {epochs: 2, batch_size: 8, optimizer: Adam, learning_rates: [0.01, 0.03]}
verdicts: {margin: 0.1, controls: [cnn]}
probe: {seeds: 12, experiments: [mlp]}
"""
CLAIMS = """\
- slug: bn_helps
  rows: [A1, B2]
  who: thread A, answer
  says: It helps.
  topic: order
  predicts: {by: thread, region: better, quantifier: some}
  findings: [{treatment: cnn_bn, control: cnn, minus: {treatment: 'cnn_swept[conv.filters=2,batch_size=4]', control: cnn}}]
  data: [waves]
  because: So it is said.
- slug: exact
  rows: [A2]
  who: Q
  says: Nothing happens.
  topic: mechanics
  checks: [never_added]
- slug: learns
  rows: [A3]
  who: Q
  says: It learns.
  topic: order
  predicts: {by: ours, region: better}
  findings: [{treatment: mlp, control: trivial predictor}]
  metric: loss
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("hostile")


@pytest.fixture(scope="module")
def written(folder):
    """What the good files hold, as YAML gives it."""
    for name, text in (("good.yaml", TEXT), ("readings.yaml", CLAIMS)):
        (folder / name).write_text(text)
    params = load(folder / "good.yaml")
    check_claims(read_claims(folder / "readings.yaml"), params)
    return read_yaml(folder / "good.yaml"), read_yaml(folder / "readings.yaml"), params


def is_moderate(params):
    """A spec that was taken asks for nothing that no machine has, and names no other file."""
    assert isinstance(params, Params)
    for name, data in params.data.items():
        assert NAME.match(name) and NAME.match(data.group)
        assert not hasattr(data, "file") or "://" in data.file or ".." not in data.file.split("/")
    for name in params.experiments:
        assert NAME.match(name)
        variants = params.sweep(name)
        assert len(variants) <= 1_001 + MOST_VARIANTS
        assert all(len(one.layers) <= 1_000 and SCRIPT not in one.name for one in variants)
        for one in params.data_sets(name):
            assert params.training(name, one).epochs <= 100_000


def test_any_mutation_of_params_is_a_spec_or_one_message(written):
    @counted(800)
    @given(mutated(written[0]))
    def check(content):
        if params := answer(parse, content):
            is_moderate(params)

    check()


def test_any_text_is_a_spec_or_one_message(folder):
    path = folder / "params.yaml"

    @counted(250)
    @given(changed_bytes(TEXT.encode()))
    def check(content):
        path.write_bytes(content)
        if params := answer(load, path):
            is_moderate(params)

    check()


def test_any_mutation_of_claims_is_claims_or_one_message(written):
    def taken(content):
        # As `read_claims` does, without the file, whose text takes most of the time.
        claims = [validate("readings.yaml", Claim, entry, (str(number),)) for number, entry in enumerate(content)]
        check_claims(claims, written[2])
        return claims

    @counted(300)
    @given(mutated(written[1]))
    def check(content):
        for claim in answer(taken, content) or ():
            assert NAME.match(claim.slug) and NAME.match(claim.topic)

    check()


def expanding(aliases):
    """A text whose aliases stand for 10¹⁰ entries."""
    lines = ["z0: &z0 [1, 1]", *(f"z{i + 1}: &z{i + 1} {aliases.format(', '.join([f'*z{i}'] * 10))}" for i in range(10))]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(("text", "words"), [
    (expanding("[{}]"), "it stands for more than 200000 entries"),
    (expanding("[{}]").replace("[1, 1]", "{a: 1}").replace("[*", "{<<: [*").replace("0]", "0]}").replace("]\n", "]}\n"),
     "it stands for more than 200000 entries"),
    ("data: &a [*a]\n", "an entry holds itself"),
    ("data: &a {b: *a}\n", "an entry holds itself"),
    ("a: " + "[" * (DEEPEST + 1) + "]" * (DEEPEST + 1), "nested too deeply"),
    ("a: " + "[" * 5_000, "nested too deeply"),
    ("a: " + "x" * MOST_BYTES, f"longer than {MOST_BYTES} bytes"),
    ("data: !!python/object/apply:os.system ['touch hacked']", "could not determine a constructor for the tag"),
    ("data: !!python/name:os.system", "could not determine a constructor for the tag"),
    ("data: " + "9" * 5_000, "digits"),
    ('"\\ud800": 1', "with half a character"),
    ('data: "a\\udfff"', "with half a character"),
])
def test_a_text_that_asks_for_more_than_it_says_is_refused(tmp_path, monkeypatch, text, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text(text)
    with pytest.raises(ConfigError, match=re.escape(words)):
        read_yaml(tmp_path / "params.yaml")
    assert [path.name for path in tmp_path.iterdir()] == ["params.yaml"]


def test_moderate_aliases_are_what_they_stand_for(tmp_path):
    (tmp_path / "a.yaml").write_text("a: &a [1, 2]\nb: [*a, *a]\nc: {<<: &m {d: 1}, e: 2}\n")
    assert read_yaml(tmp_path / "a.yaml") == {"a": [1, 2], "b": [[1, 2], [1, 2]], "c": {"d": 1, "e": 2}}


@pytest.mark.parametrize("error", ["a\nb", "\x1b[31mred", "half \ud800", "x" * 100_000])
def test_a_message_is_one_line_that_can_be_printed(capsys, error):
    assert complain(ConfigError(error)) == 1
    printed = capsys.readouterr().err
    assert printed.startswith("error: ") and printed.count("\n") == 1 and len(printed) < 5_000
    assert printed[:-1].isprintable()
