"""A list of layers → a Keras model. TensorFlow is loaded here, once, in the way every room needs it."""

import contextlib
import logging
import os
import sys

# One thread a computation: the trainer runs seeds side by side, and sums keep their order.
# What a person sets besides stays: another set of instructions, for one.
_ALONE = "--xla_cpu_multi_thread_eigen"
if _ALONE not in os.environ.get("XLA_FLAGS", ""):
    os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {_ALONE}=false".strip()
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


@contextlib.contextmanager
def _silence():
    """TensorFlow greets on stderr while it is imported, before it can be told not to."""
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


with _silence():
    import keras  # noqa: F401


@contextlib.contextmanager
def no_advice():
    """Without TensorFlow's advice to build fewer networks, which names addresses."""
    logger = logging.getLogger("tensorflow")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
