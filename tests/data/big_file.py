"""How long a large file takes, and how much memory: ``python -m tests.data.big_file [MEGABYTES]``.

No test: it is run by hand. Each kind is generated once, made into arrays in a process of its own, and
one seed's split is loaded.
"""

import multiprocessing
import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from pipeline.data.split import load
from pipeline.data.user_data.read import from_file
from pipeline.spec.files import RecordingsFile, SeriesFile, TableFile

MEGABYTE = 2**20


def generate(path: Path, kind: str, size: int) -> None:
    """About `size` bytes of text: twelve numbers a row, a class and a time."""
    generator, row = np.random.default_rng(0), 0
    x = generator.standard_normal((20_000, 11))
    drawn = [",".join(cells) for cells in np.char.mod("%.6f", x)]
    with open(path, "w", encoding="utf-8") as file:
        file.write("when,who," + ",".join(f"x{i}" for i in range(12)) + ",y\n")
        while file.tell() < size:
            rows = np.arange(row, row + len(x))
            times = (np.datetime64("2001-01-01T00:00:00") + rows).astype(str)
            who = rows // 40
            y = who % 3 if kind == "recordings" else (x[:, 0] * x[:, 1] > 0).astype(int)
            # The first number makes each row another one.
            first = np.sin(rows) + x[:, 3]
            for cells in zip(times, who, first, drawn, y, strict=True):
                file.write("%s,%d,%.6f,%s,%d\n" % cells)
            row += len(x)


def entry(kind: str, file: str):
    columns = [f"x{i}" for i in range(12)]
    return {
        "table": lambda: TableFile(file=file, target="y", inputs=columns),
        "series": lambda: SeriesFile(file=file, target="x0", inputs=columns, time="when", window=24),
        "resampled": lambda: SeriesFile(
            file=file, target="x0", inputs=columns, time="when", window=24, resample="10s"),
        "recordings": lambda: RecordingsFile(
            file=file, target="y", inputs=columns, recording="who", time="when"),
    }[kind]()


def measure(kind: str, file: str) -> None:
    before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, time.perf_counter()
    arrays = from_file(entry(kind, file), range(3), kind)
    made = time.perf_counter()
    load(arrays, 3)
    loaded = time.perf_counter()
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{kind}: {made - start:.1f} s, {most:.0f} MB (of which {before:.0f} before); a split in "
          f"{loaded - made:.3f} s; {arrays['about_used']} of {arrays['x'].shape}", flush=True)


def main() -> None:
    size = int(sys.argv[1] if len(sys.argv) > 1 else 100) * MEGABYTE
    kinds = sys.argv[2:] or ["table", "series", "resampled", "recordings"]
    with tempfile.TemporaryDirectory(dir=".") as folder:
        for kind in kinds:
            file = Path(folder).name + f"/{kind if kind == 'recordings' else 'rows'}.csv"
            if not Path(file).exists():
                generate(Path(file), kind, size)
            process = multiprocessing.get_context("spawn").Process(target=measure, args=(kind, file))
            process.start()
            process.join()


if __name__ == "__main__":
    main()
