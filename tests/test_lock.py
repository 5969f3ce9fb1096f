"""The locks are enough: every package pinned and hashed, and what is installed is what they say."""

import re
from importlib import metadata
from pathlib import Path

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

FOLDERS = [".", ".ci"]
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}\Z")


def lock(folder):
    """The locked requirements, each with the words that follow its pin."""
    text = Path(folder, "requirements.txt").read_text(encoding="utf-8").replace("\\\n", " ")
    parted = [line.partition(" --hash") for line in text.splitlines() if line.strip()]
    return [(Requirement(pin), (mark + hashes).split()) for pin, mark, hashes in parted]


def asked(folder):
    """The requirements of the short list."""
    lines = Path(folder, "requirements.in").read_text(encoding="utf-8").splitlines()
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


def pinned(folder):
    """Name → version, of the pins that are meant for this machine."""
    found = {}
    for requirement, _ in lock(folder):
        if applies(requirement):
            (pin,) = requirement.specifier
            assert canonicalize_name(requirement.name) not in found
            found[canonicalize_name(requirement.name)] = pin.version
    return found


def applies(requirement, extras=("",)):
    """Whether a requirement holds on this machine, of a package that is asked for with some extras."""
    return requirement.marker is None or any(
        requirement.marker.evaluate({**default_environment(), "extra": extra}) for extra in extras)


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_pin_is_one_version_with_hashes(folder):
    assert len(lock(folder)) >= len(asked(folder)) > 0
    for requirement, hashes in lock(folder):
        assert [pin.operator for pin in requirement.specifier] == ["=="], requirement
        assert "*" not in str(requirement.specifier) and requirement.url is None, requirement
        assert hashes and all(map(HASH.match, hashes)), requirement
        assert len(set(hashes)) == len(hashes), requirement


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_locks_name_no_host_and_no_option(folder):
    for name in ("requirements.in", "requirements.txt"):
        text = Path(folder, name).read_text(encoding="utf-8")
        assert "://" not in text
        assert not re.search(r"^\s*-(?!-hash=)", text, flags=re.M)


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_short_list_is_pinned_as_it_asks(folder):
    versions = pinned(folder)
    for requirement in asked(folder):
        assert requirement.specifier.contains(versions[canonicalize_name(requirement.name)], prereleases=True)


def test_make_installs_nothing_without_its_hash():
    installs = re.findall(r"^\t.*pip install.*--requirement.*$", Path("Makefile").read_text(), flags=re.M)
    # The project's own, the cluster's, and those that inspect pages.
    assert len(installs) == len(FOLDERS) + 1
    assert all("--require-hashes" in line for line in installs)


def test_what_is_installed_is_what_the_lock_says():
    wrong = {name: [version, found] for name, version in pinned(".").items()
             if (found := installed(name)) != version}
    assert not wrong, "run `make`: locked and installed versions differ"


def test_all_that_the_short_list_needs_is_locked_at_a_version_that_fits():
    versions, waiting, seen = pinned("."), asked("."), set()
    while waiting:
        requirement = waiting.pop()
        name, extras = canonicalize_name(requirement.name), frozenset(requirement.extras)
        assert name in versions, f"{name} is needed, but not locked"
        assert requirement.specifier.contains(versions[name], prereleases=True), (
            f"{requirement} is needed, but locked is {versions[name]}")
        if (name, extras) not in seen:
            seen.add((name, extras))
            needed = map(Requirement, metadata.requires(name) or ())
            waiting += [one for one in needed if applies(one, {"", *extras})]
    assert {name for name, _ in seen} == {*versions}, "something is locked that nothing needs"


def installed(name):
    """The version of an installed package; None without it."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
