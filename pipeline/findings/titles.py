"""What a finding is called: neutral, without a word of what was found."""

from collections.abc import Mapping, Sequence

from pipeline.config.blocks import arrows, mark
from pipeline.config.changes import Change
from pipeline.config.layer_names import word_of, words
from pipeline.config.schema import Experiment, Params, Train
from pipeline.findings.arms import Arm, Comparison, GUESSING, LADDER, Pair, TUNED

#: Words of the vocabulary as a sentence has them; others are printed as they are.
NAMES = {"bn": "BN", "ln": "layer normalisation", "ghost_bn": "BN over groups", "frozen_bn": "frozen BN",
         "se": "squeeze-and-excite",
         "relu": "ReLU", "selu": "SELU", "prelu": "PReLU", "lstm": "LSTM", "lstm_sequence": "LSTM",
         "bn_lstm": "LSTM with BN inside", "ln_lstm": "LSTM with layer normalisation inside", "conv": "Conv1D",
         "conv2d": "Conv2D", "dense": "Dense", "wide": "Dense", "dropout_half": "dropout 0.5", "pool2d": "MaxPooling2D",
         "spatial_dropout": "spatial dropout", "alpha_dropout": "AlphaDropout", "average_pool": "average pooling",
         "max_pool": "max pooling", "mean_over_time": "mean over time", "batch_noise": "noise"}
#: Where a layer comes that another one of its class follows.
PLACES = {"lstm_sequence": "the first LSTM"}
ORDINALS = ("first", "second", "third", "fourth")
SETTINGS = {"batch_size": "batch size", "learning_rate": "learning rate", "train_fraction": "share of the data"}


def title(comparison: Comparison, params: Params, kind: str = "") -> str:
    """A comparison in words: `Conv1D → ReLU → LSTM: BN before ReLU, or none`; of no family also with its data."""
    about = "" if comparison.metric == "error" else f", by {comparison.about.score}"
    about += ", at the last epoch" if comparison.endpoint == "last" and comparison.about.endpoint else ""
    about += f" (on {kind.replace('_', ' ')})" if kind in params.data else ""
    pairs = [pair for _, pair in comparison.pairs]
    if comparison.slope:
        both = Pair((pairs[0].treatment[0], ""), (pairs[0].control[0], ""), pairs[0].data)
        return f"{_pair(both, params)}, along {setting(comparison.slope)}{about}"
    names = [_pair(pair, params) + (f" ({pair.data})" if pair.data else "") for pair in pairs]
    return "; compared with ".join(names) + about


def setting(key: str) -> str:
    """A swept key in words: `batch size`, `rate of dropout`."""
    word, dot, argument = key.partition(".")
    return SETTINGS.get(key, key.replace("_", " ")) if not dot else f"{argument.replace('_', ' ')} of {_name(word)}"


def set_to(key: str, value) -> str:
    """A setting with its value: `batch size 8`, `25 % of the data`."""
    if key == "train_fraction":
        return "all the data" if value == 1 else f"{100 * value:g} % of the data"
    return f"{setting(key)} {value}"


def _pair(pair: Pair, params: Params) -> str:
    """What two arms do to the network that both come from."""
    if pair.control == GUESSING:
        return f"{_network(params.experiments[pair.treatment[0]])}, or guessing"
    new, old = (_line(arm, params) for arm in (pair.treatment, pair.control))
    base = next((name for name in new if name in old), None)
    if base is None:
        return f"{_arm(pair.treatment, params)}, or {_arm(pair.control, params)}"
    sides = [_changes(arm, line[:line.index(base)], params) for arm, line in ((pair.treatment, new), (pair.control, old))]
    shared = [one for one in sides[0] if one in sides[1]]
    mine, others = ([one for one in side if one not in shared] for side in sides)
    control = _listed(others) or ("none" if mine and all(map(_puts_in, mine)) else "as it is")
    network = ", ".join([_network(params.experiments[base]), *shared])
    return f"{network}: {_listed(mine) or 'as it is'}, or {control}"


def _listed(changes: Sequence[str]) -> str:
    """Layers that are put in, with `and`; settings behind a comma."""
    layers = [one for one in changes if _puts_in(one) or one.startswith("without")]
    return ", ".join(filter(None, [" and ".join(layers), *(one for one in changes if one not in layers)]))


def _puts_in(change: str) -> bool:
    return " before " in change or " after " in change or change.endswith(" first")


def _line(arm: Arm, params: Params) -> list[str]:
    """An experiment and those that it is a change of, up to the first."""
    found, name = [], arm[0]
    while name:
        found.append(name)
        name = params.experiments[name].of
    return found


def _changes(arm: Arm, line: Sequence[str], params: Params) -> list[str]:
    """What an arm does to an experiment behind it, the nearest to that one first."""
    found: list[str] = []
    for one in (params.experiments[name] for name in reversed(line)):
        whole = any(each.kind == "layers" for each in one.changes)  # What was done to the list before is gone.
        found = ([] if whole else found) + _own(one, params)
    return found + _variant(arm, params)


def _own(one: Experiment, params: Params) -> list[str]:
    """What an experiment changes of the one that it comes from."""
    parent = params.experiments[one.of]
    found = [change(each) for each in one.changes]
    if one.head != parent.head:
        head = one.head or "usual"
        found.append(f"{head if isinstance(head, str) else chain(head)} output")
    for key in ("learning_rate", *(name for name in Train.model_fields if name != "learning_rates")):  # Of which one is chosen.
        new, old = getattr(one, key, None), getattr(parent, key, None)
        if new != old:
            found.append(set_to(key, new) if new is not None else f"usual {setting(key)}")
    return found


def _variant(arm: Arm, params: Params) -> list[str]:
    if arm[1] in ("", LADDER):
        return []
    if arm[1] == TUNED:
        return ["tuned"]
    values: Mapping = params.variants(arm[0], measuring=True).get(arm[1])
    if values is None:  # A layer, of what the probe measured.
        return [f"at {arm[1].rpartition(',')[2]}"] + [part.replace("=", " ") for part in arm[1].split(",")[:-1]]
    return [f"{chain(params.experiments[arm[0]].everywhere)} {_place(value)}" if key == "place" else
            "from another start" if key == "repetition" else set_to(key, value) for key, value in values.items()]


def _place(place: str) -> str:
    """A place of a list: `first`, `after the first LSTM`."""
    return place if " " not in place else f"after {_name(place.partition(' ')[2])}"


def _arm(arm: Arm, params: Params) -> str:
    return ", ".join([_network(params.experiments[arm[0]]), *_variant(arm, params)])


def change(one: Change) -> str:
    """An elementary change: `BN before ReLU`."""
    word, dot, argument = one.place.partition(".")
    where = PLACES.get(word) or _name(word)
    if one.kind == "without":
        return f"without {where}"
    if one.kind == "set":
        about = f"{argument.replace('_', ' ')} of {where}"
        if isinstance(one.value, bool) or one.value is None:
            return f"{'with' if one.value else 'without'} {about}" if one.value is not None else f"usual {about}"
        return f"{about} {one.value}"
    come = chain(one.value)
    return {"replace": f"{come} instead of {where}", "before": f"{come} before {where}",
            "after": f"{come} after {where}", "layers": come}[one.kind]


def _network(one: Experiment) -> str:
    head = [f"{one.head if isinstance(one.head, str) else chain(one.head)} output"] if one.head else []
    seen = [set_to(key, value) for key in ("batch_size", "train_fraction") if (value := getattr(one, key)) is not None]
    return ", ".join([chain(one.layers), *head, *seen])


def chain(layers: Sequence) -> str:
    """Layers in their order; a block that is repeated stands once: `2 × (Dense → tanh)`."""
    names = [_layer(one) for one in layers]
    for size in range(1, len(names) // 2 + 1):
        times, rest = divmod(len(names), size)
        if times > 1 and not rest and names == names[:size] * times:
            block = arrows(names[:size])
            return f"{times} × ({block})" if size > 1 else f"{times} × {block}"
    return arrows(names)


def _layer(one) -> str:
    if mark(one):
        return str(mark(one))
    given = words([one])[0].removeprefix(word_of(one)).replace("kernel_initializer=", "").replace("=", " ")
    return _name(word_of(one)) + given.replace("(", " (", 1)


def _name(word: str) -> str:
    stem, _, number = word.rpartition("_")
    if word not in NAMES and number.isdigit():
        name = NAMES.get(stem, stem.replace("_", " "))
        return f"the {ORDINALS[int(number) - 1]} {name}" if int(number) <= len(ORDINALS) else f"{name} {number}"
    return NAMES.get(word, word.replace("_", " "))
