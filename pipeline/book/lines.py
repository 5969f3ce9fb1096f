"""The exact lines of a file that a person writes."""

from ruamel.yaml import YAML


def experiment_lines(text: str) -> dict[str, str]:
    """The exact lines of each experiment in a params file's text, without what follows it."""
    section = YAML().load(text)["experiments"]
    lines = text.splitlines()
    starts = {name: section.lc.key(name)[0] for name in section}
    ends = sorted([*starts.values(), len(lines)])
    return {name: _entry(lines[start:ends[ends.index(start) + 1]]) for name, start in starts.items()}


def _entry(lines: list[str]) -> str:
    """An entry from its first line to its last, moved to the left."""
    depth = _depth(lines[0])
    end = next((number for number, line in enumerate(lines) if number and line.strip() and _depth(line) <= depth), len(lines))
    return "\n".join(line[depth:] for line in lines[:end]).rstrip()


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())
