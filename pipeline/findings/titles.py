"""What a finding is called: neutral, without a word of what was found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipeline.findings.arms import LADDER, TUNED, Arm
from pipeline.findings.comparison import GUESSING, Comparison, Pair
from pipeline.config.layer_list import Change, word_of, words
from pipeline.config.schema import Experiment, Params, Train

#: Words of the vocabulary as a sentence has them; others are printed as they are.
NAMES = {"bn": "BN", "ln": "layer normalisation", "ghost_bn": "BN over groups", "frozen_bn": "frozen BN", "se": "squeeze-and-excite",
         "relu": "ReLU", "selu": "SELU", "prelu": "PReLU", "lstm": "LSTM", "lstm_sequence": "LSTM",
         "bn_lstm": "LSTM with BN inside", "ln_lstm": "LSTM with layer normalisation inside", "conv": "Conv1D",
         "conv2d": "Conv2D", "dense": "Dense", "wide": "Dense", "dropout_half": "dropout 0.5", "pool2d": "MaxPooling2D",
         "spatial_dropout": "spatial dropout", "alpha_dropout": "AlphaDropout", "average_pool": "average pooling",
         "max_pool": "max pooling", "mean_over_time": "mean over time", "batch_noise": "noise"}
SETTINGS = {"batch_size": "batch size", "learning_rate": "learning rate", "train_fraction": "share of the data",
            "repetition": "repetition"}


def title(comparison: Comparison, params: Params) -> str:
    """A comparison in words: `Conv1D → ReLU → LSTM: BN before ReLU, or none`."""
    about = "" if comparison.metric == "error" else f", by {comparison.about.score}"
    about += ", at the last epoch" if comparison.endpoint == "last" and comparison.about.endpoint else ""
    pairs = [pair for _, pair in comparison.pairs]
    if comparison.slope:
        return f"{_pair(_without_variants(pairs[0]), params)}, along {setting(comparison.slope)}{about}"
    names = [_pair(pair, params) + (f" ({pair.data})" if pair.data else "") for pair in pairs]
    return "; compared with ".join(names) + about


def setting(key: str) -> str:
    """A swept key in words: `batch size`, `rate of dropout`."""
    word, dot, argument = key.partition(".")
    return SETTINGS.get(key, key.replace("_", " ")) if not dot else f"{argument.replace('_', ' ')} of {_name(word)}"


def _without_variants(pair: Pair) -> Pair:
    return Pair((pair.treatment[0], ""), (pair.control[0], ""), pair.data)


def _pair(pair: Pair, params: Params) -> str:
    """What two arms do to the network that both come from."""
    if pair.control == GUESSING:
        return f"{_network(params.experiments[pair.treatment[0]])}, or guessing"
    new, old = (_line(arm, params) for arm in (pair.treatment, pair.control))
    base = next((name for name in new if name in old), None)
    if base is None:
        return f"{_arm(pair.treatment, params)}, or {_arm(pair.control, params)}"
    sides = [_changes(arm, line[:line.index(base)], params) for arm, line in
             ((pair.treatment, new), (pair.control, old))]
    shared = [one for one in sides[0] if one in sides[1]]
    treatment, control = (", ".join(one for one in side if one not in shared) for side in sides)
    network = ", ".join([_network(params.experiments[base]), *shared])
    return f"{network}: {treatment or 'as it is'}, or {control or 'none'}" if treatment else (
        f"{network}: as it is, or {control}")


def _line(arm: Arm, params: Params) -> list[str]:
    """An experiment and those that it is a change of, up to the first."""
    found, name = [], arm[0]
    while name:
        found.append(name)
        name = params.experiments[name].of
    return found


def _changes(arm: Arm, line: Sequence[str], params: Params) -> list[str]:
    """What an arm does to an experiment behind it, the nearest to that one first."""
    found = [text for name in reversed(line) for text in _own(params.experiments[name], params)]
    return found + _variant(arm, params)


def _own(one: Experiment, params: Params) -> list[str]:
    """What an experiment changes of the one that it comes from."""
    parent = params.experiments[one.of]
    found = [change(each) for each in one.changes]
    if one.everywhere:
        found.append(chain(one.everywhere))
    if one.head != parent.head:
        head = one.head or "usual"
        found.append(f"{head if isinstance(head, str) else chain(head)} output")
    found += [f"{setting(key)} {getattr(one, key)}" for key in ("learning_rate", *Train.model_fields)
              if getattr(one, key, None) is not None and getattr(one, key) != getattr(parent, key, None)]
    return found


def _variant(arm: Arm, params: Params) -> list[str]:
    if arm[1] in ("", LADDER):
        return []
    if arm[1] == TUNED:
        return ["tuned"]
    values: Mapping = params.variants(arm[0], measuring=True).get(arm[1])
    if values is None:  # A layer, of what the probe measured.
        return [f"at {arm[1].replace(',', ', ').replace('=', ' ')}"]
    return [f"{value}" if key == "place" else f"{setting(key)} {value}" for key, value in values.items()]


def _arm(arm: Arm, params: Params) -> str:
    return ", ".join([_network(params.experiments[arm[0]]), *_variant(arm, params)])


def change(one: Change) -> str:
    """An elementary change: `BN before ReLU`."""
    word, dot, argument = one.place.partition(".")
    where = _name(word)
    if one.kind == "without":
        return f"without {where}"
    if one.kind == "set":
        about = f"{argument.replace('_', ' ')} of {where}"
        if isinstance(one.value, bool) or one.value is None:
            return f"{'with' if one.value else 'without'} {about}" if one.value is not None else f"usual {about}"
        return f"{about} {one.value}"
    come = chain(one.value)
    return {"replace": f"{come} instead of {where}", "before": f"{come} before {where}",
            "after": f"{come} after {where}", "layers": f"the layers {come}"}[one.kind]


def _network(one: Experiment) -> str:
    text = chain(one.layers)
    return text if not one.head else f"{text}, {one.head if isinstance(one.head, str) else chain(one.head)} output"


def chain(layers: Sequence) -> str:
    """Layers in their order; a block that is repeated stands once: `2 × (Dense → tanh)`."""
    names = [_layer(one) for one in layers]
    for size in range(1, len(names) // 2 + 1):
        times, rest = divmod(len(names), size)
        if times > 1 and not rest and names == names[:size] * times:
            block = " → ".join(names[:size])
            return f"{times} × ({block})" if size > 1 else f"{times} × {block}"
    return " → ".join(names)


def _layer(one) -> str:
    given = words([one])[0].removeprefix(word_of(one))
    return _name(word_of(one)) + given.replace("(", " (", 1)


def _name(word: str) -> str:
    stem, _, number = word.rpartition("_")
    if word not in NAMES and stem in NAMES and number.isdigit():
        return f"{NAMES[stem]} {number}"
    return NAMES.get(word, word.replace("_", " "))
