"""`dvc.lock` without the stages of what was taken out of params.yaml."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

LOCK = Path("dvc.lock")


def prune(text: str, kept: Mapping[str, Collection[str]]) -> str:
    """A lock's text without the entries `stage@item` whose item is not kept; the rest to the byte.

    DVC never removes them: it only writes the stages that it ran. It reads the file anew before it
    writes, so a stage may prune the lock while DVC waits for it.

    Args:
        text: of `dvc.lock`, as DVC writes it.
        kept: stage -> its items that are still there; entries of other stages stay.

    Raises:
        ValueError: the text is not as DVC writes it, so that an entry cannot be told from the next.
    """
    entry = re.compile(r"^  (\S+):\n(?:^   .*\n)*", flags=re.M)

    def gone(name: str) -> bool:
        stage, at, item = name.partition("@")
        return bool(at) and stage in kept and item not in kept[stage]

    pruned = entry.sub(lambda found: "" if gone(found[1]) else found[0], text)
    if pruned != text:
        # Slow, and so only if there is something to remove.
        try:
            before, after = (YAML(typ="safe", pure=True).load(one) for one in (text, pruned))
            before["stages"] = {name: one for name, one in before["stages"].items() if not gone(name)}
            as_written = bool(before["stages"]) and after == before
        except (YAMLError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            as_written = False
        if not as_written:
            raise ValueError(f"{LOCK}: it is not as DVC writes it; `git checkout {LOCK}`, then run again")
    return pruned
