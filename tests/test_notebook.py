"""Records of notebooks: stable bytes, and an old record survives a failure."""

import copy

import nbformat
import pytest
from nbformat import v4

from pipeline.notebook import execute, stable


def executed(**differs):
    """An executed notebook; `differs` is what differs from run to run."""
    values = {"id": "one", "papermill": {"duration": 1.5}, "version": "3.11.7", "count": 3,
              "pieces": ["a\n", "b\n"], "warning": "W0000 12:00"} | differs
    outputs = [v4.new_output("stream", name="stdout", text=piece) for piece in values["pieces"]]
    outputs.insert(1, v4.new_output("stream", name="stderr", text=values["warning"]))
    outputs.append(v4.new_output("display_data", {"text/plain": "a figure"}))
    outputs.append(v4.new_output("stream", name="stdout", text="c\n"))
    outputs.append(v4.new_output("execute_result", {"text/plain": "1"}, execution_count=3))
    code = v4.new_code_cell("1", id=values["id"], execution_count=3, outputs=outputs,
                            metadata={"papermill": values["papermill"], "tags": ["parameters"],
                                      "execution": {"iopub.execute_input": values["version"]}})
    text = v4.new_markdown_cell("# A title", id=values["id"] + "x", metadata={"papermill": {}})
    return v4.new_notebook(cells=[text, code], metadata={
        "papermill": values["papermill"],
        "kernelspec": {"name": "python3", "display_name": "Python 3"},
        "language_info": {"name": "python", "version": values["version"]}})


@pytest.mark.parametrize("differs", [
    {"id": "two"}, {"papermill": {"duration": 9.0}}, {"version": "3.11.9"},
    {"pieces": ["a\nb", "\n"]}, {"warning": "another"}])
def test_records_of_two_runs_have_the_same_bytes(differs):
    one, two = executed(), executed(**differs)
    assert nbformat.writes(one) != nbformat.writes(two)
    assert nbformat.writes(stable(one)) == nbformat.writes(stable(two))


def test_a_record_keeps_what_was_found():
    record = stable(executed())
    nbformat.validate(record)
    outputs = record.cells[1].outputs
    assert [output.get("text") for output in outputs] == ["a\nb\n", None, "c\n", None]
    assert outputs[1].data == {"text/plain": "a figure"}
    assert outputs[3].execution_count == record.cells[1].execution_count
    assert record.cells[1].metadata == {"tags": ["parameters"]}
    assert record.cells[0].source == "# A title"
    assert [cell.id for cell in record.cells] == ["cell-0", "cell-1"]


def test_a_record_differs_where_the_numbers_do():
    one, two = executed(), executed(pieces=["a\n", "another\n"])
    assert stable(one) != stable(two)


def test_making_stable_twice_changes_nothing():
    once = stable(executed())
    assert stable(copy.deepcopy(once)) == once


# --- execution ---------------------------------------------------------------------------------

@pytest.fixture
def source(tmp_path, monkeypatch):
    """A folder with a notebook `tiny`, which has the parameter `number` and fails at 0."""
    monkeypatch.setenv("PYDEVD_DISABLE_FILE_VALIDATION", "1")
    cells = [v4.new_code_cell("number = 1", metadata={"tags": ["parameters"]}),
             v4.new_code_cell("import sys\nprint('half', flush=True)\n"
                              "print('noise', file=sys.stderr)\nprint(1 / number)")]
    made = v4.new_notebook(cells=cells, metadata={
        "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}})
    nbformat.write(made, tmp_path / "tiny.ipynb")
    return tmp_path


def test_an_unknown_parameter_is_an_error(source):
    target = source / "record.ipynb"
    with pytest.raises(ValueError, match=r"tiny\.ipynb: unknown parameters \['nummer'\]; known: "
                                         r"\['number'\]"):
        execute(source / "tiny.ipynb", target, {"nummer": "2"})
    assert not target.exists()


def test_a_notebook_is_executed_and_an_old_record_survives_a_failure(source):
    target = source / "records" / "record.ipynb"
    execute(source / "tiny.ipynb", target, {"number": 4})
    first = target.read_bytes()
    outputs = [output for cell in nbformat.read(target, 4).cells for output in cell.outputs]
    assert [output.text for output in outputs] == ["half\n0.25\n"]
    with pytest.raises(RuntimeError) as error:
        execute(source / "tiny.ipynb", target, {"number": 0})
    assert str(error.value).startswith(
        f"{source / 'tiny.ipynb'}: ZeroDivisionError: division by zero")
    assert "\x1b" not in str(error.value)
    assert target.read_bytes() == first
    assert [path.name for path in target.parent.iterdir()] == ["record.ipynb"]


def test_a_notebook_is_executed_in_a_folder_and_its_text_names_the_parameter(source):
    cells = [v4.new_markdown_cell("# Number {number}, of {others}"),
             v4.new_code_cell("number = 1", metadata={"tags": ["parameters"]}),
             v4.new_code_cell("from pathlib import Path\nprint(Path.cwd(), Path('beside').read_text())")]
    made = v4.new_notebook(cells=cells, metadata={
        "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}})
    nbformat.write(made, source / "named.ipynb")
    (source / "inside").mkdir()
    (source / "inside/beside").write_text("it lies")
    execute(source / "named.ipynb", source / "inside/record.ipynb", {"number": 4}, source / "inside")
    record = nbformat.read(source / "inside/record.ipynb", 4)
    assert record.cells[0].source == "# Number 4, of {others}"
    assert record.cells[-1].outputs[0].text == f"{(source / 'inside').resolve()} it lies\n"


def test_an_error_that_says_all_comes_without_a_traceback(source):
    cell = v4.new_code_cell("class Damaged(ValueError): pass\nraise Damaged('a.csv: changed')")
    made = v4.new_notebook(cells=[cell], metadata={
        "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}})
    nbformat.write(made, source / "plain.ipynb")
    with pytest.raises(RuntimeError) as error:
        execute(source / "plain.ipynb", source / "record.ipynb", {})
    assert str(error.value) == "a.csv: changed"


@pytest.mark.parametrize(("code", "said"), [
    ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", "its kernel was ended"),
    ("raise OSError(28, 'No space left on device', 'a.csv')", "[Errno 28] No space left on device: 'a.csv'")])
def test_a_kernel_that_is_killed_or_finds_the_disk_full_is_told_in_a_line(source, code, said):
    made = v4.new_notebook(cells=[v4.new_code_cell(code)], metadata={
        "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}})
    nbformat.write(made, source / "ends.ipynb")
    with pytest.raises(RuntimeError) as error:
        execute(source / "ends.ipynb", source / "record.ipynb", {})
    assert said in str(error.value) and "\n" not in str(error.value)
    assert not (source / "record.ipynb").exists()
