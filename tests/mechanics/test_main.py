"""The stage stores its tables and its record together, and refuses what was changed by hand."""

import pytest

from pipeline.mechanics import __main__ as stage_module
from pipeline.tables.stored import MECHANICS, Damaged, read_table
from tests.locked import lock


@pytest.fixture
def main(tmp_path, monkeypatch):
    """The stage, its checks replaced by a table of one row."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RETRAIN", raising=False)

    def execute(source, target, parameters):
        target.with_name("checks.csv").write_text("check,holds\none,True\n")
        target.write_text("{}\n")

    monkeypatch.setattr(stage_module, "execute", execute)
    return stage_module.main


def test_tables_and_record_are_stored_together(main):
    assert main() == 0
    assert {path.name for path in MECHANICS.iterdir()} == {"checks.csv", "record.ipynb"}
    assert list(read_table(MECHANICS / "checks.csv")["check"]) == ["one"]


def test_a_check_that_was_changed_by_hand_is_refused(main, capsys):
    assert main() == 0
    path = MECHANICS / "checks.csv"
    lock(mechanics=([], [MECHANICS]))
    path.write_text("check,holds\none,False\n")
    assert main() == 1
    assert capsys.readouterr().err.startswith(f"error: {MECHANICS}: its content is not what was stored")
    assert path.read_text().endswith("False\n")
    with pytest.raises(Damaged):
        read_table(path)
