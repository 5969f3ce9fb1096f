"""Make the extracts from their originals: ``python extracts/make.py [--check] [NAME ...]``.

Without names, all of them. An extract's content is the same to the byte on every run; how it is
packed may differ with the version of a compressor, hence the hashes in sets.yaml are those of the
unpacked content. With --check nothing is written: the exit code says whether what would be made
is what is stored.
"""

import argparse
import hashlib
import io
import lzma
import sys
import zipfile
from pathlib import Path

import images
import numpy as np
import pandas as pd
import recordings
import series
import tables
from ruamel.yaml import YAML
from wheels import Wheels

FOLDER = Path(__file__).resolve().parent
KINDS = {"tables": tables, "images": images}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--check", action="store_true", help="compare, and write nothing")
    arguments = parser.parse_args()
    described = read_sets()
    made = described["sets"]
    unknown = sorted(set(arguments.names) - set(made))
    if unknown:
        parser.error(f"no such extract: {', '.join(unknown)}")
    wheels = Wheels(described["packages"])
    differing = 0
    for name in arguments.names or made:
        differing += one(name, made[name], wheels, arguments.check)
    return int(differing > 0)


def one(name: str, entry: dict, wheels: Wheels, check: bool) -> bool:
    """Make or check one extract; does it differ from what sets.yaml and the folder hold?"""
    result = getattr(module_of(entry), name)(wheels)
    if isinstance(result, pd.DataFrame):
        rows, content = len(result), csv(result)
        packed = lzma.compress(content, preset=9 | lzma.PRESET_EXTREME)
    else:
        rows, content = len(result["y"]), b"".join(npy(array) for array in result.values())
        packed = npz(result)
    digest = hashlib.sha256(content).hexdigest()
    path = FOLDER / entry["file"]
    if not check:
        path.write_bytes(packed)
    described = (entry["rows"], entry["sha256"]) == (rows, digest)
    differs = not described or not path.exists() or content_of(path) != content
    word = "differs" if differs else "as described"
    print(f"{name}: {word}; rows: {rows}, sha256: {digest}, {len(packed) / 1e6:.2f} MB packed")
    return differs


def module_of(entry: dict):
    """Where an extract's function is."""
    if entry["family"] == "sequences":
        return series if entry["task"]["kind"] == "forecast" else recordings
    return KINDS[entry["family"]]


def read_sets() -> dict:
    return YAML(typ="safe").load((FOLDER / "sets.yaml").read_text(encoding="utf-8"))


def content_of(path: Path) -> bytes:
    """The unpacked content of a file, of which sets.yaml has the hash."""
    if path.suffix == ".xz":
        return lzma.decompress(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        return b"".join(archive.read(member) for member in archive.namelist())


def csv(frame: pd.DataFrame) -> bytes:
    text = frame.to_csv(
        index=False, float_format="%.7g", lineterminator="\n", date_format="%Y-%m-%dT%H:%M"
    )
    return text.encode()


def npy(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, np.ascontiguousarray(array), allow_pickle=False)
    return buffer.getvalue()


def npz(arrays: dict[str, np.ndarray]) -> bytes:
    """Like numpy.savez_compressed, with a fixed date and a stronger compression."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, array in arrays.items():
            member = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            archive.writestr(member, npy(array), compress_type=zipfile.ZIP_LZMA)
    return buffer.getvalue()


if __name__ == "__main__":
    sys.exit(main())
