"""A network in words: its layers, and what one changes of another."""

from collections.abc import Sequence

from pipeline.book.escape import code
from pipeline.config.claims import base
from pipeline.config.changes import Change
from pipeline.config.layer_names import chain as words_in_order
from pipeline.config.layer_names import classes, words
from pipeline.config.metrics import TRIVIAL
from pipeline.config.schema import Experiment, Params, Train


def chain(experiment: Experiment) -> str:
    """The layers in the network's order, and a head that is not the usual one."""
    text = words_in_order(experiment.layers)
    if experiment.head:
        head = experiment.head
        text += " → output → " + (head if isinstance(head, str) else words_in_order(head))
    return code(text)


def change(one: Change) -> str:
    """An elementary change, e.g. "`bn` before `relu`"."""
    if one.kind == "without":
        return f"without {code(one.place)}"
    if one.kind == "set":
        if one.value is None:
            return f"without {code(one.place)}"
        return code(f"{one.place}: {str(one.value).lower() if isinstance(one.value, bool) else one.value}")
    come = _code(words(one.value))
    place = code(one.place)
    return {"replace": f"{come} instead of {place}", "before": f"{come} before {place}",
            "after": f"{come} after {place}", "layers": f"the layers {come}"}[one.kind]


def changed(params: Params, treatment: str, control: str) -> str:
    """What a treatment does to its control, in words: as its change is written, else both chains."""
    new = params.experiments[base(treatment)]
    if control == TRIVIAL:
        return f"{chain(new)} instead of guessing"
    old = params.experiments[base(control)]
    parts = []
    if new.of == base(control):
        parts = [change(one) for one in new.changes]
    elif words(new.layers) != words(old.layers):
        parts = [f"{_code(words(new.layers))} instead of {_code(words(old.layers))}"]
    if new.head != old.head and new.head:
        parts.append("output " + _code([new.head] if isinstance(new.head, str) else words(new.head)))
    parts += [code(f"{k}: {getattr(new, k)}") for k in Train.model_fields
              if getattr(new, k, None) is not None and getattr(new, k) != getattr(old, k)]
    if new.everywhere:
        parts.append(f"{put_in(new)} at every place, one at a time")
    if "[" in treatment:
        parts.append("at " + code(treatment.partition("[")[2].rstrip("]").replace("=", " = ")))
    return ", ".join(dict.fromkeys(parts)) or "the same network"


def put_in(experiment: Experiment) -> str:
    """The layers that an experiment puts in at every place; empty for any other."""
    return _code(words(experiment.everywhere)) if experiment.everywhere else ""


def _code(names: Sequence[str]) -> str:
    return code(" → ".join(names))


def kind(params: Params, name: str) -> str:
    """What kind of network an experiment has, by its layers."""
    found = [cls for cls, _ in classes(params.experiments[name].layers, params.layers)]
    lstms = sum("LSTM" in cls for cls in found)
    if "Embedding" in found:
        return "text: embedding, Conv1D, LSTM"
    if lstms:
        return "Conv1D and LSTM" if lstms == 1 else "Conv1D and stacked LSTMs"
    return ("Conv2D" if "Conv2D" in found else "Conv1D without LSTM" if "Conv1D" in found else "dense layers (MLP)")
