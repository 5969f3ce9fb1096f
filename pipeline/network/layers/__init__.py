"""The layers that Keras lacks, and faster twins of some that it has; one concept a file.

No two files define one name: the digest of a layer's code follows names through all of them.
"""

from pipeline.network.layers.convolution import Conv1D, Conv2D
from pipeline.network.layers.dropout import AlphaDropout, Dropout
from pipeline.network.layers.noise import BatchNoise
from pipeline.network.layers.normalisation import (
    FrozenBatchNormalization, GhostBatchNormalization)
from pipeline.network.layers.normalised_lstm import BatchNormLSTM, LayerNormLSTM
from pipeline.network.layers.pooling import MaxPooling2D
from pipeline.network.layers.recurrent import GRU, LSTM
from pipeline.network.layers.self_attention import SelfAttention
from pipeline.network.layers.squeeze_excite import SqueezeExcite

__all__ = [
    "AlphaDropout", "BatchNoise", "BatchNormLSTM", "Conv1D", "Conv2D", "Dropout",
    "FrozenBatchNormalization", "GRU", "GhostBatchNormalization", "LSTM", "LayerNormLSTM",
    "MaxPooling2D", "SelfAttention", "SqueezeExcite"]
