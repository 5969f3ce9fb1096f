"""Every network is built, and takes one compiled step, before anything is trained."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np

from pipeline.data.split import Split
from pipeline.network import model, no_advice
from pipeline.network.arguments import first_lines
from pipeline.plan.behaviour import require_masks_kept, require_one_start, require_state_alone
from pipeline.plan.resolve import nested
from pipeline.config.errors import ConfigError, refused, tell
from pipeline.config.experiments import WAYS
from pipeline.config.layer_names import chain
from pipeline.config.task import Task
from pipeline.train.arm import canonical
from pipeline.train.trainer import Trainer


#: A network has at most so many parameters, and its layers give a batch at most so many numbers: a
#: training step holds several times as many.
MOST_PARAMETERS, MOST_OUTPUTS = 20_000_000, 50_000_000


def _depends(plan: dict, arm: dict) -> tuple[str, str]:
    """All that building an arm's network depends on, and all that a compiled step of it does."""
    network, train = arm["network"], arm["train"]
    used = {item["class"] for part in network.values() for item in nested(part)}
    code = [plan["versions"], plan["numerics"],
            {cls: code for cls, code in plan.get("custom_layers", {}).items() if cls in used}]
    # Of the study's batch size, because a layer may ask for a multiple of something.
    return (canonical(["build", code, network, arm["shape"], arm["task"]]),
            canonical(["step", code, network["layers"], train["optimizer"], train["batch_size"],
                       *(train[name] for name in WAYS if train.get(name))]))


def checked(plan: dict) -> set[str]:
    """What `check` has seen of a plan, whatever the experiment's name: all that its networks depend on."""
    return {one for arm in plan["arms"] for one in _depends(plan, arm)}


def check(plan: dict, place: str, known: Collection[str] = (), written: Mapping[str, Sequence[str]] | None = None,
          ) -> set[str]:
    """Build every network of a plan on every shape, and run one compiled step of each layer list.

    Args:
        place: where the experiment stands, for messages.
        known: what earlier checks returned; it is not built or compiled again.
        written: variant → where each of its layers stands, if not in a list there.

    Returns:
        As `checked`.

    Raises:
        ConfigError: Keras cannot connect the layers, XLA cannot compile the network, a mask gets lost in it, or
            something else than its seed decides what it computes; each mistake once, with the first variant and
            data set that has it.
    """
    done, found, wrong = set(known), {}, set()
    for arm in plan["arms"]:
        building, stepping = _depends(plan, arm)
        if {building, stepping} <= done or arm["variant"] in wrong:
            continue
        steps = stepping not in done
        done |= {building, stepping}
        variant = f"variant '{arm['variant']}', " if arm["variant"] else ""
        places = (written or {}).get(arm["variant"], ())
        try:
            _check_arm(arm, steps, place, places)
        except ConfigError as error:
            wrong.add(arm["variant"])
            out = f"; except: [{arm['variant']}] leaves the place out" if f"{place}.everywhere" in places else ""
            found.setdefault(str(error), ConfigError(f"{error}{out} ({variant}on data set '{arm['data']}')"))
    tell(list(found.values()))
    return checked(plan)


def _check_arm(arm: dict, steps: bool, place: str, written: Sequence[str]) -> None:
    """Build an arm's network, and, if `steps`, let it take one."""
    _require_moderate(arm, place, written)
    built = model.build(arm["network"], tuple(arm["shape"]), Task.of(arm).outputs, place=place, written=written)
    if steps:
        require_masks_kept(built, place)
        _step(arm, built, place)


def same_as_control(plans: Mapping[str, dict], versus: Mapping[str, str | None]) -> list[str]:
    """The experiments that would train, on all data that they share with their control, what that trains."""
    def arms(plan: dict) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for arm in plan["arms"]:
            if not arm.get("measuring"):
                found.setdefault(arm["data"], set()).add(canonical([arm["network"], arm["task"], arm["train"]]))
        return found

    def same(mine: dict, its: dict) -> bool:
        return all(mine[data] <= its[data] for data in mine.keys() & its.keys())

    return [name for name, plan in plans.items()
            if versus[name] in plans and same(arms(plan), arms(plans[versus[name]]))]


def _require_moderate(arm: dict, place: str, written: Sequence[str]) -> None:
    """Refuse a network that is too large, before it has any weights."""
    # In a thread of its own, as Keras remembers for a thread which variables have no values yet.
    with ThreadPoolExecutor(1) as pool:
        parameters, outputs = pool.submit(_size, arm, place, written).result()
    if parameters > MOST_PARAMETERS:
        raise ConfigError(f"{place}: the network has {parameters} parameters; allowed: at most {MOST_PARAMETERS}")
    if outputs > MOST_OUTPUTS:
        raise ConfigError(f"{place}: the layers give a batch of {arm['train']['batch_size']} samples {outputs} "
                          f"numbers; allowed: at most {MOST_OUTPUTS}; fewer units, or a smaller batch")


def _size(arm: dict, place: str, written: Sequence[str]) -> tuple[int, int]:
    """How many parameters a network has, and how many numbers its layers give a batch."""
    with keras.StatelessScope(initialize_variables=False):
        built = model.build(arm["network"], tuple(arm["shape"]), Task.of(arm).outputs, place=place, written=written)
        parameters = sum(math.prod(variable.shape) for variable in built.variables)
        outputs = sum(math.prod(layer.output.shape[1:]) for layer in built.layers)
    return parameters, outputs * arm["train"]["batch_size"]


def _raise_refusal(error: BaseException | None) -> None:
    """Raise what a disk refused below an error: TensorFlow writes what it traces, and wraps what comes of it."""
    while error is not None:
        if refused(error):
            raise error from None
        error = error.__cause__ or error.__context__


def _step(arm: dict, built, place: str) -> None:
    """One compiled step of a network, from the start that it was built with."""
    size, task, shape = 4, Task.of(arm), tuple(arm["shape"])
    x = np.zeros((size, *shape), np.float32)
    y = (np.arange(size, dtype=np.int32) % task.classes if task.classes
         else np.zeros((size, task.targets), np.float32))
    split = Split(x, y, x, y, x, y, "classes" if task.classes else "regression", task.classes)
    other = model.build(arm["network"], shape, task.outputs, seed=1, place=place)
    try:
        trainer = Trainer(arm["network"], shape, task, arm["train"]["optimizer"], arm["train"])
        start, order = trainer.start_of(built), np.zeros((1, 1, arm["train"]["batch_size"]), np.int32)
        with no_advice():
            require_one_start(built, trainer.model, place)
            require_state_alone(built, other, arm["train"]["batch_size"], place)
            trainer.run(start, split, order, 0.001)
    except ConfigError:
        raise
    except Exception as error:
        _raise_refusal(error)
        words = chain(item["word"] for item in arm["network"]["layers"])
        raise ConfigError(f"{place}: the network {words} cannot be trained: {first_lines(error)}") from None
