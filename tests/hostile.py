"""What nobody would write by mistake: values, and mutations of what is valid, that tests hand to readers."""

from __future__ import annotations

import copy
import datetime
import resource

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from pipeline.tables.stored import Damaged
from pipeline.config.errors import ConfigError

#: All examples take no more memory, in kilobytes.
LARGEST = 1_500_000
SCRIPT = "<script>alert(1)</script>"
TEXTS = [
    "", " ", "x" * 300, "../../etc/passwd", "/etc/passwd", "a/b", "; touch hacked", "$(touch hacked)", "`id`", "a\0b",
    "a\nb", "\x1b[31m", "💥", SCRIPT, "{{ 7 * 7 }}", "=1+1", "@SUM(A1)", "__class__", "Lambda", "os.system",
    "keras.layers.Lambda", "TFSMLayer", "StringLookup", "name", "nan", "inf", "null", "~", "[", "conv", "bn", "cnn",
    "waves", "-1", "1e999", "%s", "{0}", "a.b.c", "https://[", "a.csv", "a.npz", "drop"]
NUMBERS = [
    0, 1, -1, 2, 10**9, 2 * 10**9, 10**30, -(10**30), 10**4000, 16**5000, 0.5, -0.0, 1e308, 5e-324,
    float("nan"), float("inf"), float("-inf")]
OTHERS = [
    None, True, False, [], {}, [[]], [None], [{}], {"": 1}, {None: 1}, {1: 2}, {1.5: []}, {True: ["bn"]},
    {"module": "os", "class_name": "system", "config": {}, "registered_name": "x"}, {"Lambda": {"function": "x"}},
    {"Dense": {"units": 10**9}}, {"a": {"b": {"c": {}}}}, {10**9: ["bn"]}, {100: ["bn"] * 11}, {-1: ["bn"]}, {2: "bn"},
    {"carry": 10**30}, {"carry": {"carry": 1}}, ["bn", {"bn": ["bn", {"bn": {}}]}], [0.01] * 3, ["a"] * 2000,
    datetime.date(2024, 1, 31), datetime.datetime(9999, 12, 31), b"bytes", {"set"}, ("a", 1)]


def counted(examples: int):
    """So many examples, the same ones each time."""
    return settings(max_examples=examples, derandomize=True, deadline=None, database=None,
                    suppress_health_check=list(HealthCheck))


def values():
    """Anything a file may hold where something else is expected."""
    return st.one_of(st.sampled_from(TEXTS), st.sampled_from(NUMBERS), st.sampled_from(OTHERS),
                     st.integers(), st.floats(), st.text(max_size=20))


def _places(content, place=()) -> list[tuple]:
    """Every place inside nested mappings and lists."""
    inner = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    return [found for key, value in inner for found in [(*place, key), *_places(value, (*place, key))]]


@st.composite
def mutated(draw, content):
    """Nested mappings and lists with one to three mutations."""
    content = copy.deepcopy(content)
    for _ in range(draw(st.integers(1, 3))):
        places = _places(content)
        if not places:
            break
        *way, last = draw(st.sampled_from(places))
        holder = content
        for key in way:
            holder = holder[key]
        how = draw(st.sampled_from(["replace", "replace", "replace", "remove", "name", "add", "move"]))
        if how == "replace":
            holder[last] = copy.deepcopy(draw(values()))
        elif how == "remove":
            del holder[last]
        elif how == "name" and isinstance(holder, dict):
            holder[draw(st.sampled_from(TEXTS))] = holder.pop(last)
        elif how == "add" and isinstance(holder, dict):
            holder[draw(st.one_of(st.sampled_from(TEXTS), st.sampled_from(
                ["of", "vary", "everywhere", "set", "before", "file", "window", "quantiles", "learning_rate"])))] = (
                    copy.deepcopy(draw(values())))
        elif how == "move":
            other = content
            for key in draw(st.sampled_from(places)):
                if not isinstance(other, dict | list):
                    break
                try:
                    other = other[key]
                except (KeyError, IndexError, TypeError):
                    break
            holder[last] = copy.deepcopy(other)
    return content


@st.composite
def changed_bytes(draw, content: bytes):
    """Bytes of which some are others, are missing, or stand twice."""
    content = bytearray(content)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(0, len(content) - 1)))
        length = draw(st.integers(1, 40))
        how = draw(st.sampled_from(["put", "remove", "repeat", "cut", "flip"]))
        if how == "put":
            content[at:at] = draw(st.one_of(st.binary(max_size=30), st.sampled_from(
                [b"\0", b'"', b'""', b"\n", b"\r", b",", b",,,,", b"\xff\xfe", b"nan", b"inf", b"-1e999", b"=1+1",
                 b"*a", b"&a ", b"!!python/object:os.system ", b"{", b"]", b": ", b"  ", b"\t", b"9" * 400])))
        elif how == "remove":
            del content[at:at + length]
        elif how == "repeat":
            content[at:at] = content[at:at + length] * 3
        elif how == "cut":
            del content[max(at, len(content) // 2):]
        elif content:
            content[at] ^= 1 << draw(st.integers(0, 7))
    return bytes(content)


def answer(call, *arguments):
    """What a call gives, or None and one message of ours: no other error, no filled memory."""
    # The peak so far is that of tests before this one, too.
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        found = call(*arguments)
    except (ConfigError, Damaged) as error:
        assert str(error).strip()
        found = None
    except ValueError as error:
        # Messages of our own are plain ValueErrors in the rooms that know no file.
        assert type(error) is ValueError and "found" in str(error), repr(error)
        found = None
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - held < LARGEST
    return found
