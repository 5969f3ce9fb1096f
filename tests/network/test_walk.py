"""Whatever Keras offers is equal to Keras here, or refused with a reason: there is no third kind.

What is walked through is read from Keras, so that a new release of it is walked through too. A class, or an argument,
that nobody has said how to try fails here.
"""

import gc
import inspect

import keras
import pytest

from pipeline.network import refused
from pipeline.network.arguments import FRACTIONS, KINDS, activations, resolve_activation, resolve_named
from pipeline.network.model import build
from pipeline.network.optimizers import check_optimizer
from pipeline.network.resolve import _has_one_input, _keras_layers, resolve
from pipeline.config.errors import ConfigError
from tests.network.fits import branches, differences
from tests.network.registry import (
    Case, cases, classes_of, layer_classes, layers, needs_xla, optimizer_classes, signature, values_of)
from tests.networks import network, random_split

ALLOWED = [name for name in layer_classes() if name not in refused.LAYERS]
#: One of each kind; the others take minutes.
QUICK = {"ActivityRegularization", "BatchNormalization", "Dense", "Dropout", "Embedding", "SpectralNormalization",
         "SqueezeExcite", "Adam", "ScheduleFreeAdamW"}
#: Keras asks whether a loss was forgotten where an integer has no gradient.
pytestmark = pytest.mark.filterwarnings("ignore:Gradients do not exist", "ignore:.*does not support masking")


@pytest.fixture(autouse=True)
def forgotten():
    """What Keras and TensorFlow remember of a network goes with its test."""
    yield
    keras.utils.clear_session()
    gc.collect()


def marked(names):
    return [pytest.param(name, marks=[] if name in QUICK else pytest.mark.slow) for name in names]


def message(call, *arguments):
    with pytest.raises(ConfigError) as error:
        call(*arguments)
    assert str(error.value).startswith("here") and "\n" not in str(error.value)
    return str(error.value)


# --- equal -------------------------------------------------------------------------------------

@pytest.mark.parametrize("name", marked(ALLOWED))
def test_a_layer_with_each_of_its_arguments_trains_as_in_fit(name):
    tries = cases(name)
    for xla in (False, True):
        some = [case for case in tries if needs_xla(case) == xla]
        if some:
            # Masks inside our LSTM and GRU have another shape: tests/network/test_recurrent.py compares them.
            kept = {"LSTM", "GRU"} & {name} if xla else ()
            assert not differences(branches(*map(layers, some)), random_split((5,), 0), kept=kept, jit=xla), some


def together(cls):
    """Groups of arguments of an optimiser that can be given at once, each argument in one of them at least."""
    own = {name: values_of(cls, name)[0] for name in signature(cls)}
    groups = [("weight_decay", "clipnorm", "loss_scale_factor"), ("clipvalue", "gradient_accumulation_steps"),
              ("global_clipnorm", "use_ema", "ema_momentum"), ("use_ema", "ema_overwrite_frequency")]
    general = {name for group in groups for name in group}
    found = [{name: own[name] for name in group if name in own} for group in groups]
    return [{}, {name: value for name, value in own.items() if name not in general}, *found]


@pytest.mark.parametrize("name", marked(optimizer_classes()))
def test_an_optimiser_with_each_of_its_arguments_trains_as_in_fit(name):
    cls = optimizer_classes()[name]
    groups = together(cls)
    assert set(signature(cls)) == {argument for group in groups for argument in group}
    spec = network({"Dense": {"units": 5, "activation": "tanh", "kernel_regularizer": "l2", "bias_constraint": "non_neg"}},
                   "BatchNormalization")
    for arguments in groups:
        check_optimizer({name: arguments}, "here")
        assert not differences(spec, random_split((4,), 0), {name: arguments}), arguments


@pytest.mark.parametrize("kind", KINDS)
def test_what_begins_penalises_or_constrains_weights_does_as_in_fit(kind):
    tries = []
    for name, cls in classes_of(kind).items():
        tries += [name, *({name: {argument: value}} for argument in signature(cls) for value in values_of(cls, argument))]
    lists = [([{"Dense": {"units": 4}}], [{"Dense": {"units": 4, f"kernel_{kind}": one}}]) for one in tries]
    assert not differences(branches(*lists), random_split((5,), 0)), tries


def test_an_activation_does_as_in_fit():
    names = [name for name in activations() if name not in refused.ACTIVATIONS]
    lists = [([{"Dense": {"units": 4}}], [layer, "Flatten"]) for name in names
             for layer in ({"Activation": name}, {"Dense": {"units": 4, "activation": name}})]
    assert not differences(branches(*lists), random_split((5,), 0))


# --- refused -----------------------------------------------------------------------------------

def test_a_layer_is_refused_with_the_reason_or_takes_one_input():
    offered = _keras_layers()
    assert set(refused.LAYERS) <= set(offered), "what is refused is offered"
    for name, cls in offered.items():
        reason = refused.LAYERS.get(name) or refused.LAYERS.get(cls.__name__)
        if reason:
            assert message(resolve, name, {}, "here") == f"here: layer '{name}' may not be used: {reason}"
        else:
            assert _has_one_input(cls), name


def test_an_argument_is_refused_with_the_reason():
    without = {"input_shape", "batch_input_shape", "batch_size", "batch_shape"}  # They hide behind **kwargs.
    seen = set()
    for name in ALLOWED:
        cls = layer_classes()[name]
        signatures = [inspect.signature(base.__init__).parameters for base in cls.__mro__ if "__init__" in vars(base)]
        for argument in {argument for some in signatures for argument in some} | without:
            for key in (argument, f"{cls.__name__}.{argument}"):
                if key in refused.ARGUMENTS:
                    seen.add(key)
                    assert message(resolve, {name: {argument: 1}}, {}, "here") == (
                        f"here: layer '{cls.__name__}' may not be given '{argument}': {refused.ARGUMENTS[key]}")
    assert set(refused.ARGUMENTS) == seen


@pytest.mark.parametrize("name", [name for name, reason in refused.LAYERS.items() if reason == refused.LAYERS["Hashing"]])
@pytest.mark.slow
def test_what_xla_is_said_to_lack_it_lacks(name, monkeypatch):
    monkeypatch.delitem(refused.LAYERS, name)
    case = cases(name)[0]
    with pytest.raises(Exception, match="XLA|compile-time constant"):
        differences(branches(layers(case)), random_split((5,), 0))


def test_an_optimiser_is_refused_with_the_reason():
    for name, reason in refused.OPTIMIZERS.items():
        assert hasattr(keras.optimizers, name)
        assert message(check_optimizer, name, "here") == f"here: optimiser '{name}' may not be used: {reason}"
    for argument, reason in refused.OPTIMIZER_ARGUMENTS.items():
        assert any(argument in inspect.signature(cls.__init__).parameters for cls in optimizer_classes().values())
        assert message(check_optimizer, {"Adam": {argument: 1}}, "here") == (
            f"here: optimiser 'Adam' may not be given '{argument}': {reason}")


@pytest.mark.parametrize("kind", KINDS)
def test_a_base_is_refused_with_the_reason(kind):
    for name, reason in KINDS[kind][2].items():
        assert message(resolve_named, kind, name, "here") == f"here: {kind} '{name}' may not be used: {reason}"


def test_an_activation_is_refused_with_the_reason():
    for name, reason in refused.ACTIVATIONS.items():
        assert name in activations()
        assert message(resolve_activation, name, "here") == f"here: activation '{name}' may not be used: {reason}"


# --- values of another type --------------------------------------------------------------------

def everything():
    """Every class that params.yaml may name, with how it is named."""
    for name in ALLOWED:
        yield layer_classes()[name], lambda given, name=name: resolve({name: given}, {}, "here")
    for name, cls in optimizer_classes().items():
        yield cls, lambda given, name=name: check_optimizer({name: given}, "here")
    for kind in KINDS:
        for name, cls in classes_of(kind).items():
            yield cls, lambda given, kind=kind, name=name: resolve_named(kind, {name: given}, "here")


def test_truth_and_numbers_are_not_taken_for_each_other():
    tried = 0
    for cls, give in everything():
        for argument, one in signature(cls).items():
            wrong = ["no", 1, 0.5] if isinstance(one.default, bool) else [True]
            wrong += ["word"] if isinstance(one.default, (int, float)) and not isinstance(one.default, bool) else []
            wrong += [0.5] if isinstance(one.default, str) else []
            for value in wrong:
                assert message(give, {argument: value}).startswith(f"here.{argument}: found "), (cls, argument, value)
                tried += 1
    assert tried > 1000


def test_what_counts_is_whole():
    """Keras itself, or the check of a value's type, refuses half a unit."""
    for name in ALLOWED:
        case, cls = cases(name)[0], layer_classes()[name]
        for argument in signature(cls):
            value = values_of(cls, argument)[0]
            if isinstance(value, int) and not isinstance(value, bool) and argument not in FRACTIONS:
                half = Case(name, case.arguments | {argument: value + 0.5}, case.shape)
                with pytest.raises(ConfigError):
                    build(branches(layers(half)), (5,), 1)
                    pytest.fail(f"{half} is taken")
