"""A resolved network as plain Keras code, to paste into a project of one's own: layers, compile, fit."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Mapping

import pandas as pd

from pipeline.book.markdown import TEMPLATES
from pipeline.config.blocks import WORDS, Mark, mark
from pipeline.config.claims import arm_name
from pipeline.config.experiments import WAYS, CosineSchedule, PlateauSchedule
from pipeline.config.layer_names import given, word_of
from pipeline.config.task import Task

#: This project's layers that Keras lacks; and those of them that are a few calls of Keras' layers.
OWN = frozenset({"BatchNoise", "BatchNormLSTM", "FrozenBatchNormalization", "GhostBatchNormalization", "LayerNormLSTM",
                 "SelfAttention", "SqueezeExcite"})
FEW_CALLS = frozenset({"FrozenBatchNormalization", "SelfAttention", "SqueezeExcite"})
#: What Keras' layers take first, in its order, if they take it at all: it is written without its name.
FIRST = (("filters", "kernel_size"), ("units",), ("rate",), ("layer",))
#: Keras' optimisers, which params.yaml may write in any case.
OPTIMIZERS = ("Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Adamax", "Ftrl", "Lamb", "Lion", "Muon", "Nadam",
              "RMSprop", "SGD", "ScheduleFreeAdamW")
#: The weights that `decay_kernels_only` leaves out, as in `pipeline.network.optimizers`, which loads Keras.
NO_KERNELS = r"(^|/)(bias|gamma|beta|scale|alpha)(:\d+)?$"


def keras_code(plan: Mapping, layers: pd.DataFrame, edges: pd.DataFrame, calls: bool = False) -> str:
    """The code of a network and of its training, its arguments as the plan has them.

    Keras' `fit` also takes the last, smaller batch of an epoch, which the study leaves out.

    Args:
        plan: of an experiment, with one arm.
        layers: the table `layers`, with the rows of that arm: what each layer gives.
        edges: the table `edges`: at which learning rate most seeds are scored.
        calls: write a call for each layer also where a list of them would do.
    """
    (arm,), name = plan["arms"], plan["experiment"]
    train, network = dict.fromkeys(WAYS) | arm["train"], _Network(plan, _rows(layers, arm))
    lines = network.called() if calls or network.has_calls else network.listed()
    used, files = network.used - OWN, plan.get("modules", {})
    known = {one.lower(): one for one in OPTIMIZERS}
    arguments, schedule = dict(given(train["optimizer"])), train["schedule"] or ""
    kernels_only = arguments.pop("decay_kernels_only", False)
    rates = [rate for rate in _rows(edges[edges["experiment"] == name], arm)["rate"] if rate in train["learning_rates"]]
    return TEMPLATES.get_template("keras_code.py.j2").render(
        name=arm_name(name, arm["variant"]), arm=arm, train=train, task=Task.of(arm), lines=lines,
        own=sorted(network.used & OWN),
        files=dict.fromkeys(files, ", ".join(sorted(used)) if len(files) == 1 else "*") if used else {},
        loss=train["loss"] and f"keras.losses.{word_of(train['loss'])}({network.arguments(given(train['loss']))})",
        optimizer=known[word_of(train["optimizer"]).lower()], arguments=network.arguments(arguments),
        use_ema=arguments.get("use_ema", False), no_kernels=NO_KERNELS if kernels_only else "",
        measured=bool(rates), rate=(rates or train["learning_rates"])[0],
        cosine=CosineSchedule(**given(schedule)) if word_of(schedule) == "cosine" else None,
        plateau=PlateauSchedule(**given(schedule)) if word_of(schedule) == "plateau" else None)


def _rows(table: pd.DataFrame, arm: Mapping) -> pd.DataFrame:
    """The rows of a table that are of an arm."""
    return table[(table["variant"] == arm["variant"]) & (table["data"] == arm["data"])]


class _Network:
    """A network as far as it is written, in the order of `pipeline.network.model`.

    Attributes:
        used: the classes of its layers that Keras lacks.
        now: what the last layer gave, by its name in the lines.
    """

    def __init__(self, plan: Mapping, rows: pd.DataFrame):
        arm, = plan["arms"]
        head, output = arm["network"]["head"], {"units": Task.of(arm).outputs}
        if [item["class"] for item in head] == ["Activation"]:
            output, head = output | head[0]["arguments"], []
        self.items = [*arm["network"]["layers"], {"word": "output", "class": "Dense", "arguments": output}, *head]
        self.has_calls = any(mark(item["word"]) or item["class"] in FEW_CALLS for item in self.items)
        self.masked = any(item["class"] == "Masking" or item["arguments"].get("mask_zero") for item in self.items)
        self.foreign, self.used, self.occurrence = OWN | {*plan.get("custom_layers", ())}, set(), Counter()
        self.shapes = {row.layer: [int(size) for size in re.findall(r"\d+", row.shape)] for row in rows.itertuples()}
        self.now, self.shape = "inputs", {"inputs": arm["shape"]}
        self.input = f"keras.Input({tuple(arm['shape'])})"
        self.lines = [f"inputs = {self.input}"]
        #: Of each open block its name, its input, and what the branches gave that have ended.
        self.blocks: list[tuple[str, str, list[str]]] = []

    def listed(self) -> list[str]:
        """The lines of a network that is a list of layers."""
        return ["model = keras.Sequential([", *(f"    {one}," for one in (self.input, *map(self.layer, self.items))), "])"]

    def called(self) -> list[str]:
        """The lines of a network with a call for each layer."""
        for item in self.items:
            if one := mark(item["word"]):
                self._block(one)
            else:
                self._give(self._name(item["word"]), self._in_keras(item) or f"{self.layer(item)}({self.now})")
        return [*self.lines, "model = keras.Model(inputs, x)"]

    def layer(self, item: Mapping) -> str:
        """A layer as Python."""
        name = item["class"]
        self.used |= {name} & self.foreign
        return f"{'' if name in self.foreign else 'layers.'}{name}({self.arguments(item['arguments'], name)})"

    def arguments(self, values: Mapping, layer: str = "") -> str:
        """Arguments as Python, those that a layer of Keras takes first without their names."""
        first = () if not layer or layer in self.foreign else ("activation",) if layer == "Activation" else next(
            (names for names in FIRST if names[0] in values), ())
        return ", ".join([*(self._value(values[name]) for name in first),
                          *(f"{name}={self._value(values[name])}" for name in sorted(values) if name not in first)])

    def _value(self, value) -> str:
        if isinstance(value, Mapping):
            return self.layer(value) if "word" in value else (
                f"keras.{value['kind']}s.{value['class']}({self.arguments(value['arguments'])})")
        if isinstance(value, list):
            return f"[{', '.join(map(self._value, value))}]"
        return json.dumps(value) if isinstance(value, str) else repr(value)

    def _name(self, word: str) -> str:
        self.occurrence[word] += 1
        return f"{word}_{self.occurrence[word]}"

    def _give(self, name: str, expression: str) -> None:
        self.lines.append(f"x = {expression}")
        self.now, self.shape["x"] = "x", self.shapes[name]

    def _keep(self, name: str) -> str:
        """What the last layer gave, under a name that no other layer takes."""
        if self.now == "x":
            self.lines.append(f"{name} = x")
            self.now, self.shape[name] = name, self.shape["x"]
        return self.now

    def _block(self, one: Mark) -> None:
        """Begin or end a block, or a branch of one; a word that stands for a list is no more than its layers."""
        if not one.closes:
            name = self._name(one.word)
            self.blocks.append((name, self._keep(name) if one.word in WORDS else self.now, []))
        elif one.opens:
            name, start, ended = self.blocks[-1]
            ended.append(self._keep(f"{name}_{len(ended) + 1}"))
            self.now = start
        else:
            name, start, ended = self.blocks.pop()
            if one.join:
                joined = [*(ended or [self._shortcut(name, start)]), self.now]
                self._give(name, f"layers.{one.join.capitalize()}()([{', '.join(joined)}])")

    def _shortcut(self, name: str, start: str) -> str:
        """The input of a residual block, by a linear map where the network has one."""
        if f"{name}_shortcut" not in self.shapes:
            return start
        (*before, _), (*after, channels) = self.shape[start], self.shape[self.now]
        arguments = {"filters": channels, "kernel_size": 1} if after else {"units": channels}
        strides = [math.ceil(one / other) for one, other in zip(before, after)]
        if before != after:
            arguments["strides"] = strides[0] if len({*strides}) == 1 else strides
        item = {"class": f"Conv{len(after)}D" if after else "Dense", "arguments": arguments | {"use_bias": False}}
        self.lines.append(f"{name} = {self.layer(item)}({start})")
        return name

    def _in_keras(self, item: Mapping) -> str:
        """The call of Keras' layers that is a layer which Keras lacks, if it is short; the calls before it are written."""
        arguments, x = dict(item["arguments"]), self.now
        if item["class"] == "FrozenBatchNormalization":
            return f"layers.BatchNormalization({self.arguments(arguments)})({x}, training=False)"
        if item["class"] == "SelfAttention":
            causal = ", use_causal_mask=True" if arguments.pop("use_causal_mask", False) else ""
            return f"layers.MultiHeadAttention({self.arguments(arguments)})({x}, {x}{causal})"
        # With a mask its mean is that of what the mask shows.
        return self._gated(**arguments) if item["class"] == "SqueezeExcite" and not self.masked else ""

    def _gated(self, ratio: int = 4, squeeze: bool = True) -> str:
        *space, channels = self.shape[self.now]
        made = [f"GlobalAveragePooling{len(space)}D(keepdims=True)"] * bool(space and squeeze) + [
            f'Dense({units}, activation="{activation}", use_bias=False, kernel_initializer="he_normal")'
            for units, activation in ((max(channels // ratio, 1), "relu"), (channels, "sigmoid"))]
        self.lines += [f"gate = layers.{one}({'gate' if number else self.now})" for number, one in enumerate(made)]
        return f"layers.Multiply()([{self.now}, gate])"
