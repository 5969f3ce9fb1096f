"""One compiled function for several threads, each with variables of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import tensorflow as tf


class Compiled:
    """A function of arrays that reads and writes variables, compiled once for any copies of these.

    TensorFlow binds a compiled function to the variables that it was traced with. They are hidden
    inputs of what was compiled, and a call here puts others in their place: so threads share the
    machine code, and nothing else.

    Args:
        function: of tensors, giving a tuple of tensors; it may use `variables`.
        variables: every variable that the function may use.
    """

    def __init__(self, function: Callable, variables: Sequence[tf.Variable]):
        self._function = tf.function(function)
        self._places = {id(variable.handle): place for place, variable in enumerate(variables)}
        self._compiled = tf.function(self._with, jit_compile=True)
        self._lock = threading.Lock()

    def __call__(self, variables: Sequence[tf.Variable], *arrays) -> list[tf.Tensor]:
        """What the function gives when `variables` stand where those of its making stood."""
        arguments = [tf.convert_to_tensor(array) for array in arrays], [v.handle for v in variables]
        with self._lock:  # Tracing is not made for several threads; running is.
            compiled = self._compiled.get_concrete_function(*arguments)
        return compiled(*arguments)

    def _with(self, arrays: list, handles: list) -> list:
        traced = self._function.get_concrete_function(*(tf.TensorSpec(a.shape, a.dtype) for a in arrays))
        hidden = [self._handle(held, handles) if held.dtype == tf.resource else held for held in traced.captured_inputs]
        return tf.raw_ops.StatefulPartitionedCall(
            args=[*arrays, *hidden], Tout=[output.dtype for output in traced.outputs], f=traced)

    def _handle(self, held, handles: list):
        """What stands in a variable's place; ValueError for one that `variables` lacks: threads would share it."""
        if id(held) not in self._places:
            raise ValueError("a layer uses a variable that is not among its own: noise without a seed generator in an "
                             "attribute of the layer, or a variable that add_weight did not make")
        return handles[self._places[id(held)]]
