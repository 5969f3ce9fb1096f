"""Keys that people know from elsewhere, and what this project has instead, or why it has nothing."""

_RATE = "a run has one learning rate: `learning_rates` lists those that each seed tries; there is no schedule"
_WEIGHTS = "out of reach: every weight begins where the run's seed says, and nothing pretrained is loaded"
_COUNTS = "out of reach: every sample counts the same"
_TARGETS = "out of reach: targets are as the data have them"
_OPTIMISER = "an argument of the optimiser, as in optimizer: {{{}}}"

#: Key → what to say of it.
ELSEWHERE = {
    **dict.fromkeys(("lr", "rate"), "write learning_rate"),
    **dict.fromkeys(("warmup", "schedule", "lr_schedule", "learning_rate_schedule", "decay", "lr_decay"), _RATE),
    **dict.fromkeys(("weights", "pretrained", "checkpoint"), _WEIGHTS),
    **dict.fromkeys(("class_weight", "class_weights", "sample_weight", "sample_weights"), _COUNTS),
    **dict.fromkeys(("label_smoothing", "mixup"), _TARGETS),
    "weight_decay": _OPTIMISER.format("AdamW: {weight_decay: 0.01}"), "momentum": _OPTIMISER.format("SGD: {momentum: 0.9}"),
    **dict.fromkeys(("clipnorm", "clipvalue"), _OPTIMISER.format("Adam: {clipnorm: 1.0}")),
    "loss": "out of reach: the data decide it, cross-entropy of classes, squared error of numbers; `quantiles` has its own",
    "metrics": "out of reach: every run measures all that the book shows",
    "callbacks": "out of reach: a run ends by `patience`, and keeps its best epoch", "early_stopping": "write patience",
    "augmentation": "a layer of the list, such as RandomFlip",
    **dict.fromkeys(("inputs", "input"), "out of reach: a network has one input, the data set's"),
    **dict.fromkeys(("outputs", "output"), "out of reach: a network has one output, a vector a sample; `head` follows it")}

#: By which keys an entry of a section is known, and other keys of such entries.
_KNOWN_BY = {"experiments": {"of", "data", "layers"}, "data": {"file", "source", "group"}}
_OTHERS = {"without", "replace", "set", "before", "after", "everywhere", "versus", "head", "vary", "target", "window",
           "seeds", "title"}


def displaced(holder: tuple, key: str, value) -> str:
    """What to say of a key that stands further in, or further out, than it was probably meant to; empty of others.

    Args:
        holder: the place where it stands.
    """
    like = next((section for section, keys in _KNOWN_BY.items() if isinstance(value, dict) and keys & value.keys()), "")
    if like and len(holder) in (0, 2):
        return f"; it looks like an entry of {like}: indent it as " + (f"'{holder[1]}'" if holder else "those")
    is_outside = not holder or holder in [(section,) for section in _KNOWN_BY]
    if is_outside and not isinstance(value, dict) and key in _OTHERS.union(*_KNOWN_BY.values()):
        return "; it looks like a part of an entry: indent it as the rest of that"
    return ""
