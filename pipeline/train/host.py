"""What decides, besides code, how numbers are rounded: the processor and how it is used, and the packages."""

import functools
import importlib.metadata
import os
import platform
import re
from collections.abc import Mapping
from pathlib import Path

CPUINFO = Path("/proc/cpuinfo")
#: Sets of instructions for sums of products, the widest first; each as Linux and macOS name it.
INSTRUCTIONS = ("amx_tile", "avx512f", "avx2", "avx", "sse4_2", "sve", "asimd")
#: What a person may set that changes how TensorFlow computes.
SETTINGS = ("XLA_FLAGS", "TF_XLA_FLAGS", "TF_ENABLE_ONEDNN_OPTS", "TRAIN_THREADS")


class WrongVersion(RuntimeError):
    """The installed packages are not the pinned ones."""


def check_versions(pinned: Mapping[str, str]) -> None:
    """Refuse an environment whose numbers would not be comparable.

    Raises:
        WrongVersion: a package that decides numbers has another version than its pin.
    """
    for package, version in pinned.items():
        found = importlib.metadata.version(package)
        if found != version:
            raise WrongVersion(f"requirements.txt pins {package} {version}, but {found} is "
                               "installed; run `make` to install the pinned versions")


@functools.cache
def host() -> dict:
    """This machine in a few words: `processor`, `instructions`, `machine`, `python`, `cores`."""
    text = CPUINFO.read_text(encoding="utf-8", errors="replace") if CPUINFO.exists() else ""
    model = re.search(r"^model name\s*:\s*(.+)$", text, flags=re.M)
    flags = re.search(r"^(?:flags|Features)\s*:\s*(.+)$", text, flags=re.M)
    known = flags[1].split() if flags else []
    return {"processor": " ".join(model[1].split()) if model else platform.processor() or platform.machine(),
            "instructions": next((name for name in INSTRUCTIONS if name in known), ""),
            "machine": platform.machine(), "python": platform.python_version(), "cores": os.cpu_count()}


def settings() -> dict[str, str]:
    """The settings of this process that change how TensorFlow computes; only those that are set."""
    return {name: os.environ[name] for name in SETTINGS if os.environ.get(name)}
