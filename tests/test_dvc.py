"""DVC as its users expect it: what it writes into params.yaml is the value that was set, and nothing else."""

import difflib
import shutil
from pathlib import Path

import pytest
from dvc.utils.hydra import apply_overrides
from dvc.utils.serialize import dumps_yaml, parse_yaml_for_update

PARAMS = Path("params.yaml")


def test_params_stand_as_dvc_would_write_them():
    text = PARAMS.read_text()
    assert dumps_yaml(parse_yaml_for_update(text, PARAMS)) == text


@pytest.mark.parametrize(("setting", "line"), [
    ("train.epochs=150", "  epochs: 150 "), ("train.optimizer=SGD", "  optimizer: SGD"),
    ("verdicts.margin=0.05", "  margin: 0.05"), ("probe.seeds=12", "  seeds: 12"),
    ("layers.lstm.LSTM.units=30", "  lstm: {LSTM: {units: 30}}"),
    ("experiments.bn_after_tanh.after.tanh=ln", "  bn_after_tanh: {of: cnn_lstm_tanh, after: {tanh: ln}}"),
    ("experiments.bn_before_relu.before.relu=ln", "    before: {relu: ln}"),
    ("data.household_power.split.train=320", "    split: {train: 320, validation: 213, test: 1000}")])
def test_set_param_changes_one_line_of_params(tmp_path, setting, line):
    """As `dvc exp run --set-param` does it."""
    copy = tmp_path / PARAMS.name
    shutil.copy(PARAMS, copy)
    apply_overrides(copy, [setting])
    changes = [one for one in difflib.ndiff(PARAMS.read_text().splitlines(), copy.read_text().splitlines())
               if one[0] in "-+"]
    removed, added = changes
    assert removed.startswith("- ") and added.startswith(f"+ {line}")
