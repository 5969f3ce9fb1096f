"""YAML in, specs out, and one message for one mistake."""

import math
from typing import Annotated, Any, Literal

import pydantic
import pytest
from pydantic import Field

from pipeline.config.errors import (
    ConfigError, Spec, complain, explain, gathered, nearest, shown, tell, validate)
from pipeline.config.read_yaml import read_yaml


def message(call, *arguments):
    with pytest.raises(ConfigError) as error:
        call(*arguments)
    text = str(error.value)
    assert "\n" not in text and len(text) < 350
    return text


def test_nearest():
    assert nearest("epoch", ["epochs", "batch_size"]) == "; did you mean 'epochs'?"
    assert nearest("BATCH_SIZ", ["epochs", "batch_size"]) == "; did you mean 'batch_size'?"
    assert nearest("net", ["net_a", "other", "net_b"], most=2) == "; did you mean 'net_b' or 'net_a'?"
    assert nearest("zzz", ["epochs", "batch_size"]) == ""


def test_complain(capsys):
    assert complain(ConfigError("params.yaml: a mistake")) == 1
    assert capsys.readouterr() == ("", "error: params.yaml: a mistake\n")


# --- YAML --------------------------------------------------------------------------------------

def test_yaml_is_read_as_version_1_2(tmp_path):
    path = tmp_path / "file.yaml"
    path.write_text("switch: on\nanswer: no\nrate: 1e-3\noctal: 010\ntruth: true\ntime: 1:30\n")
    assert read_yaml(path) == {"switch": "on", "answer": "no", "rate": 0.001, "octal": 10,
                                      "truth": True, "time": "1:30"}


def test_a_file_that_cannot_be_read(tmp_path):
    missing, folder, bytes_ = (tmp_path / name for name in ("missing", "folder", "bytes"))
    folder.mkdir()
    bytes_.write_bytes(b"data: \xff\n")
    assert message(read_yaml, missing) == f"{missing}: there is no such file"
    assert message(read_yaml, folder).startswith(f"{folder}: cannot be read: ")
    assert message(read_yaml, bytes_).startswith(f"{bytes_}, line 1: found the byte 0xff; allowed: text in UTF-8")


@pytest.mark.parametrize("text", [
    f"count: {'9' * 5000}", "day: 2024-13-45", "? [a, b]\n: c", "[" * 600, "a: !!float x", "a: !!int x"])
def test_yaml_that_python_cannot_hold_is_a_mistake_like_any_other(tmp_path, text):
    path = tmp_path / "file.yaml"
    path.write_text(text)
    try:
        found = read_yaml(path)
    except ConfigError as error:
        assert str(error).startswith(f"{path}")
    else:
        assert not isinstance(found, float)


# --- values in messages ------------------------------------------------------------------------

@pytest.mark.parametrize(("value", "text"), [
    (None, "nothing"), ("word", "'word'"), (True, "true"), (3, "3"), ([1, "a"], '[1, "a"]'),
    ({"a": None}, '{"a": null}'), (math.nan, ".nan"), (math.inf, ".inf"), (-math.inf, "-.inf"),
    ({(1, 2): 3}, "{(1, 2): 3}")])
def test_values_are_shown_as_yaml_has_them(value, text):
    assert shown(value) == text


def test_a_long_value_is_cut_and_one_that_holds_itself_ends():
    assert len(shown(["word"] * 50)) == 80
    circle = []
    circle.append(circle)
    assert shown(circle) == "[[...]]"


# --- what pydantic finds -----------------------------------------------------------------------

class Inner(Spec):
    rate: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)] = 0.5
    kind: Literal["one", "two"] = "one"


class Every(Spec):
    """A field of each sort that specs are made of."""

    word: str = ""
    name: Annotated[str, Field(pattern=r"^[a-z]+$")] = "a"
    flag: bool = False
    count: Annotated[int, Field(ge=1, lt=10)] = 1
    many: Annotated[list[int], Field(min_length=1, max_length=2)] = [1]
    inner: Inner = Inner()
    table: dict[str, Inner] = {}
    either: str | Annotated[list[str], Field(min_length=1)] | None = None
    finite: bool | int | Annotated[float, Field(allow_inf_nan=False)] | str | None = None
    what: Any = None


VALUES = [None, True, 0, 1, 99, -1, 2.5, math.nan, math.inf, -math.inf, "", "word", "2", [], [1], [1, 2, 3],
          ["a"], [None], [math.nan], {}, {"a": 1}, {"rate": math.nan}, {"a": {"rate": math.nan}}, {1: 2},
          {None: 1}, {"rate": -1, "kind": "three"}, {"a": {"kind": "tow"}}, b"bytes", {1, 2}, object()]


@pytest.mark.parametrize("field", list(Every.model_fields))
@pytest.mark.parametrize("value", VALUES)
def test_whatever_stands_in_a_field_is_accepted_or_answered_with_one_line(field, value):
    try:
        validate("file.yaml", Every, {field: value})
    except ConfigError as error:
        for text in map(str, error.each):
            assert text.startswith(f"file.yaml: {field}") and "\n" not in text
            assert any(word in text for word in ("allowed: ", "needs ", "missing")), text


@pytest.mark.parametrize(("content", "expected"), [
    ({"inner": {"rate": math.nan}}, "inner.rate: found .nan; allowed: a finite number"),
    ({"inner": {"rate": math.inf}}, "inner.rate: found .inf; allowed: a finite number"),
    ({"table": {"a": {"rate": math.nan}}}, "table.a.rate: found .nan; allowed: a finite number"),
    ({"finite": math.nan}, "finite: found .nan; allowed: a finite number"),
    ({"name": "A"}, "name: found 'A'; allowed: text that matches ^[a-z]+$"),
    ({"table": {"a": {"rate": "rate:1"}}},
     "table.a.rate: found 'rate:1'; allowed: a number; a space is missing behind 'rate:'"),
    ({"many": "“1”"}, "many: found '“1”'; allowed: a list; “ and ” are letters to YAML: write \", or no quotes"),
    ({"table": {"a": {"rat": 1}}}, "table.a: unknown key 'rat'; allowed: rate, kind; did you mean 'rate'?"),
    ({"inner": {"kind": "tow"}}, "inner.kind: found 'tow'; allowed: 'one' or 'two'; did you mean 'two'?"),
])
def test_a_value_is_answered_by_place_found_and_allowed(content, expected):
    assert message(validate, "file.yaml", Every, content) == f"file.yaml: {expected}"


def test_every_mistake_is_told_and_a_misspelt_key_is_not_missing_besides():
    class Two(Spec):
        first: int
        second: int

    with pytest.raises(ConfigError) as error:
        validate("file.yaml", Two, {"frst": 1, "other": 2})
    assert [str(one) for one in error.value.each] == [
        "file.yaml: unknown key 'frst'; allowed: first, second; did you mean 'first'?",
        "file.yaml: unknown key 'other'; allowed: first, second", "file.yaml: second: missing; it is required"]


def test_what_was_gathered_is_told_once():
    found = []
    for text in ("a", "b", "a"):
        with gathered(found):
            raise ConfigError(text)
    with pytest.raises(ConfigError) as error:
        tell(found)
    assert [str(one) for one in error.value.each] == ["a", "b"] and str(error.value) == "a\nb"
    tell([])


def test_a_list_that_holds_itself_is_answered():
    circle = []
    circle.append(circle)
    assert message(validate, "file.yaml", Every, {"many": circle}).startswith("file.yaml: many")


def test_a_spec_inside_a_file_is_named_with_its_place():
    found = message(validate, "file.yaml", Inner, {"rate": 2.0}, ("table", "a"))
    assert found == "file.yaml: table.a.rate: found 2.0; allowed: a number of at most 1.0"
    assert message(validate, "file.yaml", Inner, {"rte": 2.0}, ("table", "a")) == (
        "file.yaml: table.a: unknown key 'rte'; allowed: rate, kind; did you mean 'rate'?")
    assert message(validate, "file.yaml", Inner, 3, ("claim 1",)) == (
        "file.yaml: claim 1: found 3; it needs a mapping with: rate, kind")
    with pytest.raises(pydantic.ValidationError) as error:
        Inner(rate=2.0)
    assert str(explain("file.yaml", Inner, error.value, ("x",))).startswith("file.yaml: x.rate: ")
