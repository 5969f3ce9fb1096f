"""A Sphinx extension: a page is read again when its content changes, and whatever the clock says."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment


def digest(env: BuildEnvironment, page: str) -> str:
    """A digest of a page's source and of the files that it shows."""
    found = hashlib.sha256()
    for path in (Path(env.doc2path(page)), *(Path(env.srcdir, name) for name in sorted(env.dependencies[page]))):
        found.update(str(path).encode() + (path.read_bytes() if path.is_file() else b""))
    return found.hexdigest()


def changed(app: Sphinx, env: BuildEnvironment, *others: set[str]) -> list[str]:
    """The pages that are not as they were read last."""
    known = getattr(env, "digests", {})
    return [page for page in env.found_docs if page in known and digest(env, page) != known[page]]


def keep(app: Sphinx, env: BuildEnvironment) -> None:
    """Keep what the pages were read from; Sphinx stores it with all that it read."""
    env.digests = {page: digest(env, page) for page in env.all_docs}


def setup(app: Sphinx) -> dict[str, bool]:
    """What Sphinx calls when it loads the extension."""
    app.connect("env-get-outdated", changed)
    app.connect("env-updated", keep)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
