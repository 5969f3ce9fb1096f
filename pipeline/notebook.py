"""Runs a notebook through papermill: a progress bar outside, a record with stable bytes inside."""

from __future__ import annotations

import contextlib
import os
import re
import sys
import tempfile
from pathlib import Path

import nbformat
import papermill
from nbclient.exceptions import DeadKernelError

from pipeline.tables.store import STORE
from pipeline.tables.stored import write_text

LOG = STORE / "kernel.log"
#: Errors whose message says all that a person needs; of `OSError` all kinds that have no class of their own.
PLAIN = ("Damaged", "WrongVersion", "OSError", "PermissionError")


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


@contextlib.contextmanager
def errors_to(log: Path):
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


def execute(source: Path, target: Path, parameters: dict[str, str], cwd: Path | None = None) -> None:
    """Execute a notebook and write the record; an old record survives a failure.

    Args:
        parameters: of the notebook; in its text, a parameter's name in braces stands for the value.
        cwd: the folder that it is executed in; the current one without it.

    Raises:
        ValueError: the notebook has no such parameter (papermill would only warn).
        RuntimeError: a cell failed; the message is its error, with the traceback unless it is plain. Or the
            kernel ended.
    """
    known = papermill.inspect_notebook(str(source))
    unknown = set(parameters) - set(known)
    if unknown:
        raise ValueError(f"{source}: unknown parameters {sorted(unknown)}; known: {sorted(known)}")
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "record.ipynb"
        try:
            # A kernel has nothing to tidy when its cells are done, and takes two seconds to do so.
            papermill.execute_notebook(str(source), str(output), parameters=parameters,
                                       kernel_name="python3", progress_bar=False, log_output=False,
                                       shutdown_kernel="immediate", cwd=cwd)
        except DeadKernelError:
            raise RuntimeError(f"{source}: its kernel was ended, perhaps as memory was full; run it again: what has "
                               "finished is kept") from None
        except papermill.PapermillExecutionError as error:
            if error.ename in PLAIN:
                raise RuntimeError(error.evalue) from None
            traceback = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(error.traceback))
            raise RuntimeError(f"{source}: {error.ename}: {error.evalue}\n{traceback}") from None
        record = stable(nbformat.read(output, as_version=4))
    for cell in record.cells:
        if cell["cell_type"] == "markdown":
            for name, value in parameters.items():
                cell["source"] = cell["source"].replace(f"{{{name}}}", str(value))
    write_text(target, nbformat.writes(record) + "\n")
