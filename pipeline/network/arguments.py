"""The arguments that a layer, an optimiser or an initialiser is given → checked, and what they name found."""

from __future__ import annotations

import inspect
import re
from functools import lru_cache

import keras

from pipeline.network import refused
from pipeline.config.errors import ConfigError, nearest, shown

#: Of an argument's name, its last word → the room of Keras whose classes it may name, and the refused ones.
KINDS = {"initializer": (keras.initializers, keras.initializers.Initializer, refused.INITIALIZERS),
         "regularizer": (keras.regularizers, keras.regularizers.Regularizer, refused.REGULARIZERS),
         "constraint": (keras.constraints, keras.constraints.Constraint, refused.CONSTRAINTS)}
#: Arguments that may have a fraction, though Keras' default has none.
FRACTIONS = {"adam_lr_ratio", "max_value", "fill_value"}
#: What makes a terminal print in bold or in colour.
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
#: Arguments that hold a layer.
LAYERS = ("layer", "backward_layer")


def name_and_arguments(spec) -> tuple[str, dict]:
    """The parts of what is written as a name, or as `{name: {argument: value}}`."""
    return (spec, {}) if isinstance(spec, str) else next(iter(spec.items()))


def kind_of(argument: str) -> str | None:
    """What an argument names: an initializer, a regularizer, a constraint; None of others."""
    last = argument.rpartition("_")[2]
    return last if last in KINDS else None


@lru_cache(maxsize=None)
def named(kind: str) -> dict[str, type]:
    """Every name that Keras has for the classes of a kind."""
    room, base, _ = KINDS[kind]
    return {name: cls for name, cls in vars(room).items() if inspect.isclass(cls) and issubclass(cls, base)}


@lru_cache(maxsize=None)
def activations() -> dict[str, object]:
    """Keras' activations by name."""
    return {name: one for name, one in vars(keras.activations).items()
            if not name.startswith("_") and callable(one) and name not in ("deserialize", "get", "serialize")}


def parameters(cls: type, base: type) -> dict[str, inspect.Parameter]:
    """The parameters of a class's `__init__`, and of those above it that it hands others on to.

    Keras' own classes hand on only what every class of `base` takes.
    """
    found, below = {}, None
    for one in cls.__mro__:
        if "__init__" in vars(one) and issubclass(one, base) and (
                one is base or below is None or not _of_keras(below)):
            signature = inspect.signature(one.__init__).parameters
            found = dict(signature) | found
            if not any(p.kind is p.VAR_KEYWORD for p in signature.values()):
                break
        below = one
    return {name: one for name, one in found.items()
            if name != "self" and one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)}


def _of_keras(cls: type) -> bool:
    return cls.__module__.partition(".")[0] == "keras"


def reasons(owner: str, table: dict[str, str]) -> dict[str, str]:
    """Argument → why a class may not be given it, of a table whose keys are arguments, or `Class.argument`."""
    return ({name: reason for name, reason in table.items() if "." not in name}
            | {name.partition(".")[2]: reason for name, reason in table.items() if name.startswith(f"{owner}.")})


def check_name(name: str, allowed, place: str, owner: tuple[str, str], table: dict[str, str]) -> None:
    """Refuse an argument that there is not, or that may not be given.

    Args:
        owner: what has the arguments, ("layer", "Dense").
        table: of refused arguments, as `reasons` takes it.
    """
    kind, word = owner
    why = reasons(word, table)
    if name in why:
        raise ConfigError(f"{place}: {kind} '{word}' may not be given '{name}': {why[name]}")
    if name not in allowed:
        free = sorted(set(allowed) - set(why))
        raise ConfigError(f"{place}: {kind} '{word}' has no argument '{name}'; allowed: {', '.join(free) or 'none'}"
                          f"{nearest(name, free)}")


def check_value(value, default, place: str) -> None:
    """Refuse a value of another type than Keras' default has: Keras itself takes many for what they are not.

    Args:
        default: Keras'; None and no default ask for anything but true or false.
        place: of the argument.
    """
    allowed = _mismatch(value, default, place.rpartition(".")[2])
    if allowed:
        raise ConfigError(f"{place}: found {shown(value)}; allowed: {allowed}")


def _mismatch(value, default, name: str) -> str:
    """What is allowed where a value is of another type than a default; else empty."""
    if isinstance(default, bool):
        return "" if isinstance(value, bool) else "true or false"
    if isinstance(value, list):
        return next((found for one in value if isinstance(one, bool) and (found := _mismatch(one, None, name))), "")
    if isinstance(default, (int, float)):
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return "a number"
        whole = isinstance(default, int) and name not in FRACTIONS
        return "a whole number" if whole and value != int(value) else ""
    if isinstance(default, str):
        return "" if isinstance(value, str) or value is None else "a word"
    return "a word or a number" if isinstance(value, bool) else ""


def resolve_named(kind: str, value, place: str):
    """A word, or `{Class: {argument: value}}`, for an initialiser, a regulariser or a constraint.

    Returns:
        The word, or nothing, as it was given; or `{'kind', 'class', 'arguments'}`.

    Raises:
        ConfigError: Keras has none of that name, or it may not be given these arguments.
    """
    if value is None:
        return None
    if not isinstance(value, (str, dict)):
        raise ConfigError(f"{place}: found {shown(value)}; allowed: the name of a class of keras.{kind}s, or "
                          "{name: {argument: value}}")
    word, given = name_and_arguments(value)
    known, reasons = named(kind), KINDS[kind][2]
    if word in reasons or (word in known and known[word].__name__ in reasons):
        raise ConfigError(f"{place}: {kind} '{word}' may not be used: {reasons[known[word].__name__]}")
    if isinstance(value, str) and _is_known(kind, value):
        return value
    if word not in known:
        raise ConfigError(f"{place}: unknown {kind} '{word}'; allowed: {', '.join(sorted(known))}"
                          f"{nearest(word, known)}")
    if given is not None and not isinstance(given, dict):
        raise ConfigError(f"{place}: {kind} '{word}': found {shown(given)}; it needs a mapping of arguments")
    signature = parameters(known[word], object)
    for name, one in (given or {}).items():
        check_name(name, signature, place, (kind, word), refused.ARGUMENTS)
        check_value(one, signature[name].default, f"{place}.{name}")
    found = {"kind": kind, "class": known[word].__name__, "arguments": given or {}}
    create_named(found, place)
    return found


def _is_known(kind: str, word: str) -> bool:
    """Whether Keras finds something under a word alone, as it does for names that it does not list."""
    try:
        return KINDS[kind][0].get(word) is not None
    except Exception:  # Of any kind: Constant, which needs no value, is a KeyError.
        return False


def create_named(item: dict, place: str):
    """The object that `resolve_named` has described; ConfigError if Keras refuses its arguments."""
    try:
        return getattr(KINDS[item["kind"]][0], item["class"])(**item["arguments"])
    except Exception as error:
        raise ConfigError(f"{place}: Keras refuses the arguments of '{item['class']}': {first_lines(error)}") from None


def resolve_activation(value: str, place: str) -> str:
    """The name of an activation; ConfigError for one that Keras lacks, or that may not be used."""
    if value in refused.ACTIVATIONS:
        raise ConfigError(f"{place}: activation '{value}' may not be used: {refused.ACTIVATIONS[value]}")
    try:
        keras.activations.get(value)
    except ValueError:
        allowed = sorted(set(activations()) - set(refused.ACTIVATIONS))
        raise ConfigError(f"{place}: unknown activation '{value}'; allowed: {', '.join(allowed)}"
                          f"{nearest(value, allowed)}") from None
    return value


def first_lines(error: Exception) -> str:
    """What an error says, on one line, without the code that TensorFlow puts in front of it."""
    text = str(error)
    if "in user code:" in text:
        text = text.rpartition("Error: ")[2]
    text = " ".join(_COLOURS.sub("", text).split())
    return text[:300] + ("…" if len(text) > 300 else "")
