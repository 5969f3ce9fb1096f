"""Every refusal leads somewhere: what people tried, and what they are told."""

import shutil
from pathlib import Path

import pytest

import pipeline
from pipeline.config import schema
from pipeline.config.errors import ConfigError
from pipeline.config.read_yaml import in_order, read_yaml
from pipeline.config.schema import PARAMS
from pipeline.plan.study import resolved

ROOT = Path(pipeline.__file__).parents[1]
TEXT = """\
data:
  waves: {group: sequences, source: noise, seeds: 3}
  table: {group: tables, source: tabular, seeds: 3}
layers:
  conv: {Conv1D: {filters: 3, kernel_size: 3}}
  conv2d: {Conv2D: {filters: 3, kernel_size: 3}}
  relu: {Activation: relu}
  selu: {Activation: selu}
  lstm: {LSTM: {units: 3}}
  bn: BatchNormalization
  spatial_dropout: {SpatialDropout1D: {rate: 0.2}}
experiments:
  net: {data: sequences, layers: [conv, relu, lstm]}
  mlp: {data: tables, layers: [relu]}
train: {epochs: 2, batch_size: 8, optimizer: Adam, learning_rates: [0.01]}
probe: {experiments: []}
"""
ABOUT = {"waves": {"digest": "1", "shape": [9, 4], "classes": 0, "targets": 1, "train_size": 40},
         "table": {"digest": "2", "shape": [4], "classes": 2, "targets": 1, "train_size": 40}}
#: The line of the first experiment that a case adds.
LINE = 15


#: What was written of a new experiment → what its one message says.
CASES = {
    # Words that are none of a layer.
    "{of: net, replace: {relu: gelu}}": "new.replace.relu: …; did you mean the activation, {Activation: gelu}?",
    "{of: net, replace: {lstm: gru}}": "new.replace.lstm: …; did you mean {GRU: {units: 15}}?",
    "{of: net, before: {relu: BN}}": "new.before.relu: …; did you mean 'bn'?",
    "{of: net, before: {relu: HeNormal}}": "…; did you mean kernel_initializer: he_normal in a layer?",
    "{of: net, before: {relu: L2}}": "…; did you mean kernel_regularizer: l2 in a layer?",
    "{of: net, before: {relu: AdamW}}": "…; did you mean optimizer: AdamW beside the layers?",
    "{of: net, before: {relu: {GroupNormalisation: {groups: 1}}}}": "…; did you mean 'GroupNormalization'?",
    "{of: net, before: {relu: Add}}": "…it merges several inputs…; a layer of `modules` may hold a whole block",
    "{of: net, set: {conv.kernel_initializer: HeNormall}}": "…unknown initializer 'HeNormall'…; did you mean 'HeNormal'?",
    "{of: net, set: {conv.kernel_regularizer: {L2: {l3: 0.001}}}}":
        "…regularizer 'L2' has no argument 'l3'; allowed: l2; did you mean 'l2'?",
    "{of: net, set: {conv.weights: imagenet}}": "…all weights begin where the seed of a run says",
    "{of: net, set: {lstm.unit: 20}}": "new.set: layer 'LSTM' has no argument 'unit'…; did you mean 'units'?",
    "{of: net, optimizer: Adm}": "new.optimizer…unknown optimiser 'Adm'…; did you mean 'Adam'?",
    # Keys that people know from elsewhere.
    "{of: net, lr: 0.01}": "new: unknown key 'lr': write learning_rate",
    "{of: net, class_weight: balanced}": "new: unknown key 'class_weight': out of reach",
    "{of: net, loss: mae}": "new: unknown key 'loss': out of reach: the data decide it",
    "{of: net, callbacks: [x]}": "new: unknown key 'callbacks': out of reach",
    "{of: net, label_smoothing: 0.1}": "new: unknown key 'label_smoothing': out of reach",
    "{of: net, warmup: 5}": "new: unknown key 'warmup': a run has one learning rate…no schedule",
    "{of: net, inputs: [waves, table]}": "new: unknown key 'inputs': out of reach: a network has one input",
    "{of: net, pretrained: true}": "new: unknown key 'pretrained': out of reach",
    "{of: net, weight_decay: 0.01}": "new: unknown key 'weight_decay'…optimizer: {AdamW: {weight_decay: 0.01}}",
    "{of: net, optimizer: {Adam: {learning_rate: {CosineDecay: {decay_steps: 9}}}}}":
        "new.optimizer.Adam.learning_rate: …as learning_rate or learning_rates, and has no schedule",
    "{of: net, optimizer: {Adam: {learning_rate: 0.5}}}": "new.optimizer…: the rate is set by learning_rate",
    "{of: net, vary: {optimizer: [Adam, {AdamW: {weight_decay: 0.01}}]}}":
        "new.vary.optimizer[1]: …; what has arguments is an experiment of its own",
    # Places.
    "{of: net, before: {output: bn}}": "new.before: the output is no layer of the list; after: {lstm: …}",
    "{of: net, after: {output: bn}}": "new.after: the output is no layer of the list; head: [bn, Softmax]",
    "{of: net, everywhere: spatial_dropout}":
        "new.everywhere: Keras cannot put 'spatial_dropout' (SpatialDropout1D) after shape (None, 3)…(variant 'after lstm_1'",
    "{of: net, after: {lstm: lstm}}": "new.after.lstm: Keras cannot put 'lstm'…{lstm: {return_sequences: true}} in front of it",
    "{of: net, replace: {conv: conv2d}}": "new.replace.conv: Keras cannot put 'conv2d' (Conv2D) after shape (None, 9, 4)",
    "{of: net, before: {relu: {GroupNormalization: {groups: two}}}}": "new.before.relu.groups: found 'two'; allowed: a number",
    "{of: net, set: {lstm.return_sequences: true}}": "…add Flatten or a pooling (an output a step is out of reach)",
    "{data: sequences, layers: [conv, {2: [relu, rellu]}, lstm]}": "new.layers[1].2[1]: …; did you mean 'relu'?",
    # Comparisons.
    "{of: net}": "new: its networks are those of its control 'net', and trained alike; allowed: a change, or versus: null",
    "{of: net, data: tables}":
        "new.versus: 'net' runs on sequences and shares no data set with 'new', which runs on tables",
    "{of: net, data: wave}": "new.data: there is no group or data set 'wave'; groups: sequences, tables; did you mean 'waves'?",
    # What YAML takes for something else.
    "{of:net, data: waves}": "new: unknown key 'of:net'; a space is missing behind 'of:'",
    "of:net": "new: found 'of:net'; a space is missing behind 'of:'",
    "{of: net, data: “waves”}": "new.data: …“ and ” are letters to YAML…; did you mean 'waves'?",
    "{of: net, without relu}": "new: unknown key 'without relu'; a ':' is missing behind 'without'",
}


def told(folder, lines):
    """The messages of a study with more experiments, in the order of their lines."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        shutil.copy(ROOT / "requirements.txt", folder)
        Path(PARAMS).write_text(TEXT.replace("train:", lines + "train:"))
        found: list[ConfigError] = []
        params = schema.understood(read_yaml(PARAMS), PARAMS, found)
        if params:
            resolved(params, ABOUT, found)
        return in_order(found)


@pytest.fixture(scope="module")
def all_told(tmp_path_factory):
    """What is said of all cases at once, each an experiment on a line of its own."""
    lines = "".join(f"  new_{number}: {entry}\n" for number, entry in enumerate(CASES))
    return told(tmp_path_factory.mktemp("refusals"), lines)


def test_every_mistake_is_told_once(all_told):
    assert len(all_told) == len(CASES)


@pytest.mark.parametrize("entry", CASES)
def test_a_refusal_says_where_to_go(all_told, entry):
    number = list(CASES).index(entry)
    text = all_told[number].replace(f"new_{number}", "new")
    assert text.startswith(f"params.yaml, line {LINE + number}: experiments.new")
    for part in filter(None, CASES[entry].split("…")):
        assert part in text, all_told[number]
        text = text.partition(part)[2]


@pytest.mark.parametrize(("lines", "line", "expected"), [
    ("  new {of: net}\n", 15, "experiments.new {of: found 'net}'; a ':' is missing behind 'new'"),
    ("  new:\n    of: net\n    other: {of: net, data: waves}\n", 17,
     "experiments.new: unknown key 'other'; it looks like an entry of experiments: indent it as 'new'"),
    ("  new: {of: net, without: relu}\n  versus: net\n", 16,
     "experiments.versus: found 'net'; it looks like a part of an entry: indent it as the rest of that"),
    ("other: {of: net, data: waves}\n", 15, "unknown key 'other'; it looks like an entry of experiments: indent it as those"),
    ("versus: net\n", 15, "unknown key 'versus'; it looks like a part of an entry: indent it as the rest of that"),
])
def test_what_fell_out_of_its_block_is_told_so(tmp_path, lines, line, expected):
    assert told(tmp_path, lines) == [f"params.yaml, line {line}: {expected}"]


def test_the_line_is_that_of_the_mistake_in_an_entry_of_several_lines(tmp_path):
    lines = told(tmp_path, "  new:\n    of: net\n    lr: 0.1\n    before:\n      relu: gelu\n    set:\n"
                           "      conv.filters: .nan\n")
    assert [line.split(": ")[:2] for line in lines] == [
        ["params.yaml, line 17", "experiments.new"], ["params.yaml, line 20", "experiments.new.set"]]


def test_a_network_is_not_shown_as_a_list_that_nobody_wrote(tmp_path):
    line, = told(tmp_path, "  new: {of: net, after: {relu: {GhostBatchNormalization: {size: 3}}}}\n")
    assert "[" not in line.partition("experiments.new")[2] and "conv → relu → GhostBatchNormalization → lstm" in line
