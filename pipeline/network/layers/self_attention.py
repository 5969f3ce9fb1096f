"""Attention of a sequence to itself."""

from __future__ import annotations

import keras


class SelfAttention(keras.layers.Layer):
    """Multi-head attention whose query, key and value are one sequence, `(batch, time, channels)`.

    Args:
        num_heads, key_dim, dropout, use_bias: as in `keras.layers.MultiHeadAttention`.
        use_causal_mask: whether a step sees none that come after it.

    Source: Vaswani et al., "Attention Is All You Need" (2017).
    """

    def __init__(self, num_heads: int, key_dim: int, dropout: float = 0.0, use_bias: bool = True, use_causal_mask: bool = False,
                 **kwargs):
        super().__init__(**kwargs)
        self.attention = keras.layers.MultiHeadAttention(num_heads, key_dim, dropout=dropout, use_bias=use_bias)
        self.use_causal_mask = use_causal_mask
        self.supports_masking = True

    def build(self, shape):
        self.attention.build(shape, shape)

    def call(self, inputs, mask=None, training=False):
        return self.attention(inputs, inputs, query_mask=mask, value_mask=mask, use_causal_mask=self.use_causal_mask,
                              training=training)

    def compute_output_shape(self, shape):
        return shape
