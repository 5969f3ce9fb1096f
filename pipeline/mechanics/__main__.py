"""The stage `mechanics`: exact checks of what a layer does, and of the threads' code."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from pipeline.notebook import LOG, errors_to, execute
from pipeline.tables.stored import MECHANICS, replace_folder
from pipeline.config.errors import complain
from pipeline.process.stage import run

RECORD = Path(__file__).with_name("record.ipynb")


def main() -> int:
    """Execute the record of the exact checks, which stores their tables."""
    os.environ.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")
    try:
        with replace_folder(MECHANICS) as new, errors_to(LOG):
            execute(RECORD, new / "record.ipynb", {})
    except (RuntimeError, ValueError) as error:
        return complain(error)
    return 0


if __name__ == "__main__":
    sys.exit(run(main))
