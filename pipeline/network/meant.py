"""What an unknown word of a layer list was probably meant to be, and how that is written."""

from __future__ import annotations

import difflib
import inspect
import re
from collections.abc import Iterable, Iterator

import keras

from pipeline.config.errors import CURLY

#: Values of arguments that a layer cannot be without, as examples.
_EXAMPLES = {"units": 15, "filters": 10, "kernel_size": 3, "rate": 0.2, "size": 2, "n": 2, "axes": 1, "groups": 2,
             "input_dim": 60, "output_dim": 16, "layer": "lstm", "target_shape": [4, 3], "dims": [2, 1]}
#: So many letters say what a longer name begins with.
ENOUGH = 4


def _classes(room, base: type) -> list[str]:
    """The classes of a room of Keras that are of a kind."""
    return [name for name, one in vars(room).items() if inspect.isclass(one) and issubclass(one, base)]


def _activations() -> list[str]:
    return [name for name, one in vars(keras.activations).items()
            if callable(one) and not name.startswith("_") and name not in ("get", "serialize", "deserialize")]


def example(cls: type) -> str:
    """A layer class as an item of a list, with values for the arguments that it needs."""
    needed = [p.name for p in inspect.signature(cls.__init__).parameters.values()
              if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD and p.name != "self"]
    given = ", ".join(f"{name}: {_EXAMPLES.get(name, '…')}" for name in needed)
    return f"{{{cls.__name__}: {{{given}}}}}" if needed else f"'{cls.__name__}'"


def _kinds(layers: dict[str, type]) -> Iterator[tuple[str, str]]:
    """Every name of Keras that somebody may have had in mind, and how what it names is written."""
    yield from ((name, example(cls)) for name, cls in layers.items())
    yield from ((name, f"the activation, {{Activation: {name}}}") for name in _activations())
    for room, base, what in ((keras.initializers, keras.initializers.Initializer, "initializer"),
                             (keras.regularizers, keras.regularizers.Regularizer, "regularizer"),
                             (keras.constraints, keras.constraints.Constraint, "constraint")):
        for name in _classes(room, base):
            text = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
            yield name, f"kernel_{what}: {text} in a layer"
    yield from ((name, f"optimizer: {name} beside the layers")
                for name in _classes(keras.optimizers, keras.optimizers.Optimizer))


def meant(word: str, words: Iterable[str], layers: dict[str, type]) -> str:
    """`; did you mean …?` of what is named so, or else nearly so; an empty string if nothing is.

    Args:
        words: the vocabulary.
        layers: the layer classes by name.
    """
    known: dict[str, list[str]] = {}
    for name, text in _kinds(layers):
        known.setdefault(_plain(name), []).append(text)
    known |= {_plain(name): [f"'{name}'"] for name in words}
    word = _plain(word)
    begin = [name for name in known if name.startswith(word)][:2] if len(word) >= ENOUGH else []
    close = [word] if word in known else begin or difflib.get_close_matches(word, known, n=1, cutoff=0.65)
    texts = dict.fromkeys(text for name in close for text in known[name])
    return f"; did you mean {' or '.join(texts)}?" if texts else ""


def _plain(word: str) -> str:
    return word.replace("_", "").strip(CURLY).lower()
