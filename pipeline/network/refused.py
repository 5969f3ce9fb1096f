"""What of Keras no network may have, each with the reason: all else is equal to Keras."""

from __future__ import annotations

_MERGES = ("it merges several inputs, and a list has one; {residual: [word, word]} has a shortcut, and "
           "{branches: [[word], [word]], join: add} joins lists")
_SEVERAL = "it needs several inputs, and a list has one"
_ATTENTION = "it needs a query and a value, and a list has one input; SelfAttention takes it for both"
_FOREIGN = "it runs foreign code, which params.yaml cannot describe"
_FILES = "it may read files of any place, which params.yaml cannot describe"
_BASE = "it is a base, not a layer of a network"
_CELL = "it is one step of a recurrent layer; LSTM, GRU and SimpleRNN are whole ones"
_XLA = "XLA, which compiles every network here, lacks an operation of it on a CPU"
_LABELS = "it mixes the classes of samples too, which a layer does not see"
_QUANTISED = "it is for networks that are trained already"
_ONE_OUTPUT = "it makes several outputs, and a list passes one on"
_FLOAT32 = "all networks compute in float32"
_DATA = "the data decide it"

#: Layer → why it may not stand in a list.
LAYERS = {
    **dict.fromkeys(("Lambda", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer"), _FOREIGN),
    **dict.fromkeys(("StringLookup", "IntegerLookup", "TextVectorization"), _FILES),
    **dict.fromkeys(("Layer", "Wrapper", "InputLayer"), _BASE),
    **dict.fromkeys(("Add", "Average", "Concatenate", "Dot", "Maximum", "Minimum", "Multiply", "Subtract"), _MERGES),
    **dict.fromkeys(("Attention", "AdditiveAttention", "HashedCrossing"), _SEVERAL),
    **dict.fromkeys(("MultiHeadAttention", "GroupQueryAttention"), _ATTENTION),
    **dict.fromkeys(("LSTMCell", "GRUCell", "SimpleRNNCell", "StackedRNNCells"), _CELL),
    **dict.fromkeys(("AugMix", "CategoryEncoding", "Hashing", "RandAugment", "RandomElasticTransform", "RandomPerspective",
                     "RandomRotation", "RandomShear", "RandomTranslation", "RandomZoom"), _XLA),
    **dict.fromkeys(("CutMix", "MixUp"), _LABELS),
    "Equalization": "Keras' own gives its input itself, on which Keras can build no network",
    "MaxNumBoundingBoxes": "it works on boxes, and a list passes images on alone",
    "Pipeline": "a list of layers is one already",
    "RandomCrop": "Keras' own gives other shapes at inference than in training",
    "RNN": "its cell is no layer of a list; LSTM, GRU and SimpleRNN are this layer with a cell",
}
#: Argument of any layer or of what a layer is given, or `Class.argument` → why it may not be given.
ARGUMENTS = {
    "name": "the pipeline names every layer",
    "seed": "the seed of a run decides it",
    "weights": "all weights begin where the seed of a run says",
    **dict.fromkeys(("dtype", "autocast", "reverse_dtype"), _FLOAT32),
    **dict.fromkeys(("input_shape", "batch_input_shape", "batch_size", "batch_shape"), _DATA),
    **dict.fromkeys(("quantization_config", "gptq_unpacked_column_size"), _QUANTISED),
    "stateful": "a sequence does not go on in the next batch, because batches are shuffled",
    "return_state": _ONE_OUTPUT,
    "sparse": "XLA, which compiles every network here, has no sparse tensors",
    "use_cudnn": "networks are trained on CPUs",
    "bounding_box_format": "a list passes images on alone, without boxes",
    "ActivityRegularization.activity_regularizer": "the layer is one; l1 and l2 say which",
    "Discretization.num_bins": "Keras would learn the bins by adapt, which nothing calls; bin_boundaries say them",
    "RMSNormalization.axis": "Keras' own fails on any other axis than the last, which it takes without it",
    "Resizing.antialias": _XLA,
    "renorm_clipping": "params.yaml cannot describe a mapping of numbers",
}
#: Optimiser → why it may not be used.
OPTIMIZERS = {
    "LossScaleOptimizer": f"it is for numbers of 16 bits, and {_FLOAT32}",
    "MultiOptimizer": "it needs an optimiser for each layer, and params.yaml names one for all",
}
#: Argument of any optimiser → why it may not be given.
OPTIMIZER_ARGUMENTS = {
    "name": "it changes nothing",
    "learning_rate": "the rate is set by learning_rate or learning_rates, beside the optimiser, and has no schedule",
    "exclude_layers": "it is a list of names, which an optimiser's argument cannot be; the pipeline names layers",
}
#: Function of keras.activations → why it cannot be one.
ACTIVATIONS = {
    "threshold": "it needs numbers besides its input; the layer ReLU has them",
}
#: Class of keras.initializers → why no weight begins by it.
INITIALIZERS = {
    "Initializer": _BASE.replace("layer of a network", "initialiser"),
    "STFT": "it makes the waves of the layer STFTSpectrogram, which are not trained",
}
REGULARIZERS = {"Regularizer": _BASE.replace("layer of a network", "regulariser")}
CONSTRAINTS = {"Constraint": _BASE.replace("layer of a network", "constraint")}
