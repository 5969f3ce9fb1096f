"""The book's source follows params.yaml, the claims and the stored results, and nothing else."""

import hashlib
import json
import math
import re
import shutil
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest

from pipeline.book import markdown
from pipeline.book.assemble import assemble
from pipeline.book.html import build, mend, swap
from pipeline.book.pages import chapter as chapter_module, index as index_module
from pipeline.book.pages.cite import citation
from pipeline.book.pages.claims import ledger
from pipeline.book.pages.experiments import heat_map
from pipeline.book.pages.guide import guide
from pipeline.book.pages.index import front, front_figure, tally
from pipeline.book.pages.method import (
    arm_sentence, arm_table, data_table, detectable_table, rule_table, simulated_table)
from pipeline.book.study import answers, find_root, read
from pipeline.spec.base import read_yaml
from pipeline.spec.claims import read_claims
from pipeline.spec.params import load
from pipeline.spec.tables import CELL_COLUMNS, TABLES, VERDICT_COLUMNS

ROOT = Path(__file__).parents[2]
PARAMS = """\
data:
  forecast: {group: sequences, source: forecast, seeds: 30, title: a forecast}
  digits:   {group: images, source: digits, seeds: 60}

layers:
  conv: {Conv1D: {filters: 10, kernel_size: 3}}
  bn: BatchNormalization
  relu: {Activation: relu}
  lstm: {LSTM: {units: 15}}

experiments:
  # The first network
  plain:  {data: [sequences, images], layers: [conv, relu, lstm]}
  before: {data: sequences, layers: [conv, bn, relu, lstm], versus: plain}  # a remark
  after:
    data: sequences
    layers: [conv, relu, bn, lstm]
    versus: plain

  recurrent:
    {data: sequences, layers: [conv, relu, {lstm: {recurrent_dropout: 0.2}}], versus: plain}

train:
  epochs: 2
  batch_size: 8
  optimizer: Adam
  learning_rate: 0.01
  learning_rates: [0.01]
  tuning_seeds: 2
"""
CLAIMS = """\
- slug: before_is_better
  rows: [A6]
  who: thread A, answer
  says: Before is better.
  topic: sequences
  predicts: {by: thread, region: better}
  contrasts: [{treatment: before, control: after}]
- slug: exact_one
  rows: [B2]
  who: thread B, question
  says: A layer that is never added does nothing.
  topic: mechanics
  checks: [never_added]
- slug: not_yet
  rows: [B9]
  who: thread B, comment
  says: It depends.
  topic: something_new
  predicts: {by: ours, region: differs, quantifier: some}
  contrasts: [{treatment: after, control: plain}]
"""


ANSWERS = """
sequences:
  question: Where does it go?
  answers:
    - claim: before_is_better
      supported: Put it before.
      opposite: Put it after.
      no_effect: Put it anywhere.
      undecided: Nobody knows.
    - claim: exact_one
      "true": It does nothing.
    - claim: another_project
      supported: It is not declared here.
"""


def cell(**values):
    numbers = {"m": 1, "seeds": 30, "effect": 0.3, "low": 0.2, "high": 0.4,
               "margin": math.log(1.1), "control_mean": 1.0, "treatment_mean": 0.74,
               "diverged_treatment": 0.0, "diverged_control": 0.0, "detectable": 0.2}
    return dict.fromkeys(CELL_COLUMNS, "") | numbers | {
        "control": "plain", "data": "forecast", "metric": "error", "endpoint": "best",
        "scale": "log ratio", "label": "better", "sign": "+"} | values


@pytest.fixture
def project(tmp_path):
    """A project of four experiments and three claims, one of them without a result."""
    (tmp_path / "params.yaml").write_text(PARAMS)
    shutil.copytree(ROOT / "book", tmp_path / "book", ignore=shutil.ignore_patterns("_build"))
    (tmp_path / "book/claims.yaml").write_text(CLAIMS)
    stored = tmp_path / "results/verdicts"
    stored.mkdir(parents=True)
    claimed = cell(claim="before_is_better", treatment="before", control="after", region="better",
                   position="for", why="only a hand-made reason")
    pd.DataFrame([claimed]).to_csv(stored / "cells.csv", index=False)
    pd.DataFrame([cell(treatment="before"),
                  cell(treatment="after", effect=-0.3, low=-0.4, high=-0.2, label="worse",
                       sign="-"),
                  cell(treatment="recurrent", effect=0.0, low=-0.02, high=0.02,
                       label="equivalent")]).to_csv(stored / "comparisons.csv", index=False)
    row = dict.fromkeys(VERDICT_COLUMNS, "")
    pd.DataFrame([
        row | {"slug": "before_is_better", "verdict": "supported",
               "reads": "supported on forecast", "D": 1, "F": 1, "A": 0, "k": 1,
               "scope": "forecast", "fragile": True},
        row | {"slug": "exact_one", "verdict": "true", "reads": "true", "D": 0, "F": 0, "A": 0,
               "k": 0, "fragile": False}]).to_csv(stored / "verdicts.csv", index=False)
    pd.DataFrame([("before_is_better", "margin halved", "supported"),
                  ("before_is_better", "margin doubled", "contradicted")],
                 columns=["claim", "change", "verdict"]).to_csv(stored / "robustness.csv",
                                                                index=False)
    checks = tmp_path / "results/mechanics"
    checks.mkdir()
    pd.DataFrame([("never_added", "it does nothing", "0", "0", 0.0, True)],
                 columns=TABLES["checks"]).to_csv(checks / "checks.csv", index=False)
    for name in ("plain", "before", "left_over"):
        folder = tmp_path / "results/runs" / name
        folder.mkdir(parents=True)
        record = nbformat.v4.new_notebook(metadata={"language_info": {"name": "python"}})
        output = nbformat.v4.new_output("display_data", data={"image/png": "AAAA"},
                                        metadata={"image/png": {"alt": "what it shows"}})
        record.cells = [nbformat.v4.new_code_cell("curves", outputs=[output])]
        nbformat.write(record, folder / "record.ipynb")
        (folder / "runs.csv").write_text("experiment,seed\n" + f"{name},1\n" * 3)
    return tmp_path


def assembled(project):
    target = project / "build/source"
    assemble(project, target)
    return target


def listed(source):
    """Every page of an assembled table of contents, those below other pages too."""
    contents = read_yaml(source / "_toc.yml")
    chapters = [chapter for part in contents["parts"] for chapter in part["chapters"]]
    below = [entry for chapter in chapters for entry in chapter.get("sections", [])]
    return [contents["root"], *(entry["file"] for entry in chapters + below)]


def test_every_page_of_the_table_of_contents_exists(project):
    source = assembled(project)
    for page in listed(source):
        assert any((source / f"{page}{end}").exists() for end in (".md", ".ipynb")), page


def test_params_and_claims_say_which_pages_there_are(project):
    source = assembled(project)
    found = set(listed(source))
    assert {"claims/before_is_better", "claims/exact_one", "claims/not_yet", "experiments",
            "records/plain", "records/before", "something_new"} <= found
    # A folder that params.yaml does not name is not shown; an experiment without a record has none.
    assert "records/left_over" not in found and "records/after" not in found


def test_every_link_and_picture_leads_somewhere(project):
    source = assembled(project)
    text = "".join(path.read_text() for path in source.rglob("*.md"))
    anchors = set(re.findall(r"^\(([\w-]+)\)=$", text, flags=re.M))
    for link in re.findall(r"\]\((/[^)\s]+)\)", text):
        assert (source / link[1:]).exists(), link
    for anchor in re.findall(r"\]\(#([^)]+)\)", text):
        assert anchor in anchors
    pictures = set(re.findall(r"\{image\} /(\S+)", text))
    assert "figures/heat_map.svg" in pictures
    for picture in pictures | set(re.findall(r"\{download\}`\S+ </(\S+)>`", text)):
        assert (source / picture).exists(), picture
    for included in re.findall(r"\{include\} (\S+)", text):
        assert (source / included).exists()


def test_a_claims_page_has_all_that_decides_it(project):
    page = (assembled(project) / "claims/before_is_better.md").read_text()
    for part in ("(before_is_better)=", "# Before is better", "`supported on forecast`",
                 "`fragile`",
                 "1 of 1 comparison on forecast came out as predicted",
                 "The thread's prediction: test error lower by more than the margin",
                 "figures/claim-before_is_better.svg", ":alt: Forest plot of the test error.",
                 "26 % lower test error (95 % interval 18 % to 33 %)", "only a hand-made reason",
                 "| supported | supported | contradicted |", "[before](#experiment-before)",
                 "[lab record](/records/before.ipynb)", "Thread A, answer; row A6"):
        assert part in page, part


def test_below_a_figure_stand_its_data_their_hash_its_experiments_and_records(project):
    source = assembled(project)
    page = (source / "claims/before_is_better.md").read_text()
    line = re.search(r"^Drawn from .*$", page, flags=re.M)[0]
    data = (source / "figures/claim-before_is_better.csv").read_bytes()
    assert f"SHA-256 `{hashlib.sha256(data).hexdigest()[:12]}…`" in line
    rows = pd.read_csv(source / "figures/claim-before_is_better.csv")
    assert (rows["treatment"][0], rows["effect"][0], len(rows)) == ("before", 0.3, 1)
    assert ("[before](#experiment-before) ([record](/records/before.ipynb)), "
            "[after](#experiment-after).") in line


def test_the_ledger_has_a_row_a_claim_with_its_anchor_topic_and_thread(project):
    study = read(project)
    rows = [line.split(" | ") for line in ledger(study).splitlines() if "<span" in line]
    assert [re.search(r'id="(\w+)"', row[0])[1] for row in rows] == [c.slug for c in study.claims]
    assert [row[3] for row in rows] == ["A", "B", "B"]
    assert "[Sequences](/sequences.md)" in rows[0]
    header = ledger(study).splitlines()[1]
    script = (ROOT / "book/_static/ledger.js").read_text()
    for column in re.findall(r"^    (\w+): \(cell\) =>", script, flags=re.M):
        assert f"| {column} |" in header


def test_a_claims_page_stands_below_its_chapter(project):
    contents = read_yaml(assembled(project) / "_toc.yml")
    chapters = {chapter["file"]: [below["file"] for below in chapter.get("sections", ())]
                for part in contents["parts"] for chapter in part["chapters"]}
    assert chapters["sequences"] == ["claims/before_is_better"]
    assert chapters["something_new"] == ["claims/not_yet"] and chapters["claims"] == []


def test_a_record_says_what_a_step_took_and_where(project):
    # 3 runs of 2 epochs of 100 // 8 = 12 steps: 72 steps in 3.6 s are 50 ms each.
    (project / "results/runs/plain/runs.csv").write_text(
        "experiment,variant,data,seed\n" + "plain,,forecast,1\n" * 3)
    (project / "plan").mkdir()
    arm = {"data": "forecast", "variant": "", "classes": 0, "shape": [5, 2],
           "train": {"epochs": 2, "batch_size": 8, "train_fraction": 0.5}}
    (project / "plan/plain.json").write_text(json.dumps({"arms": [arm]}))
    (project / "data").mkdir()
    np.savez(project / "data/forecast.npz", train=np.array(200))
    (project / "timings").mkdir()
    (project / "timings/plain.json").write_text(json.dumps({
        "seconds": 3.6, "trained": 3, "runs": 3, "python": "3.11.7", "machine": "x86_64",
        "cores": 2, "keras": "3.1", "numpy": "2.1", "tensorflow": "2.2"}))
    record = nbformat.read(assembled(project) / "records/plain.ipynb", as_version=4)
    assert ("3 runs took 3.6 s, compiling included: 50.00 ms for a step of one network. Trained on "
            "2 cores (x86_64) with Python 3.11.7, TensorFlow 2.2") in record.cells[0].source
    other = nbformat.read(project / "build/source/records/before.ipynb", as_version=4)
    assert "Trained on" not in other.cells[0].source


def test_the_citation_is_that_of_the_file(project):
    (project / "CITATION.cff").write_text(
        'title: "A book"\nauthors: [{name: The makers}, {given-names: Ada, family-names: Byron}]\n'
        "license: MIT\nversion: 1.2.3\ndate-released: 2031-05-06\n")
    text = citation(read(project))
    assert "> The makers, Ada Byron (2031). *A book*. Version 1.2.3." in text
    assert "author = {{The makers} and {Ada Byron}}" in text and "year = {2031}" in text


def test_an_identity_shows_its_checks_and_a_claim_without_result_says_so(project):
    source = assembled(project)
    assert "| `never_added` | It does nothing | 0 | 0 | yes |" in (
        source / "claims/exact_one.md").read_text()
    page = (source / "claims/not_yet.md").read_text()
    assert "`not measured`" in page and "No stored result decides" in page
    assert "Our prediction, as the thread makes none" in page


def test_experiments_are_shown_with_their_exact_lines(project):
    source = assembled(project)
    assert "- [Sequences](/experiments/sequences.md): 4 experiments" in (
        source / "experiments.md").read_text()
    page = (source / "experiments/sequences.md").read_text()
    for name, lines in (
            ("before", "before: {data: sequences, layers: [conv, bn, relu, lstm], versus: plain}"
                       "  # a remark"),
            ("after", "after:\n  data: sequences\n  layers: [conv, relu, bn, lstm]\n"
                      "  versus: plain")):
        assert f"(experiment-{name})=" in page
        assert f"```yaml\n{lines}\n```" in page
    assert "`bn` after `conv`" in page and "`bn` after `relu`" in page
    assert "`lstm(recurrent_dropout=0.2)` instead of `lstm`" in page


def test_records_get_a_title_links_back_and_their_texts(project):
    source = assembled(project)
    record = nbformat.read(source / "records/before.ipynb", as_version=4)
    assert record.cells[0].source.startswith("# Lab record: before")
    assert "(#experiment-before)" in record.cells[0].source
    assert "(/claims/before_is_better.md)" in record.cells[0].source
    assert record.cells[1].metadata["mystnb"]["image"]["alt"] == "what it shows"
    assert [c["id"] for c in record.cells] == ["cell-0", "cell-1"]


def test_a_records_curves_can_be_downloaded_and_have_their_hash(project):
    curves = project / "results/runs/before/curves.csv.gz"
    curves.write_bytes(b"some curves")
    source = assembled(project)
    line = nbformat.read(source / "records/before.ipynb", as_version=4).cells[2].source
    # echo -n "some curves" | sha256sum
    assert "`curves-before.csv.gz </figures/curves-before.csv.gz>`, SHA-256 `92e86e3f20c0…`" in line
    assert (source / "figures/curves-before.csv.gz").read_bytes() == b"some curves"


def test_assembling_again_gives_the_same_bytes_and_drops_what_is_gone(project):
    def snapshot(source):
        return {p.relative_to(source): p.read_bytes() for p in source.rglob("*") if p.is_file()}

    source = assembled(project)
    before = snapshot(source)
    (source / "old.md").write_text("left over")
    assert snapshot(assembled(project)) == before


def test_without_any_result_every_page_still_stands(project):
    shutil.rmtree(project / "results")
    source = assembled(project)
    for page in listed(source):
        assert (source / f"{page}.md").exists()
    study = read(project)
    for table in (rule_table, data_table, arm_table, simulated_table,
                  detectable_table, arm_sentence, tally, heat_map,
                  citation, front, front_figure, guide):
        assert isinstance(table(study), str)
    assert index_module.numbers(study)["runs"] == 0


def test_numbers_count_what_is_stored(project):
    found = index_module.numbers(read(project))
    assert (found["claims"], found["experiments"], found["data_sets"]) == (3, 4, 2)
    # Three rows in each of two experiments; the folder that params.yaml does not name is not read.
    assert found["runs"] == 6
    assert (found["supported"], found["true"], found["not_measured"]) == (1, 1, 1)


def test_an_answer_is_the_sentence_of_its_claims_verdict(project):
    (project / "book/answers.yaml").write_text(ANSWERS)
    study = read(project)
    first, second = answers(study, "sequences")
    assert first["sentence"] == "Put it before." and list(first["cells"]["effect"]) == [0.3]
    assert second["sentence"] == "It does nothing." and not len(second["cells"])
    assert answers(study, "elsewhere") == []
    chapter = chapter_module.chapter(study, "sequences")
    assert "Put it before. It does nothing." in chapter
    assert "1 of 1 comparison as predicted, 0 against; 30 seeds each" in chapter
    assert tally(study) == (
        "Of 3 claims: **1 supported, 1 not measured**; decided by exact checks: **1 true**.\n")


@pytest.mark.parametrize(("verdict", "way", "sentence"), [
    ("contradicted", "the opposite effect", "Put it after."),
    ("contradicted", "no effect of that size", "Put it anywhere."),
    ("undecided", "", "Nobody knows.")])
def test_another_verdict_gives_another_sentence(project, verdict, way, sentence):
    (project / "book/answers.yaml").write_text(ANSWERS)
    path = project / "results/verdicts/verdicts.csv"
    table = pd.read_csv(path, keep_default_na=False)
    table.loc[0, ["verdict", "reads", "way"]] = [verdict, verdict, way]
    table.to_csv(path, index=False)
    assert answers(read(project), "sequences")[0]["sentence"] == sentence


def test_every_chapter_opens_with_two_answers_that_no_verdict_leaves_silent():
    params = load(ROOT / "params.yaml")
    claims = {claim.slug: claim for claim in read_claims(ROOT / "book/claims.yaml")}
    found = read_yaml(ROOT / "book/answers.yaml")
    assert set(found) == {claim.topic for claim in claims.values()}
    for topic, chapter in found.items():
        assert set(chapter) <= {"question", "sweeps", "answers"}
        assert {name for names in chapter.get("sweeps", ()) for name in names} <= set(params.experiments)
        assert len(chapter["answers"]) == 2 and chapter["question"].endswith("?")
        assert (ROOT / "book" / f"{topic}.md").exists()
        for answer in chapter["answers"]:
            claim = claims[answer["claim"]]
            assert claim.topic == topic, answer
            words = {"true", "false"} if claim.checks else {
                "supported", "opposite", "no_effect", "mixed", "undecided"}
            assert set(answer) == {"claim", *words}, answer


def test_the_nearest_folder_with_params_is_the_root(project):
    assert find_root(project / "results/runs") == project
    with pytest.raises(FileNotFoundError, match="no params.yaml in"):
        find_root(Path("/"))


def test_table_cells_cannot_break_a_table():
    assert markdown.table(["a"], [["x|y\nz"]]) == "| a |\n| --- |\n| x\\|y z |\n"
    assert markdown.table(["a"], []) == ""


def test_boxes_that_scroll_can_be_reached_and_toggles_have_a_name(tmp_path):
    page = tmp_path / "claims/one.html"
    page.parent.mkdir()
    page.write_text('<summary><span class="toctree-toggle" role="x"></span></summary><div class="scroll '
                    'docutils"><p>a</p></div><div class="pst-scrollable-table-container"></div>')
    mend(tmp_path)
    text = page.read_text()
    assert text.count('tabindex="0"') == 2 and 'aria-label="pages below"' in text
    mend(tmp_path)
    assert page.read_text() == text


def test_scripts_that_nothing_needs_are_left_out_and_the_search_keeps_its_index(tmp_path):
    icons = '<script defer src="../_static/scripts/fontawesome.js?digest=0"></script>'
    index, other = '<script src="searchindex.js"></script>', '<script src="_static/book.js"></script>'
    for name in ("index.html", "search.html"):
        (tmp_path / name).write_text(icons + index + other)
    mend(tmp_path)
    assert (tmp_path / "index.html").read_text() == other
    assert (tmp_path / "search.html").read_text() == index + other


def test_the_first_button_of_a_page_is_the_one_that_is_shown(tmp_path):
    page = tmp_path / "index.html"
    page.write_text('<header id="pst-header" class="a">\n<button class="b"></button>\n</header>'
                    '<header><button class="c"></button></header>')
    mend(tmp_path)
    assert page.read_text() == ('<header id="pst-header" class="a"></header>'
                                '<header><button class="c"></button></header>')


def test_swap_keeps_one_whole_book(tmp_path):
    new, old = tmp_path / "new", tmp_path / "html"
    for folder, text in ((new, "new"), (old, "old")):
        folder.mkdir()
        (folder / "index.html").write_text(text)
    swap(new, old)
    assert (old / "index.html").read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["html"]


def test_a_failed_build_says_why_and_leaves_the_old_book(tmp_path, monkeypatch):
    html = tmp_path / "build/html"
    html.mkdir(parents=True)
    (html / "index.html").write_text("old")

    class Done:
        returncode, stdout = 1, "WARNING: a page is missing"

    monkeypatch.setattr("subprocess.run", lambda *a, **k: Done)
    with pytest.raises(RuntimeError, match="WARNING: a page is missing"):
        build(tmp_path, tmp_path / "build/source", html)
    assert (html / "index.html").read_text() == "old"


def prose(text):
    """A page without its head, code, directives' options, roles and addresses of links."""
    text = re.sub(r"\A---\n.*?\n---\n", "", text, flags=re.S)
    text = re.sub(r"^```.*?^```", "", text, flags=re.S | re.M)
    text = re.sub(r"^:.*$", "", text, flags=re.M)
    text = re.sub(r"\{[\w:]+\}`[^`]*`|`[^`]*`", "", text)
    return re.sub(r"\]\([^)]*\)", "]", text)


@pytest.mark.parametrize("page", ["index", "order", "lstm", "output", "dropout",
                                  "selu", "squeeze_excite", "pooling", "learning_rate", "mechanics",
                                  "old_code", "claims", "records", "limits", "guide", "cite"])
def test_no_number_is_typed_where_results_are_reported(page):
    text = prose((ROOT / "book" / f"{page}.md").read_text())
    # A digit that belongs to a name, such as Conv2D, is no number.
    assert re.findall(r"(?<![A-Za-z])\d[\d.,]*", text) == []


def test_prose_keeps_a_typed_number_and_drops_a_glued_one():
    text = prose("---\na: 1\n---\nIn 12 % of {glue:text}`index.md::runs:.0f` runs.\n```\n3\n```\n")
    assert text.split() == ["In", "12", "%", "of", "runs."]


def test_pages_of_the_book_exist():
    contents = read_yaml(ROOT / "book/_toc.yml")
    for page in [contents["root"], *(c["file"] for p in contents["parts"] for c in p["chapters"])]:
        assert page == "experiments" or (ROOT / "book" / f"{page}.md").exists()


def test_glued_names_are_those_that_the_first_page_glues(project):
    known = set(index_module.numbers(read(project)))
    for path in (ROOT / "book").glob("*.md"):
        for name in re.findall(r"index\.md::(\w+):", path.read_text()):
            assert name in known, f"{path.name}: {name}"


def test_evidence_names_rows_and_a_reference():
    references = (ROOT / "book/references.bib").read_text()
    for entry in read_yaml(ROOT / "book/evidence.yaml"):
        assert set(entry) == {"rows", "says", "cite"}
        assert all(re.fullmatch(r"[AB]\d+", row) for row in entry["rows"])
        assert entry["says"] and f"{{{entry['cite']}," in references
