"""A project of two stages that write as ours do, slowly, and are cheap; as a script, it is tortured."""

import json
import sys
import tempfile
from pathlib import Path

import pipeline
from tools.tiny import begin
from tools.torture.__main__ import rounds
from tools.torture.disturb import KILLS, kinds, mounted

STAGE = """
import sys, time
from pathlib import Path
from pipeline.plan.tidy import mend
from pipeline.tables.stored import remove_temporary, replace_folder, write_bytes
from pipeline.process.stage import run

def check():
    mend()
    return 0

def data():
    remove_temporary(Path("data"))
    for number in range(20):
        write_bytes(Path("data") / f"{number}.npz", bytes([number]) * 200_000)
        time.sleep(0.15)
    return 0

def results():
    with replace_folder(Path("results/one")) as new:
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


def make(folder: Path) -> None:
    folder.mkdir()
    (folder / "stage.py").write_text(STAGE)
    (folder / "dvc.yaml").write_text(DVC_YAML)
    (folder / "pipeline").symlink_to(Path(pipeline.__file__).parent)
    (folder / ".dvcignore").write_text("__pycache__\n")
    begin(folder)


if __name__ == "__main__":
    KILLS.pop("kill of the kernel")  # No stage of it has one.
    with tempfile.TemporaryDirectory() as work, mounted(Path(work).resolve(), ["-t", "tmpfs", "-o", "size=100m", "none"]):
        _, rows = rounds(Path(work).resolve(), make, "python stage.py check && dvc repro", len(kinds()), int(sys.argv[1]))
    print(json.dumps({"kinds": kinds(), "rows": rows}))
