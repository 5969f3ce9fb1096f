"""A lab record's page: what its run wrote, in a frame, with its picture's text and its data's hash."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from html import unescape
from pathlib import Path

import nbformat
import pytest
from ruamel.yaml import YAML

from pipeline.book.escape import inert
from pipeline.book.html import build
from pipeline.book.pages.record import framed, head, overview, timing, write
from pipeline.book.study import read
from pipeline.config.read_yaml import read_yaml
from pipeline.data.sources import make, write as write_arrays
from pipeline.plan.code import pins

ROOT = Path(__file__).parents[3]
TRAIN = {"epochs": 2, "batch_size": 8, "optimizer": "Adam", "learning_rates": [0.01],
         "scaling": "standard", "train_fraction": 1.0, "repetition": 0}


@pytest.fixture
def study(project):
    """A study whose records a test may change."""
    return read(project)


def test_a_record_gets_a_title_links_back_and_its_text_and_loses_its_kernel(study):
    record = framed(study, study.records["before"], "before")
    assert record.cells[0].source.startswith("# Lab record: before")
    assert "(#experiment-before)" in record.cells[0].source
    assert "(#claim-before_helps)" in record.cells[0].source
    assert record.cells[1].metadata["mystnb"]["image"]["alt"] == "what it shows"
    assert [c["id"] for c in record.cells] == ["cell-0", "cell-1"]
    assert "kernelspec" not in record.metadata


def test_its_curves_can_be_downloaded_and_have_their_hash(study):
    study.records["before"].with_name("curves.csv.gz").write_bytes(b"some curves")
    files = write(study)
    line = nbformat.reads(files["records/before.ipynb"], as_version=4).cells[2].source
    # echo -n "some curves" | sha256sum
    assert "`curves-before.csv.gz </figures/curves-before.csv.gz>`, SHA-256 `92e86e3f20c0…`" in line
    assert files["figures/curves-before.csv.gz"] == b"some curves"
    assert "figures/curves-plain.csv.gz" not in files


def test_the_record_of_the_checks_leads_to_their_chapter(study):
    study.records["mechanics"] = study.records["before"]
    text = framed(study, study.records["mechanics"], "mechanics").cells[0].source
    assert text == "# Lab record: the exact checks\n\nSee [the exact checks](/mechanics.md)."


def test_a_record_shows_the_keras_code_of_its_first_stored_network_folded_up(study):
    item = {"word": "x", "class": "Einsum", "arguments": {"equation": "ab*,*c->a_c"}}
    arm = {"data": "tides", "shape": [9, 2], "task": {"classes": 0, "targets": 1, "quantiles": []},
           "train": TRAIN | {"patience": 1}, "network": {"layers": [item], "head": []}}
    plan = {"experiment": "plain", "arms": [arm | {"variant": "a*b"}, arm | {"variant": ""}]}
    study = replace(study, plans={"plain": inert(plan)})
    assert "dropdown" not in head(study, "plain")
    study.records["plain"].with_name("layers.csv").write_text(
        "variant,data,layer,class,shape,parameters\n,tides,x_1,Einsum,(batch),0\n")
    text = head(study, "plain").partition("\n\n:::{dropdown} Keras code\n```python\n# plain on tides\n")[2]
    assert 'layers.Einsum(equation="ab*,*c->a_c"),' in text and text.endswith(")\n```\n:::")


@pytest.fixture
def timed(study):
    """3 runs of 1 to 3 epochs of 100 // 8 = 12 steps: 72 steps in 3.6 s are 50 ms each."""
    arm = {"data": "tides", "variant": "", "train": {"epochs": 60, "batch_size": 8, "train_fraction": 0.5}}
    took = {"seconds": 3.6, "trained": 3, "runs": 3, "python": "3.11.7", "machine": "x86_64", "cores": 2,
            "keras": "3.1", "numpy": "2.1", "tensorflow": "2.2"}
    rows = "".join(f"plain,,tides,1,{epochs}\n" for epochs in (1, 2, 3))
    study.records["plain"].with_name("runs.csv").write_text("experiment,variant,data,seed,stopped\n" + rows)
    return replace(study, plans={"plain": {"arms": [arm]}}, sizes={"tides": 200}, timings={"plain": took})


def test_a_record_says_what_a_step_took_and_where(timed):
    words = ("3 runs took 3.6 s, compiling included: 50.00 ms for a step of one network. Trained on "
             "2 cores (x86_64) with Python 3.11.7, TensorFlow 2.2")
    assert timing(timed, "plain").startswith(words)
    assert words in framed(timed, timed.records["plain"], "plain").cells[0].source
    assert timing(timed, "before") == ""


def test_a_step_is_not_timed_where_some_runs_were_stored_or_samples_are_unknown(timed):
    some = {"plain": timed.timings["plain"] | {"trained": 2}}
    for other in (replace(timed, timings=some), replace(timed, sizes={})):
        assert "ms for a step" not in timing(other, "plain")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The results of the stage `train`, as it writes them, of two runs of two epochs."""
    folder = tmp_path_factory.mktemp("study")
    network = {"layers": [{"word": "dense", "class": "Dense", "arguments": {"units": 2}}],
               "head": [{"word": "Activation", "class": "Activation", "arguments": {"activation": "softmax"}}]}
    arm = {"variant": "", "data": "tables", "shape": [4], "task": {"classes": 2, "targets": 1, "quantiles": []}, "network": network, "train": TRAIN}
    (folder / "plan").mkdir()
    (folder / "plan/before.json").write_text(json.dumps({
        "experiment": "before", "arms": [arm], "numerics": 1, "versions": pins(),
        "data": {"tables": {"digest": "0", "seeds": 2}}}))
    write_arrays(make("tabular", [3000, 3001], train=24, validation=24, test=24, features=4), folder / "data/tables.npz")
    done = subprocess.run([sys.executable, "-m", "pipeline.train", "before"], cwd=folder, text=True,
                          capture_output=True, env=os.environ | {"PYTHONPATH": str(ROOT)})
    assert done.returncode == 0, done.stderr
    return folder / "results/runs/before"


@pytest.mark.slow
def test_a_record_that_the_stage_wrote_has_its_pictures_text(trained, study):
    record = framed(replace(study, records={"before": trained / "record.ipynb"}), trained / "record.ipynb", "before")
    drawn, = (number for number, cell in enumerate(record.cells) if "mystnb" in cell.metadata)
    assert record.cells[drawn].metadata["mystnb"]["image"]["alt"].startswith(
        "Learning curves: on tables (2 seeds) the median best epoch is ")
    digest = hashlib.sha256((trained / "curves.csv.gz").read_bytes()).hexdigest()[:12]
    assert f"SHA-256 `{digest}…`" in record.cells[drawn + 1].source
    # Nothing in it differs from run to run.
    assert not re.search(r" at 0x[0-9a-f]+>|\d{4}-\d\d-\d\dT", (trained / "record.ipynb").read_text())


@pytest.mark.slow
def test_the_page_of_a_record_shows_picture_text_and_data_line(trained, study, tmp_path):
    source = tmp_path / "source"
    for path, content in write(replace(study, records={"before": trained / "record.ipynb"})).items():
        (source / path).parent.mkdir(parents=True, exist_ok=True)
        (source / path).write_bytes(content if isinstance(content, bytes) else content.encode())
    shutil.rmtree(source / "generated")
    (source / "index.md").write_text("(experiment-before)=\n# A book\n\n{anchor}`claim-before_helps` {anchor}`claim-order_matters`\n")
    (source / "references.bib").write_text("")
    (source / "_static").mkdir()
    (source / "_static/icon.svg").write_text("<svg/>")
    (source / "_config.yml").write_text((ROOT / "book/_config.yml").read_text())
    with (source / "_toc.yml").open("w") as file:
        YAML().dump({"format": "jb-book", "root": "index", "chapters": [{"file": "records/before"}]}, file)
    build(ROOT, source, tmp_path / "html")

    page = (tmp_path / "html/records/before.html").read_text()
    image, = re.findall(r'<img alt="([^"]*)"[^>]*class="figure[^>]*>', page)
    assert unescape(image).startswith("Learning curves: on tables (2 seeds)")
    digest = hashlib.sha256((trained / "curves.csv.gz").read_bytes()).hexdigest()[:12]
    assert f"{digest}…" in page
    address, = re.findall(r'href="\.\./(_downloads/[^"]*curves-before\.csv\.gz)"', page)
    assert (tmp_path / "html" / address).read_bytes() == (trained / "curves.csv.gz").read_bytes()
    assert read_yaml(source / "_config.yml")["execute"]["execute_notebooks"] == "off"


def test_the_list_has_every_stored_record(study):
    recorded = replace(study, records=study.records | {"mechanics": Path("record.ipynb")})
    rows = [line for line in overview(recorded)["generated/records.md"].splitlines() if "/records/" in line]
    family = "the 12 data sets of the family [sequences](/data_sets.md)"
    assert rows == [
        f"| [plain](/records/plain.ipynb) | `conv → relu → lstm` | {family}, badly_scaled, noise | "
        "[entry](#experiment-plain) |",
        f"| [before](/records/before.ipynb) | `conv → bn → relu → lstm` | {family} | [entry](#experiment-before) |"]


def test_without_a_record_that_is_said(study):
    assert overview(replace(study, records={}))["generated/records.md"] == "No record is stored yet.\n"
