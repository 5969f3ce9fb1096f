"""From a question in `params.yaml` to a verdict in the book, a package a stage."""

import sys

#: What every command says that a person stops.
STOPPED = "interrupted: what has finished is kept, and the same command goes on from there"


def _end(kind, error, trace):
    """Ctrl-C is no mistake of the code, wherever it comes: a line says it."""
    if issubclass(kind, KeyboardInterrupt):
        print(STOPPED, file=sys.stderr)
    else:
        sys.__excepthook__(kind, error, trace)


sys.excepthook = _end
