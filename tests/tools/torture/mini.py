"""A project of two stages that write as ours do, slowly, and are cheap; as a script, it is tortured."""

import json
import sys
import tempfile
from pathlib import Path

import pipeline
from tools.torture import disturb
from tools.torture.project import Leg, init
from tools.torture.rounds import rounds

STAGE = """
import sys, time
from pathlib import Path
from pipeline.plan.lock import mend
from pipeline.tables.stored import rewritten, sweep, write_bytes
from pipeline.process.stage import run

def check():
    mend()
    return 0

def data():
    sweep(Path("data"))
    for number in range(20):
        write_bytes(Path("data") / f"{number}.npz", bytes([number]) * 200_000)
        time.sleep(0.15)
    return 0

def results():
    with rewritten(Path("results/one")) as new:
        for number in range(20):
            write_bytes(new / f"{number}.csv", b"a,b\\n" * 50_000)
            time.sleep(0.15)
    return 0

sys.exit(run(globals()[sys.argv[1]]))
"""
DVC_YAML = """stages:
  data:
    cmd: python stage.py data
    deps: [stage.py]
    outs: [data: {cache: false, persist: true}]
  results:
    cmd: python stage.py results
    deps: [data]
    outs: [results/one: {cache: false, persist: true}]
"""
#: No stage of it has a kernel.
KINDS = tuple(kind for kind in disturb.KINDS if kind != "kill of the kernel")
LEGS = (Leg("python stage.py check && dvc repro", len(KINDS), False),)


def make(folder: Path) -> None:
    folder.mkdir()
    (folder / "stage.py").write_text(STAGE)
    (folder / "dvc.yaml").write_text(DVC_YAML)
    (folder / "pipeline").symlink_to(Path(pipeline.__file__).parent)
    (folder / ".dvcignore").write_text("__pycache__\n")
    init(folder)


def main() -> None:
    seed, moments = int(sys.argv[1]), int(sys.argv[2])
    kinds = [kind for kind in KINDS if disturb.ways().get(kind, "yes")]
    with tempfile.TemporaryDirectory() as work:
        work = Path(work).resolve()
        with disturb.small_disk(work, 100):
            _, rows = rounds(work, make, LEGS, kinds, moments, seed, lambda one: print(one, flush=True))
    print(json.dumps({"kinds": kinds, "rows": rows}))


if __name__ == "__main__":
    main()
