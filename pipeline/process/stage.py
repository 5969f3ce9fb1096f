"""How a stage begins and ends: with the process that started it, and with one message if the disk refuses."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable

from pipeline.config.errors import complain, refused


def end_with_parent() -> None:
    """End this process and its kernel when the process that started it is gone.

    Otherwise it would write on beside the run that takes the place of one that was killed.
    """
    parent = os.getppid()

    def watch():
        while os.getppid() == parent:
            time.sleep(0.2)
        os._exit(1)  # The kernel watches this process and ends likewise.

    threading.Thread(target=watch, daemon=True).start()


def run(main: Callable[[], int]) -> int:
    """The exit code of a stage. A disk that is full or not writable is no mistake of the code: a line says it."""
    end_with_parent()
    try:
        return main()
    except OSError as error:
        if not refused(error):
            raise
        return complain(error)
