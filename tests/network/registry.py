"""All that Keras offers a network, read from Keras itself, and values with which to try each argument."""

from __future__ import annotations

import inspect
import math
from dataclasses import dataclass

import keras

from pipeline.network import refused
from pipeline.network.arguments import KINDS, kind_of, parameters, reasons
from pipeline.network.model import create
from pipeline.network.resolve import _keras_layers, _own_layers, resolve

#: Argument, or `Class.argument` → values unlike Keras' default. An argument that is not here gets one by its default.
VALUES = {
    "activation": ["tanh"], "alpha": [0.5], "axis": [1], "bias_axes": ["d"], "bin_boundaries": [[-0.5, 0.0, 0.5]],
    "cropping": [1], "Cropping1D.cropping": [2, [0, 1]], "brightness_factor": [0.2], "contrast_factor": [0.2],
    "hue_factor": [0.2], "saturation_factor": [0.2], "data_format": ["channels_first"], "dilation_rate": [2], 
    "dims": [[2, 1]], "equation": ["abc,cd->abd"], "factor": [0.4], "RandomBrightness.factor": [0.4, [-0.1, 0.3]], "RandomPosterization.factor": [3],
    "fft_length": [32], "fill_mode": ["constant"], "fill_value": [1.0], "filters": [4], "frame_length": [16],
    "frame_step": [4], "groups": [2], "height": [5], "width": [5], "input_dim": [7], "input_axes": [[0]],
    "output_axes": [[1]], "interpolation": ["nearest"], "UpSampling2D.interpolation": ["bilinear"],
    "kernel_size": [3, 2], "RandomGaussianBlur.kernel_size": [3, 5], "RandomGrayscale.factor": [0.4],
    "layer": [{"Dense": {"units": 4}}], "Bidirectional.layer": [{"LSTM": {"units": 4}}],
    "Bidirectional.backward_layer": [{"LSTM": {"units": 4, "go_backwards": True}}], "logit_soft_cap": [5.0],
    "num_heads": [2], "key_dim": [3], "lora_alpha": [3], "lora_rank": [2], "mask_value": [1.0], "max_freq": [4000.0], "max_value": [0.5], "mean": [0.5],
    "variance": [2.0], "merge_mode": ["sum", "mul", "ave"], "n": [3], "noise_shape": [[None, 1, 4]],
    "num_bins": [4], "num_tokens": [7], "output_dim": [3], "output_mode": ["one_hot"],
    "CategoryEncoding.output_mode": ["one_hot"], "Discretization.output_mode": ["one_hot", "multi_hot"],
    "output_padding": [0], "output_shape": [[10, 5]], "output_size": [2], "padding": ["same"],
    "Conv1D.padding": ["same", "causal"], "ZeroPadding1D.padding": [2, [0, 1]], "ZeroPadding2D.padding": [2, [0, 1]],
    "ZeroPadding3D.padding": [2], "pool_size": [2, 3], "rate": [0.3, 0.0], "Dropout.rate": [0.3, 0.0, 1.0],
    "dropout": [0.3, 1.0], "recurrent_dropout": [0.3, 1.0], "recurrent_activation": ["hard_sigmoid"], "scale": [0.5],
    **{f"{name}.scale": [False] for name in ("BatchNormalization", "FrozenBatchNormalization", "GroupNormalization",
                                             "LayerNormalization")},
    "scaling": ["spectrum"], "sequence_length": [16], "sequence_stride": [4], "num_mel_bins": [4],
    "sampling_rate": [50], "min_freq": [1.0], "shared_axes": [[1]], "size": [2, 3], "stddev": [0.3], "strides": [2],
    "target_shape": [[4, -1]], "tile_grid_size": [[2, 2]], "units": [4], "value_range": [[0, 200]],
    "window": ["hamming"], "STFTSpectrogram.mode": ["magnitude", "psd", "real"], "RandomFlip.mode": ["horizontal"],
    "OrthogonalRegularizer.mode": ["columns"], "moving_variance_initializer": [{"Constant": {"value": 2.0}}], "VarianceScaling.mode": ["fan_out", "fan_avg"],
    "distribution": ["uniform", "untruncated_normal"], "height_factor": [0.2], "width_factor": [0.2],
    "clipnorm": [0.05], "clipvalue": [0.01], "global_clipnorm": [0.05], "ema_overwrite_frequency": [2],
    "loss_scale_factor": [100.0], "gradient_accumulation_steps": [2], "weight_decay": [0.1],
    "GhostBatchNormalization.size": [2, 4],
}
#: Class → arguments that it cannot do without, though Keras has a default.
NEEDED = {"Normalization": {"mean": 0.5, "variance": 2.0}, "GroupNormalization": {"groups": 2},
          "Discretization": {"bin_boundaries": [-0.5, 0.0, 0.5]}, "CategoryEncoding": {"num_tokens": 7},
          "MelSpectrogram": {"fft_length": 32, "sequence_stride": 16, "num_mel_bins": 4},
          "STFTSpectrogram": {"frame_length": 16, "fft_length": 16}}
#: Argument → what has to be given with it, so that it counts.
WITH = {"renorm_momentum": {"renorm": True}, "lora_alpha": {"lora_rank": 2}, "use_ema": {"ema_momentum": 0.7},
        "ema_momentum": {"use_ema": True}, "ema_overwrite_frequency": {"use_ema": True}}
#: What a class's name ends in or contains → the shape of a sample that it takes.
SHAPES = {"ConvLSTM1D": (3, 6, 3), "ConvLSTM2D": (3, 5, 5, 3), "ConvLSTM3D": (2, 5, 5, 5, 2), "MelSpectrogram": (64,),
          "STFTSpectrogram": (64, 1), "Embedding": (6,), "RepeatVector": (4,),
          "Resizing": (6, 6, 3), "1D": (10, 4), "2D": (6, 6, 4), "3D": (5, 5, 5, 4)}
_IMAGE = keras.layers.RandomFlip.__mro__[1]


@dataclass(frozen=True)
class Case:
    """A layer with arguments, on samples of a shape."""

    layer: str
    arguments: dict
    shape: tuple[int, ...]

    def __str__(self):
        return f"{self.layer}({', '.join(f'{name}={value}' for name, value in self.arguments.items())})"


def layer_classes() -> dict[str, type]:
    """Every layer class once, by its name: Keras' and those of this project that Keras lacks."""
    offered = _own_layers() | _keras_layers()
    names = {cls: name for name, cls in offered.items()} | {
        cls: cls.__name__ for cls in offered.values() if cls.__name__ in offered}
    return {name: cls for cls, name in sorted(names.items(), key=lambda pair: pair[1])}


def classes_of(kind: str) -> dict[str, type]:
    """Every initialiser, regulariser or constraint once, but for those that are refused."""
    room, base, refusals = KINDS[kind]
    return {cls.__name__: cls for cls in vars(room).values()
            if inspect.isclass(cls) and issubclass(cls, base) and cls.__name__ not in refusals}


def optimizer_classes() -> dict[str, type]:
    """Every optimiser once, but for those that are refused."""
    return {name: cls for name, cls in vars(keras.optimizers).items() if inspect.isclass(cls)
            and issubclass(cls, keras.optimizers.Optimizer) and name not in {"Optimizer", *refused.OPTIMIZERS}}


def signature(cls: type) -> dict[str, inspect.Parameter]:
    """The arguments of a class, by its signature, but for those that are refused."""
    layer = issubclass(cls, keras.layers.Layer)
    why = reasons(cls.__name__, refused.ARGUMENTS if not issubclass(cls, keras.optimizers.Optimizer)
                  else refused.OPTIMIZER_ARGUMENTS)
    return {name: one for name, one in parameters(cls, keras.layers.Layer if layer else object).items() if name not in why}


def values_of(cls: type, name: str) -> list:
    """Values for an argument, unlike Keras' default; KeyError where nobody has said which."""
    for key in (f"{cls.__name__}.{name}", name):
        if key in VALUES:
            return VALUES[key]
    default, kind = signature(cls)[name].default, kind_of(name)
    if kind:
        return [{"initializer": "he_normal", "regularizer": "l2", "constraint": "max_norm"}[kind]]
    if isinstance(default, bool):
        return [not default]
    if isinstance(default, float):
        return [default / 2 or 0.5]
    if isinstance(default, int):
        return [default + 1]
    raise KeyError(f"{cls.__name__}.{name}: say in VALUES with which value to try it (Keras' default: {default!r})")


def needed(cls: type) -> dict:
    """A value for each argument that a class cannot do without."""
    return {name: values_of(cls, name)[0] for name, one in signature(cls).items() if one.default is one.empty} | NEEDED.get(
        cls.__name__, {})


def shape_of(name: str, cls: type, argument: str = "") -> tuple[int, ...]:
    """The shape of a sample on which to try a class."""
    shape = (6, 6, 3) if issubclass(cls, _IMAGE) else next(
        (shape for part, shape in SHAPES.items() if part in name), (10, 4))
    if argument != "data_format":
        return shape
    time, space = (shape[:1], shape[1:]) if "ConvLSTM" in name else ((), shape)
    return *time, space[-1], *space[:-1]


def cases(name: str) -> list[Case]:
    """A layer as it is, with each value of each of its arguments, and with all that is begun, penalised or constrained."""
    cls, found = layer_classes()[name], []
    named = {argument: values_of(cls, argument)[0] for argument in signature(cls) if kind_of(argument)}
    tries = [("", {})] + [("", named)] * bool(named)
    tries += [(argument, {argument: value}) for argument in signature(cls) if argument not in named
              for value in values_of(cls, argument)]
    for argument, given in tries:
        arguments = needed(cls) | WITH.get(argument, {}) | given
        if not found or arguments != found[0].arguments:
            found.append(Case(name, arguments, shape_of(name, cls, argument)))
    return found


#: What makes much of rounding (a logarithm of next to nothing, a spread of few numbers), or draws deep inside.
_XLA_ALONE = {"LayerNormLSTM", "MelSpectrogram", "SelfAttention", "STFTSpectrogram"}


def needs_xla(case: Case) -> bool:
    """Whether a case draws numbers while it trains, or counts what is nearly equal: its numbers are those of XLA alone."""
    if case.layer in _XLA_ALONE:
        return True
    cls = layer_classes()[case.layer]
    if issubclass(cls, keras.layers.RNN):
        return bool({"dropout", "recurrent_dropout"} & set(case.arguments))
    made = create(resolve({case.layer: case.arguments}, {}, "a case"), "a case")
    return issubclass(cls, _IMAGE) or any(isinstance(one, keras.random.SeedGenerator) for one in vars(made).values())


def layers(case: Case) -> tuple[list, list]:
    """Layers that make of a vector the values that a case takes, and layers that make of these a vector by the case."""
    tokens = "Embedding" in case.layer
    image = issubclass(layer_classes()[case.layer], _IMAGE)
    before = [{"Dense": {"units": math.prod(case.shape), "activation": "sigmoid" if tokens or image else "tanh"}},
              {"Rescaling": {"scale": 6.99 if tokens else 255.0 if image else 1.0}},
              {"Reshape": {"target_shape": list(case.shape)}}]
    # Flatten does not take what has a mask.
    unmasked = ["GlobalAveragePooling1D"] if case.layer == "Masking" or case.arguments.get("mask_zero") else []
    return before, [{case.layer: case.arguments}, *unmasked, "Flatten", {"Rescaling": {"scale": 0.01 if image else 1.0}}]
