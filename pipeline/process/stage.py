"""How a stage begins and ends: with the process that started it, and with one message if it cannot go on."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable

from pipeline import STOPPED
from pipeline.config.errors import complain, refused

#: The exit code of what was interrupted, as a shell has it: 128 and the number of the signal.
INTERRUPTED = 130


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
    """The exit code of a stage. An interrupt, and a disk that is full or not writable, are no mistakes of the code:
    a line says it."""
    end_with_parent()
    try:
        return main()
    except KeyboardInterrupt:
        print(STOPPED, file=sys.stderr)
        return INTERRUPTED
    except OSError as error:
        if not refused(error):
            raise
        return complain(error)
