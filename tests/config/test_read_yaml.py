"""Mistakes of YAML in words, and the line of every place that a message names."""

import pytest
from ruamel.yaml import YAML

from pipeline.config.errors import ConfigError, Mistakes, complain
from pipeline.config.read_yaml import conflict, line_of, read_yaml
from pipeline.config.schema import PARAMS

#: Text → line, and what is said of it.
BROKEN = {
    "a key without a colon": ("train:\n  epochs 2\n  batch_size: 8\n", 2, "'epochs 2'; a ':' is missing"),
    "a section without a colon": ("train\n  epochs: 2\n", 1, "'train'; a ':' is missing"),
    "a key before a list": ("a: {data: x, layers [b]}\n", 1, "a ':' or a ',' is missing before '['"),
    "three spaces": ("experiments:\n  a: {data: x}\n   b: {of: a}\n", 3, "found 3 spaces before 'b: {of: a}', and 2 in"),
    "three spaces inside": ("experiments:\n  a:\n    data: x\n   layers: [b]\n", 4, "found 3 spaces before 'layers: [b]', and 4"),
    "three spaces first": ("experiments:\n   a: {data: x}\n  b: {of: a}\n", 3, "found 2 spaces before 'b: {of: a}', and 3 in"),
    "a tab": ("experiments:\n\ta: {data: x}\n", 2, "found a tab; allowed: spaces"),
    "a tab behind spaces": ("experiments:\n  a:\n  \tdata: x\n", 3, "found a tab; allowed: spaces"),
    "no space behind a colon": ("a:\n  of:cnn\n  data: x\n", 2, "found 'of:cnn'; a space is missing behind 'of:'"),
    "curly quotes": ("a: {data: x, title: “a: b”}\n", 1, "“ and ” are letters to YAML"),
    "an open brace": ("a: {data: x, layers: [b]\nb: {of: a}\n", 1, "a '{' that opens here is not closed"),
    "an open bracket": ("a: {data: x, layers: [b}\nb: {of: a}\n", 1, "found '}', where '[' is not closed yet"),
    "a brace too many": ("a: {data: x, layers: [b]}}\n", 1, "found '}', which nothing opens"),
    "an open quote": ("x: 1\na: {title: \"abc}\nb: {of: a}\n", 2, "a quote that opens here is not closed"),
    "no comma": ("a: {data: x layers: [b]}\n", 1, "a ',' is missing before the key"),
    "a colon in a text": ("a:\n  title: BN: before or after\n", 2, "allowed: a text that holds one in quotes"),
    "a sign that begins nothing": ("a: @b\n", 1, "'@' that cannot start any token; allowed: such a text in quotes"),
    "a conflict": ("a:\n<<<<<<< HEAD\n  b: 1\n=======\n  b: 2\n>>>>>>> other\n", 2, "git left both sides of a conflict"),
    "bytes": ("a: 1\nb: \udcff\n", 2, "found the byte 0xff; allowed: text in UTF-8"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_mistake_of_yaml_is_said_in_words_with_its_line(tmp_path, name):
    text, line, words = BROKEN[name]
    path = tmp_path / "file.yaml"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ConfigError) as error:
        read_yaml(path)
    found = str(error.value)
    assert found.startswith(f"{path}, line {line}: ") and words in found and "\n" not in found


def test_a_conflict_is_told_from_an_underlined_text():
    assert conflict("a: 1\n======= b\n") is None and conflict("=======\n") == 1


TEXT = """\
data: {waves: {group: a},
  tides: {group: b}}
experiments:
  net: {data: waves,
        layers: [conv,
                 {2: [bn, relu]}]}
  net_two:
    of: net
    set:
      lstm.units: 3
    "set.x": 1
copy: &c {x: 1}
again: *c
"""


@pytest.mark.parametrize(("place", "line"), [
    ("data", 1), ("data.waves.group: found 3", 1), ("data.tides.group: found 3", 2), ("experiments.net: x", 4),
    ("experiments.net.layers[0]: x", 5), ("experiments.net.layers[1].2[1]: unknown", 6), ("experiments.net.layers[7]", 5),
    ("experiments.net_two.set: x", 9), ("experiments.net_two.set.lstm.units: x", 10), ("experiments.net_two.set.x: y", 11),
    ("experiments.net_two.versus: it is not there", 7), ("experiments.ne", 3), ("nothing.at.all", 0), ("again.x", 12),
])
def test_the_line_of_a_place_or_of_the_innermost_one_around_it(tmp_path, place, line):
    path = tmp_path / "params.yaml"
    path.write_text(TEXT)
    assert line_of(path, place) == line


def test_a_claim_is_found_by_its_slug_or_its_number(tmp_path):
    path = tmp_path / "claims.yaml"
    path.write_text("- slug: one\n  rows: [A]\n- rows: [B]\n  contrasts:\n    - {control: x}\n")
    assert [line_of(path, place) for place in ("one.rows: x", "claim 2.contrasts[0].control", "claim 3")] == [2, 5, 0]


def test_every_entry_of_the_study_is_found_on_its_line():
    written = YAML().load(PARAMS.read_text(encoding="utf-8"))
    for section in ("data", "layers", "experiments"):
        for name in written[section]:
            # Round trip: another part of ruamel knows the lines, too.
            assert line_of(PARAMS, f"{section}.{name}") == written[section].lc.key(name)[0] + 1


def test_messages_are_printed_in_the_order_of_the_file_each_once(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text(TEXT)
    errors = [ConfigError("params.yaml: experiments.net.layers[0]: b"), ConfigError("params.yaml: data.tides: a"),
              ConfigError("params.yaml: experiments.net_two: c", at="params.yaml: experiments.net_two.set"),
              ConfigError("params.yaml: data.tides: a"), ConfigError("plan/net.json: there is no such file")]
    assert complain(Mistakes(errors)) == 1
    assert capsys.readouterr().err.splitlines() == [
        "error: params.yaml, line 2: data.tides: a", "error: params.yaml, line 5: experiments.net.layers[0]: b",
        "error: params.yaml, line 9: experiments.net_two: c", "error: plan/net.json: there is no such file"]
