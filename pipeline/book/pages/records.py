"""Lab records: their list, their frame, what training took."""

from __future__ import annotations

from pathlib import Path

import nbformat

from pipeline.book.markdown import claim_link, record_link, source, table
from pipeline.book.study import Study
from pipeline.book.words import chain, count, short
from pipeline.results import CURVES_TABLE


def timing(study: Study, name: str) -> str:
    """How long an experiment trained, a step's share of it, and where; empty if not written down."""
    found = study.timings.get(name, {})
    if "trained" not in found:
        return ""
    text = f"{count(found['trained'], 'run')} took {found['seconds']:g} s, compiling included"
    steps = _steps(study, name)
    if steps and found["trained"] == found["runs"]:
        text += f": {1000 * found['seconds'] / steps:.2f} ms for a step of one network"
    versions = ", ".join(f"{title} {found[key]}" for key, title in (
        ("python", "Python"), ("tensorflow", "TensorFlow"), ("keras", "Keras"), ("numpy", "NumPy")))
    return f"{text}. Trained on {count(found['cores'], 'core')} ({found['machine']}) with {versions}."


def _steps(study: Study, name: str) -> int:
    """The optimiser's steps in all stored runs of an experiment; 0 if something is not known."""
    arms = {(arm["variant"], arm["data"]): arm for arm in study.plans.get(name, {}).get("arms", ())}
    total = 0
    for place, runs in study.trained.get(name, {}).items():
        arm = arms.get(place)
        if arm is None or arm["data"] not in study.sizes:
            return 0
        train = arm["train"]
        samples = round(study.sizes[arm["data"]] * train["train_fraction"])
        total += runs * train["epochs"] * (samples // train["batch_size"])
    return total


def records(study: Study) -> str:
    """The list of lab records."""
    rows = [(record_link(study, name, name), chain(study.params.experiments[name]),
             ", ".join(study.params.data_sets(name)), f"[entry](#experiment-{name})")
            for name in study.records]
    return table(["lab record", "layers", "data sets", ""], rows) or "No record is stored yet.\n"


def framed_record(study: Study, path: Path, name: str) -> nbformat.NotebookNode:
    """A lab record with a title, links back, and its pictures' alternative texts."""
    notebook = nbformat.read(path, as_version=4)
    if name in study.params.experiments:
        used = [c for c in study.claims if name in c.experiments]
        back = (f"The record of training [{name}](#experiment-{name}), "
                f"{chain(study.params.experiments[name])}, as it was written by the run. "
                "It is shown, not executed again. " + timing(study, name)).rstrip()
        if used:
            back += " Claims that rest on it: " + "; ".join(
                claim_link(c, short(c.slug)) for c in used) + "."
        title = f"# Lab record: {name}"
    else:
        title, back = "# Lab record: the exact checks", "See [the exact checks](/mechanics.md)."
    cells, curves = [nbformat.v4.new_markdown_cell(f"{title}\n\n{back}")], path.with_name(CURVES_TABLE)
    for cell in notebook.cells:
        cells.append(cell)
        for output in cell.get("outputs", []):
            alt = output.get("metadata", {}).get("image/png", {}).get("alt")
            if alt:
                cell["metadata"]["mystnb"] = {"image": {"alt": alt, "classes": "figure"}}
            if alt and curves.exists():
                cells.append(nbformat.v4.new_markdown_cell(source(
                    study, f"curves-{name}.csv.gz", curves.read_bytes(), [name])))
    notebook.cells = cells
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number}"
    return notebook
