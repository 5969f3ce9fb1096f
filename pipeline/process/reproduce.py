"""`dvc repro` without its many lines, but with what DVC itself refuses: `python -m pipeline.process.reproduce plan`."""

from __future__ import annotations

import subprocess
import sys

from pipeline.config.errors import complain

#: What DVC ends with, be it that a stage failed, which says why itself, or that DVC cannot begin.
FAILED = 255


def reproduce(*stages: str, only: bool = False) -> int:
    """Bring stages up to date with all that they need, or `only` these; without a name, all stages.

    Returns:
        DVC's exit code.
    """
    command = ["dvc", "repro", *(["--single-item"] if only else []), *stages]
    code = subprocess.run([*command, "--quiet"], check=False).returncode
    if code == FAILED:
        # Quiet, DVC keeps its own errors for itself, too. A dry run begins as the other, and runs nothing.
        dry = subprocess.run([*command, "--dry"], check=False, capture_output=True, text=True)
        for line in dry.stderr.splitlines():
            if line.startswith("ERROR: "):
                hint = "; run `git init` there first" if "not a git repository" in line else ""
                complain(RuntimeError(line.removeprefix("ERROR: ") + hint))
    return code


if __name__ == "__main__":
    sys.exit(reproduce(*sys.argv[1:]))
