"""An optimiser's name and arguments → a Keras optimiser."""

from __future__ import annotations

import inspect
from functools import lru_cache

import keras

from pipeline.network.arguments import check_name, check_value, first_lines, name_and_arguments, parameters
from pipeline.network.refused import OPTIMIZER_ARGUMENTS, OPTIMIZERS
from pipeline.config.errors import ConfigError, nearest

#: An argument of every optimiser that is not Keras': whether biases and what normalises are left out of weight decay.
KERNELS_ONLY = "decay_kernels_only"
#: The names of weights that are no kernels, as Keras asks TensorFlow for them: `dense_1/bias:0`.
_NO_KERNELS = [r"(^|/)(bias|gamma|beta|scale|alpha)(:\d+)?$"]
#: Arguments that count steps: Keras takes a fraction of them without a word.
_WHOLE = ("gradient_accumulation_steps", "ema_overwrite_frequency")


@lru_cache(maxsize=None)
def optimizers() -> dict[str, type]:
    """Keras' optimisers by name."""
    return {name: cls for name, cls in vars(keras.optimizers).items() if inspect.isclass(cls)
            and issubclass(cls, keras.optimizers.Optimizer) and name != "Optimizer"}


def check_optimizer(spec, place: str) -> None:
    """Refuse an optimiser that Keras does not have or no network may have, and arguments that it does not take.

    Args:
        spec: a name, in any case, or `{name: {argument: value}}`.

    Raises:
        ConfigError: with the reason, or the nearest valid word.
    """
    name, arguments = name_and_arguments(spec)
    known = {word.lower(): cls for word, cls in optimizers().items()}
    reason = {word.lower(): reason for word, reason in OPTIMIZERS.items()}.get(name.lower())
    if reason:
        raise ConfigError(f"{place}: optimiser '{name}' may not be used: {reason}")
    if name.lower() not in known:
        allowed = sorted(set(optimizers()) - set(OPTIMIZERS))
        raise ConfigError(f"{place}: unknown optimiser '{name}'; allowed: {', '.join(allowed)}{nearest(name, allowed)}")
    allowed = parameters(known[name.lower()], object)
    for argument, value in arguments.items():
        if argument == KERNELS_ONLY:
            check_value(value, False, f"{place}.{argument}")
            if not arguments.get("weight_decay"):
                raise ConfigError(f"{place}: found {argument} without weight_decay; allowed: both")
            continue
        check_name(argument, allowed, place, ("optimiser", name), OPTIMIZER_ARGUMENTS)
        default = 1 if argument in _WHOLE and value is not None else allowed[argument].default
        check_value(value, default, f"{place}.{argument}")
    try:
        make_optimizer(spec, 0.0)
    except Exception as error:
        raise ConfigError(f"{place}: Keras refuses the arguments of '{name}': {first_lines(error)}") from None


def make_optimizer(spec, learning_rate: float) -> keras.optimizers.Optimizer:
    """A Keras optimiser from its name or from `{Name: {argument: value}}`."""
    name, arguments = name_and_arguments(spec)
    known = {word.lower(): cls for word, cls in optimizers().items()}
    given = {argument: value for argument, value in arguments.items() if argument != KERNELS_ONLY}
    made = known[name.lower()](learning_rate=learning_rate, **given)
    if arguments.get(KERNELS_ONLY):
        made.exclude_from_weight_decay(var_names=_NO_KERNELS)
    return made
