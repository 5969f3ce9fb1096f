"""Digests of code: what changes them, and what does not."""

import textwrap

import pytest

from pipeline.plan.code import LAYERS, PACKAGE, digest, pins
from pipeline.spec.base import ConfigError

MODULE = '''
"""A module."""
import math

FACTOR = 2
OTHER = 3
TYPED: int = 4


def helper(x):
    """Helps."""
    return FACTOR * x  # a comment


def decides(x):
    """Decides."""
    return helper(x) + math.pi


def unused(x):
    return OTHER * x


class Base:
    """A base."""

    def way(self):
        """A way."""
        return TYPED


class Kind(Base):
    """Only words."""
'''


@pytest.mark.parametrize(("old", "new", "same"), [
    ("  # a comment", "", True),
    ('"""Decides."""', '"""Decides,\n    at length."""', True),
    ('    """Decides."""\n', "", True),
    ('"""A module."""', '"""Another."""', True),
    ("\n\n\ndef unused", "\n\n\n\n\n\ndef unused", True),
    ("OTHER * x", "OTHER + x", True),
    ("OTHER = 3", "OTHER = 4", True),
    ("return helper(x) + math.pi", "return (helper(x)\n            + math.pi)", True),
    ("+ math.pi", "- math.pi", False),
    ("FACTOR * x", "FACTOR + x", False),
    ("FACTOR = 2", "FACTOR = 5", False),
    ('        """A way."""\n', "", True),
    ("return TYPED", "return -TYPED", False),
    ("TYPED: int = 4", "TYPED: int = 5", False),
])
def test_digest_follows_what_is_used(tmp_path, old, new, same):
    before, after = tmp_path / "before.py", tmp_path / "after.py"
    assert MODULE.count(old) == 1
    before.write_text(MODULE)
    after.write_text(MODULE.replace(old, new))
    names = ("decides", "Kind")
    assert (digest([before], names) == digest([after], names)) is same


def test_digest_of_different_definitions_differs(tmp_path):
    path = tmp_path / "module.py"
    path.write_text(MODULE)
    found = [digest([path], names) for names in (("helper",), ("decides",), ("unused",))]
    assert len(set(found)) == 3
    assert digest([path], ("decides", "unused")) == digest([path], ("unused", "decides"))


def test_digest_of_no_definition_is_an_error(tmp_path):
    (tmp_path / "module.py").write_text(MODULE)
    with pytest.raises(KeyError):
        digest([tmp_path / "module.py"], ("gone",))


def test_the_code_of_a_layer_is_followed_into_the_other_files(tmp_path):
    """Ours of Dropout draws its mask by a function of another file."""
    files = [PACKAGE / file for file in LAYERS]
    before = digest(files, ("Dropout",)), digest(files, ("Conv1D",))
    copies = [tmp_path / file.name for file in files]
    for file, copy in zip(files, copies, strict=True):
        copy.write_text(file.read_text())
    assert (digest(copies, ("Dropout",)), digest(copies, ("Conv1D",))) == before
    noise = next(copy for copy in copies if copy.name == "noise.py")
    noise.write_text(noise.read_text().replace("2**31 - 1", "2**30"))
    after = digest(copies, ("Dropout",)), digest(copies, ("Conv1D",))
    assert after[0] != before[0] and after[1] == before[1]


def test_pins_are_read_from_the_lock_file(tmp_path):
    path = tmp_path / "requirements.txt"
    path.write_text(textwrap.dedent("""\
        keras==3.1 ; python_version >= '3.11'
            # via tensorflow
        numpy==2.0.1
        tensorflow==2.17
        tensorflow-extra==9
        """))
    assert pins(path) == {"tensorflow": "2.17", "keras": "3.1", "numpy": "2.0.1"}
    path.write_text("keras==3.1\n")
    with pytest.raises(ConfigError) as error:
        pins(path)
    assert str(error.value) == f"{path}: no pinned version of tensorflow, numpy"
