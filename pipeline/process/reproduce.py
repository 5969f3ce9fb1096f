"""`dvc repro` in a few lines: the stages that run, and errors whole: `python -m pipeline.process.reproduce plan`."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import re
import sys

from pipeline import STOPPED

#: Set for stages: what runs them says what they would say of what is to be trained.
ANNOUNCED = "ANNOUNCED"
#: How a stage ends that has said itself why: with a message, or interrupted.
_TOLD = re.compile(r"exited with (1|130|-2)$")


class _Lines(logging.Handler):
    """Prints which stage runs, and what DVC itself refuses."""

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno < logging.WARNING:
            if match := re.match(r"Running stage '(.+)'", record.getMessage()):
                print(match[1], file=sys.__stdout__, flush=True)
            return
        if pretty := getattr(record.exc_info and record.exc_info[1], "__pretty_exc__", None):
            pretty(verbose=False)
            return
        text = self.format(record)
        if "interrupted by the user" in text:
            print(STOPPED, file=sys.stderr)
        elif not _TOLD.search(text):
            print(text + ("; run `git init` there first" if "not a git repository" in text else ""), file=sys.stderr)


def reproduce(*stages: str, only: bool = False) -> int:
    """Bring stages up to date with all that they need, or `only` these; without a name, all stages.

    Returns:
        DVC's exit code.
    """
    from dvc.cli import main
    from dvc.logger import ColorFormatter

    os.environ[ANNOUNCED] = "1"
    lines = _Lines()
    lines.setFormatter(ColorFormatter(log_colors=False))
    logging.getLogger("dvc").handlers = [lines]
    # What it prints besides is advice to push.
    with contextlib.redirect_stdout(io.StringIO()):
        return main(["repro", *(["--single-item"] if only else []), *stages])


if __name__ == "__main__":
    sys.exit(reproduce(*sys.argv[1:]))
