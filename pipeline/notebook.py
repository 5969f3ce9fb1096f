"""Runs a notebook through papermill: a progress bar outside, a record with stable bytes inside."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import sys
import tempfile
import threading
import time
from pathlib import Path

import nbformat
import papermill
from tqdm import tqdm

from pipeline.config import complain
from pipeline.results import PROGRESS, RUNS, STORE, write_text

NOTEBOOKS = Path(__file__).parent / "notebooks"
LOG = STORE / "kernel.log"


def stable(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """The executed notebook without what differs from run to run.

    Cell ids count, papermill's and the kernel's metadata go, stderr goes, pieces of stdout that
    follow each other become one, and the interpreter's patch version goes.
    """
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number}"
        cell["metadata"] = {k: v for k, v in cell["metadata"].items() if k in ("tags", "mystnb")}
        if cell["cell_type"] != "code":
            continue
        if "injected-parameters" in cell["metadata"].get("tags", []):
            cell["metadata"]["tags"] += ["remove-input"]
        outputs = []
        for output in cell["outputs"]:
            if output["output_type"] == "stream":
                if output["name"] == "stderr":
                    continue
                if outputs and outputs[-1]["output_type"] == "stream":
                    outputs[-1]["text"] += output["text"]
                    continue
            output.pop("execution_count", None)
            if output["output_type"] == "execute_result":
                output["execution_count"] = cell["execution_count"]
            outputs.append(output)
        cell["outputs"] = outputs
    notebook.metadata.pop("papermill", None)
    notebook.metadata.get("language_info", {}).pop("version", None)
    return notebook


def _end_with_parent() -> None:
    """End this process and its kernel when the process that started it is gone."""
    parent = os.getppid()

    def watch():
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)  # The kernel watches this process and ends likewise.

    threading.Thread(target=watch, daemon=True).start()


@contextlib.contextmanager
def _errors_to(log: Path):
    """Send what this process and its kernel write to stderr to a file; yields the terminal.

    TensorFlow greets on stderr before it can be told not to.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    sys.stderr.flush()
    terminal = os.dup(2)
    with open(log, "ab") as file, os.fdopen(terminal, "w") as stream:
        os.dup2(file.fileno(), 2)
        try:
            yield stream
        finally:
            sys.stderr.flush()
            os.dup2(terminal, 2)


class _Bar:
    """Runs done and the time left, drawn here because a kernel's bar is not shown live."""

    def __init__(self, label: str, stream):
        self.label, self.stream, self.stop = label, stream, threading.Event()
        (STORE / PROGRESS).unlink(missing_ok=True)
        self.thread = threading.Thread(target=self._draw, daemon=True)

    def _draw(self) -> None:
        with tqdm(desc=self.label, unit="run", file=self.stream, mininterval=1) as bar:
            while True:
                last = self.stop.wait(0.5)
                try:
                    found = json.loads((STORE / PROGRESS).read_text())
                    bar.total, bar.n = found["total"], found["done"]
                    bar.refresh()
                except (FileNotFoundError, json.JSONDecodeError):
                    pass
                if last:
                    return

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join()


def execute(name: str, target: Path, parameters: dict[str, str]) -> None:
    """Execute `notebooks/<name>.ipynb` and write the record; an old record survives a failure.

    Raises:
        ValueError: the notebook has no such parameter (papermill would only warn).
        RuntimeError: a cell failed; the message is its error.
    """
    source = NOTEBOOKS / f"{name}.ipynb"
    known = papermill.inspect_notebook(str(source))
    unknown = set(parameters) - set(known)
    if unknown:
        raise ValueError(f"{source}: unknown parameters {sorted(unknown)}; known: {sorted(known)}")
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "record.ipynb"
        try:
            papermill.execute_notebook(str(source), str(output), parameters=parameters,
                                       kernel_name="python3", progress_bar=False, log_output=False)
        except papermill.PapermillExecutionError as error:
            traceback = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(error.traceback))
            raise RuntimeError(f"{source}: {error.ename}: {error.evalue}\n{traceback}") from None
        record = stable(nbformat.read(output, as_version=4))
    write_text(target, nbformat.writes(record) + "\n")


def main() -> int:
    """Run the train notebook of an experiment, or the mechanics notebook."""
    parser = argparse.ArgumentParser(prog="python -m pipeline.notebook", description=main.__doc__)
    parser.add_argument("notebook", choices=["train", "mechanics"])
    parser.add_argument("experiment", nargs="?")
    given = parser.parse_args()
    _end_with_parent()
    os.environ.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")
    try:
        if given.notebook == "mechanics":
            with _errors_to(LOG):
                execute("mechanics", Path("results/mechanics/record.ipynb"), {})
        else:
            with _errors_to(LOG) as terminal, _Bar(given.experiment, terminal):
                execute("train", RUNS / given.experiment / "record.ipynb",
                        {"plan_file": f"plan/{given.experiment}.json"})
    except (RuntimeError, ValueError) as error:
        return complain(error)
    return 0


if __name__ == "__main__":
    sys.exit(main())
