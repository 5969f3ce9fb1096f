"""Digests of code: what changes them, and what does not."""

import shutil
import textwrap

import pytest

from pipeline.plan import code
from pipeline.plan.code import DECIDES, PACKAGE, digest, digest_of_class, pins, warning
from pipeline.config.errors import ConfigError

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
        return TYPED + decides(1)


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
def test_the_digest_of_a_class_follows_what_it_uses(tmp_path, old, new, same):
    before, after = tmp_path / "before.py", tmp_path / "after.py"
    assert MODULE.count(old) == 1
    before.write_text(MODULE)
    after.write_text(MODULE.replace(old, new))
    assert (digest_of_class(before, "Kind") == digest_of_class(after, "Kind")) is same


def test_digests_of_other_definitions_differ(tmp_path):
    path = tmp_path / "module.py"
    path.write_text(MODULE)
    assert len({digest_of_class(path, name) for name in ("helper", "decides", "unused")}) == 3


def test_digest_of_no_definition_is_an_error(tmp_path):
    (tmp_path / "module.py").write_text(MODULE)
    with pytest.raises(KeyError):
        digest_of_class(tmp_path / "module.py", "gone")


@pytest.fixture
def package(tmp_path):
    """A copy of what decides the numbers of runs."""
    for name in DECIDES:
        copy = shutil.copytree if (PACKAGE / name).is_dir() else shutil.copy
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        copy(PACKAGE / name, tmp_path / name)
    return tmp_path


def test_comments_docstrings_imports_and_names_of_files_keep_the_digest_of_the_code(package):
    trainer = package / "train" / "trainer.py"
    text = trainer.read_text().replace('"""One network', '"""One  network').replace("import math", "import math, os")
    trainer.write_text(f"# a comment\n{text}")
    (package / "network" / "model.py").rename(package / "network" / "another.py")
    assert digest(package) == digest()


@pytest.mark.parametrize("name", ["train/trainer.py", "data/split.py", "network/layers/noise.py"])
def test_any_other_edit_changes_it_and_the_warning_says_what_to_do(package, monkeypatch, name):
    (package / name).write_text((package / name).read_text() + "\nNEW = 1\n")
    assert digest(package) != digest()
    monkeypatch.setattr(code, "digest", lambda: digest(package))
    assert "raise NUMERICS" in warning() and "make verify" in warning() and digest(package) in warning()


def test_the_code_is_what_was_last_seen_to_give_the_stored_bits():
    """Where it fails, `warning` says what to do."""
    assert warning() == ""


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
