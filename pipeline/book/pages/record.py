"""The page of a lab record: the notebook that its run wrote, in a frame."""

import csv
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output

from pipeline.book.escape import fenced, plain, raw
from pipeline.book.keras_code import keras_code
from pipeline.book.markdown import claim_link, record_link, source, table
from pipeline.book.pages.experiments import where
from pipeline.book.study import Study, by_arm
from pipeline.book.words.network import chain
from pipeline.findings.numbers import count, number
from pipeline.tables.stored import CURVES_TABLE, LAYERS_TABLE, RUNS_TABLE, read_table

#: What a page shows of what a cell put out, and the tag of a cell whose lines it does not.
SHOWN, HIDDEN = ("text/markdown", "image/png", "text/plain"), "remove-input"


def write(study: Study) -> dict[str, str | bytes]:
    """Every lab record, framed, the curves that it draws, and the list of all."""
    files: dict[str, str | bytes] = {}
    for name, path in study.records.items():
        files[f"records/{name}.ipynb"] = nbformat.writes(framed(study, path, name)) + "\n"
        if (curves := path.with_name(CURVES_TABLE)).exists():
            files[f"figures/curves-{name}.csv.gz"] = curves.read_bytes()
    return files | overview(study)


def framed(study: Study, path: Path, name: str) -> NotebookNode:
    """A lab record with a title, links back, its pictures' alternative texts and their data.

    It keeps no kernel: the book shows what the run wrote, and executes nothing.
    """
    notebook, curves = nbformat.read(path, as_version=4), path.with_name(CURVES_TABLE)
    cells = [new_markdown_cell(head(study, name))]
    for cell in filter(None, map(shown, notebook.cells)):
        cells.append(cell)
        if alt := picture_alt(cell):
            cell["metadata"]["mystnb"] = {"image": {"alt": alt, "classes": "figure"}}
            if curves.exists():
                cells.append(new_markdown_cell(source(study, f"curves-{name}.csv.gz", curves.read_bytes(), [name])))
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    return nbformat.v4.new_notebook(cells=cells, metadata={"language_info": {"name": "python"}})


def shown(cell: NotebookNode) -> NotebookNode | None:
    """What a page shows of a cell: its source, and of its outputs words and pictures; no HTML and no script."""
    if cell["cell_type"] == "markdown":
        return new_markdown_cell(cell["source"])
    if cell["cell_type"] != "code":
        return None
    outputs = []
    for output in cell["outputs"]:
        known = {kind: content for kind, content in output.get("data", {}).items() if kind in SHOWN}
        if known:
            outputs.append(new_output("display_data", known, metadata=output["metadata"]))
        elif output["output_type"] == "stream":
            outputs.append(new_output("stream", text=output["text"]))
    hidden = HIDDEN in cell["metadata"].get("tags", ())
    return new_code_cell(cell["source"], outputs=outputs, metadata={"tags": [HIDDEN]} if hidden else {})


def picture_alt(cell: NotebookNode) -> str:
    """The alternative text that the output of a cell has for its picture; empty without one."""
    return next((alt for output in cell.get("outputs", ())
                 if (alt := output.get("metadata", {}).get("image/png", {}).get("alt"))), "")


def head(study: Study, name: str) -> str:
    """The title of a record, what it is of, what training took, and what rests on it."""
    if name not in study.params.experiments:
        return "# Lab record: the exact checks\n\nSee [the exact checks](/mechanics.md)."
    text = (f"# Lab record: {name}\n\nThe record of training [{name}](#experiment-{name}), "
            f"{chain(study.params.experiments[name])}, as it was written by the run. "
            "It is shown, not executed again. " + timing(study, name)).rstrip()
    used = "; ".join(claim_link(c) for c in study.claims_on[name])
    return text + (f" Claims that rest on it: {used}." if used else "") + code(study, name)


def code(study: Study, name: str) -> str:
    """An experiment's Keras code, folded up: of its first variant on its first data set that are stored; empty without any."""
    path = study.records[name].with_name(LAYERS_TABLE)
    layers = read_table(path) if path.exists() else None
    known = set() if layers is None else {*zip(layers["variant"], layers["data"])}
    for arm in map(raw, study.plans.get(name, {}).get("arms", ())):
        if (arm["variant"], arm["data"]) in known:
            plan = raw({**study.plans[name], "arms": []}) | {"arms": [arm]}
            text = keras_code(plan, layers, raw(study.edges[study.edges["experiment"] == name]))
            return f"\n\n:::{{dropdown}} Keras code\n{fenced(text.rstrip(), 'python')}:::"
    return ""


def timing(study: Study, name: str) -> str:
    """How long an experiment trained, a step's share of it, and where; empty if not written down."""
    found = study.timings.get(name, {})
    if "trained" not in found:
        return ""
    text = f"{count(found['trained'], 'run')} took {number(found['seconds'], 'g')} s, compiling included"
    steps = _steps(study, name)
    if steps and found["trained"] == found["runs"]:
        text += f": {number(1000 * found['seconds'] / steps, '.2f')} ms for a step of one network"
    versions = ", ".join(f"{title} {found[key]}" for key, title in (
        ("python", "Python"), ("tensorflow", "TensorFlow"), ("keras", "Keras"), ("numpy", "NumPy")))
    return f"{text}. Trained on {count(found['cores'], 'core')} ({found['machine']}) with {versions}."


def _steps(study: Study, name: str) -> int:
    """The optimiser's steps in all stored runs of an experiment; 0 if something is not known."""
    arms = {(arm["variant"], arm["data"]): arm["train"] for arm in study.plans.get(name, {}).get("arms", ())}
    total = 0
    for (variant, data), runs in by_arm(study.records[name].with_name(RUNS_TABLE), "stopped").items():
        if (variant, data) not in arms or data not in study.sizes:
            return 0
        train = arms[variant, data]
        total += runs * (round(study.sizes[data] * train["train_fraction"]) // train["batch_size"])
    return total


def overview(study: Study) -> dict[str, str]:
    """Every stored lab record of an experiment, with its network and its data sets."""
    rows = [(record_link(study, name, plain(name)), chain(study.params.experiments[name]),
             where(study, name), f"[entry](#experiment-{name})")
            for name in study.records if name in study.params.experiments]
    text = table(["lab record", "layers", "data", ""], rows) or "No record is stored yet.\n"
    return {"generated/records.md": text}
