"""The browser that looks at the built book and prints it."""

from __future__ import annotations

import shutil

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
#: The sandbox does not work for root, and the only pages are our own; no other host can be reached.
ARGUMENTS = ("--no-sandbox", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1")


def find() -> str | None:
    """The path of the first browser that is installed."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def missing() -> str:
    """What to say where there is none."""
    return f"there is none of {', '.join(BROWSERS)}: `apt-get install chromium`"
