"""A network's spec and an input shape → a Keras model whose start the seed alone decides."""

from __future__ import annotations

import contextlib
import hashlib
import inspect
import os
import sys

# One thread a computation: the trainer runs seeds side by side, and sums keep their order.
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


@contextlib.contextmanager
def _silence():
    """TensorFlow greets on stderr while it is imported, before it can be told not to."""
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


with _silence():
    import keras  # noqa: E402

from pipeline import layers as ours  # noqa: E402
from pipeline.config import ConfigError, nearest  # noqa: E402

#: Layers that may not stand in a list, and why.
REFUSED = {
    **dict.fromkeys(("Lambda", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer"),
                    "it runs foreign code, which params.yaml cannot describe"),
    **dict.fromkeys(("Layer", "Wrapper", "InputLayer"), "it is a base, not a layer of a network"),
    **dict.fromkeys(("Add", "Average", "Concatenate", "Dot", "Maximum", "Minimum", "Multiply",
                     "Subtract"), "it merges several inputs, and a list has one"),
    **dict.fromkeys(("Attention", "AdditiveAttention", "HashedCrossing"),
                    "it needs several inputs, and a list has one"),
}
#: Arguments that the pipeline sets itself.
OURS = ("name", "seed", "dtype", "input_shape", "batch_input_shape", "batch_size", "batch_shape",
        "weights", "activity_regularizer", "args", "kwargs", "self")


def _has_one_input(cls) -> bool:
    required = [p for p in list(inspect.signature(cls.call).parameters.values())[1:]
                if p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return len(required) == 1


def _own_layers() -> dict[str, type]:
    return {n: c for n, c in vars(ours).items() if inspect.isclass(c) and not n.startswith("_")
            and issubclass(c, keras.layers.Layer) and c.__module__ == ours.__name__}


def _keras_layers() -> dict[str, type]:
    return {n: c for n, c in vars(keras.layers).items()
            if inspect.isclass(c) and issubclass(c, keras.layers.Layer)}


def layer_class(name: str, place: str, words=()) -> type:
    """The layer class of a name: ours, else Keras'; ConfigError says why one may not be used.

    `words`, the vocabulary, is only for the message.
    """
    known = _keras_layers() | _own_layers()
    if name in REFUSED:
        raise ConfigError(f"{place}: layer '{name}' may not be used: {REFUSED[name]}")
    if name not in known:
        raise ConfigError(f"{place}: unknown word or layer '{name}'; allowed: the words of 'layers' "
                          f"and the classes of keras.layers{nearest(name, [*words, *known])}")
    if not _has_one_input(known[name]):
        raise ConfigError(f"{place}: layer '{name}' may not be used: it needs other inputs than the "
                          "one that a list gives it")
    return known[name]


def _arguments(cls: type, given: dict, place: str, words: dict) -> dict:
    """Checked arguments of a layer; a mapping, or a word, stands for a nested layer."""
    allowed = {}
    for base in cls.__mro__:
        if "__init__" in vars(base) and issubclass(base, keras.layers.Layer):
            allowed |= inspect.signature(base.__init__).parameters
    allowed["trainable"] = None
    for name in OURS:
        allowed.pop(name, None)
    resolved = {}
    for name, value in given.items():
        if name not in allowed:
            raise ConfigError(f"{place}: layer '{cls.__name__}' has no argument '{name}'; allowed: "
                              f"{', '.join(sorted(allowed))}{nearest(name, allowed)}")
        if isinstance(value, dict) or (name in ("layer", "backward_layer")):
            value = resolve(value, words, f"{place}.{name}")
        resolved[name] = value
    return resolved


def resolve(item, words: dict, place: str) -> dict:
    """An item of a layer list → `{'word', 'class', 'arguments'}`, the vocabulary substituted.

    `word` stands for its definition, `{word: {argument: value}}` for that with arguments changed;
    both keep the word, and so the start of their weights. A Keras class name is a word too.

    Raises:
        ConfigError: an unknown word, layer or argument (with the nearest valid one), or a layer
            that may not be used (with the reason).
    """
    word, more = (item, {}) if isinstance(item, str) else next(iter(item.items()))
    definition = words.get(word, word)
    name, given = (definition, {}) if isinstance(definition, str) else next(iter(definition.items()))
    merged = {}
    for part in (given, more):
        if name == "Activation" and isinstance(part, str):
            part = {"activation": part}  # `{Activation: relu}`
        if part is not None and not isinstance(part, dict):
            raise ConfigError(f"{place}: layer '{word}': found {part!r}; it needs a mapping of arguments")
        merged |= part or {}
    cls = layer_class(name, place, words)
    return {"word": word, "class": name, "arguments": _arguments(cls, merged, place, words)}


def _create(item: dict, place: str, name: str | None = None):
    """The Keras layer of a resolved item."""
    known = _keras_layers() | _own_layers()
    arguments = {k: _create(v, place) if isinstance(v, dict) and "class" in v else v
                 for k, v in item["arguments"].items()}
    try:
        return known[item["class"]](**arguments, **({"name": name} if name else {}))
    except Exception as error:
        raise ConfigError(f"{place}: Keras refuses the arguments of '{item['word']}' "
                          f"({item['class']}): {first_lines(error)}") from None


def first_lines(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text[:300] + ("…" if len(text) > 300 else "")


def _seed(*parts) -> int:
    """A number below 2**31 that the parts decide."""
    return int.from_bytes(hashlib.sha256("/".join(map(str, parts)).encode()).digest()[:4], "big") >> 1


def _set_seeds(layer, *parts) -> None:
    """Give every initialiser and every source of noise inside a layer a seed of its own."""
    for number, part in enumerate(layer._flatten_layers()):
        for attribute, value in sorted(vars(part).items()):
            if isinstance(value, keras.initializers.Initializer) and hasattr(value, "seed"):
                # A copy: Keras may share one initialiser between layers.
                copy = value.__class__.from_config(value.get_config() | {"seed": None})
                copy.seed = _seed(*parts, number, part.__class__.__name__, attribute)
                setattr(part, attribute, copy)
            elif isinstance(value, keras.random.SeedGenerator):
                start = _seed(*parts, number, part.__class__.__name__, attribute)
                value.state.assign([start, 0])


def build(network: dict, shape: tuple[int, ...], classes: int, seed: int = 0, repetition: int = 0,
          place: str = "network") -> keras.Model:
    """A Keras model of a resolved network.

    Each initialiser's seed comes from (seed, the layer's word, its occurrence), so that putting a
    layer in leaves the start of the others as it was. Dropout's masks likewise.

    Args:
        network: `{'layers': [...], 'head': [...]}` of resolved items.
        shape: of one sample, `(time, channels)`, `(features,)` or `(height, width, channels)`.
        classes: number of classes; 0 for regression, whose output is `(batch, 1)`.
        seed, repetition: decide the initial weights and the noise.
        place: where the network stands, for messages.

    Raises:
        ConfigError: Keras cannot connect the layers; the message names the layer.
    """
    inputs = outputs = keras.Input(shape, name="input")
    occurrence: dict[str, int] = {}
    output = {"word": "output", "class": "Dense", "arguments": {"units": classes or 1}}
    items = [(f"{place}.layers[{i}]", item) for i, item in enumerate(network["layers"])]
    items += [(f"{place}.head", output)]
    items += [(f"{place}.head[{i}]", item) for i, item in enumerate(network["head"])]
    for where, item in items:
        word = item["word"]
        occurrence[word] = occurrence.get(word, 0) + 1
        layer = _create(item, where, f"{word}_{occurrence[word]}".replace("/", "_"))
        if item is output and len(outputs.shape) != 2:
            raise ConfigError(f"{where}: the output needs one vector a sample, but the last layer "
                              f"gives shape {tuple(outputs.shape)}; add Flatten or a pooling")
        _set_seeds(layer, seed, repetition, word, occurrence[word])
        try:
            after = layer(outputs)
        except Exception as error:
            raise ConfigError(f"{where}: Keras cannot put '{word}' ({item['class']}) after shape "
                              f"{tuple(outputs.shape)}: {first_lines(error)}") from None
        if not hasattr(after, "shape"):
            raise ConfigError(f"{where}: '{word}' gives several outputs, and a list needs one")
        outputs = after
    if tuple(outputs.shape) != (None, classes or 1):
        raise ConfigError(f"{place}.head: it gives shape {tuple(outputs.shape)}; the task needs "
                          f"{(None, classes or 1)}")
    return keras.Model(inputs, outputs)
