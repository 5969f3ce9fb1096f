"""One entry of `params.yaml` as it is meant: how to train, a data set, an experiment."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pydantic
from pydantic import Field

from pipeline.config.changes import Change
from pipeline.config.errors import Spec, shown, words
from pipeline.config.file_kinds import kinds
from pipeline.config.layer_list import Entry, Layer, Scalar, checked_argument, checked_layer, checked_text

#: No epochs, samples of a batch or rates beyond these were meant.
Count = Annotated[int, Field(ge=1, le=100_000)]
Rate = Annotated[float, Field(gt=0, le=1_000, allow_inf_nan=False)]
#: No more were meant.
Seeds = Annotated[int, Field(ge=1, le=8_000)]
#: The study's first seed; a data set may begin later.
FIRST_SEED = 3_000
FirstSeed = Annotated[int, Field(ge=FIRST_SEED, le=2**31)]
Text = Annotated[str, pydantic.AfterValidator(checked_text)]
Words = Annotated[str, pydantic.AfterValidator(words)]


def _one_value(instead: str):
    """An argument's value that is a word or a number; `instead` says what to do instead of another one."""
    def check(value):
        if isinstance(value, dict | list):
            raise ValueError(f"found {shown(value)}; allowed: a word or a number; {instead}")
        return checked_argument(value)

    return Annotated[Scalar, pydantic.PlainValidator(check)]


Optimizer = Text | Annotated[dict[Text, dict[Text, _one_value(
    "a rate stands beside the optimiser, as learning_rate or learning_rates, and has no schedule")]],
    Field(min_length=1, max_length=1)]


WithArguments = Text | Annotated[dict[Text, dict[Text, _one_value("a loss has no more than these")]],
                                 Field(min_length=1, max_length=1)]
_Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class CosineSchedule(Spec):
    """As `pipeline.train.schedule.Cosine`."""

    warmup: _Share = 0.0
    final: _Share = 0.0


class PlateauSchedule(Spec):
    """As `pipeline.train.schedule.Plateau`."""

    factor: Annotated[float, Field(gt=0, lt=1, allow_inf_nan=False)] = 0.1
    patience: Annotated[int, Field(ge=1, le=100_000)] = 5


class _Schedules(Spec):
    cosine: CosineSchedule | None = None
    plateau: PlateauSchedule | None = None


def _schedule(value):
    """A schedule by its name, or `{name: {argument: value}}`."""
    if isinstance(value, str) and value in _Schedules.model_fields:
        return value
    if not isinstance(value, dict) or len(value) != 1:
        raise ValueError(f"found {shown(value)}; allowed: {' or '.join(_Schedules.model_fields)}, or one of them with arguments, "
                         "{cosine: {warmup: 0.1}}")
    found = _Schedules(**value).model_dump(exclude_none=True)
    if not found:
        raise ValueError(f"found {shown(value)}; allowed: {{cosine: {{warmup: 0.1}}}}")
    return found


Schedule = Annotated[Any, pydantic.PlainValidator(_schedule)]
#: What a plan says of training only where it is asked for.
WAYS = ("loss", "class_weight", "schedule")


class Train(Spec):
    """How a network is trained. A data set or an experiment may override any value."""

    #: How long a run is without `patience`, and at most with it.
    epochs: Count
    batch_size: Count
    optimizer: Optimizer
    #: Each seed trains at every rate; which of them it is scored at, the findings' rule says.
    learning_rates: Annotated[list[Rate], Field(min_length=1)]
    #: 'standard': inputs standardised with training statistics; 'none': as they are.
    scaling: Literal["standard", "none"] = "standard"
    #: The share of the training split that is used.
    train_fraction: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)] = 1.0
    #: 1 gives other initial weights and batches than 0, on the same data.
    repetition: Annotated[int, Field(ge=0, le=1)] = 0
    #: A run ends when its validation loss has not fallen for so many epochs; 0: it never does.
    patience: Annotated[int, Field(ge=0, le=100_000)] = 0
    #: What is trained on instead of what the data decide: a class of keras.losses, or `{class: {argument: value}}`.
    loss: WithArguments | None = None
    #: 'balanced': every class has the same sum of weights in training.
    class_weight: Literal["balanced"] | None = None
    #: How the rate changes during a run; of `cosine` over all epochs of the limit.
    schedule: Schedule | None = None

    @pydantic.model_serializer(mode="wrap")
    def _without_what_is_not_asked(self, handler):
        """Its values; of `WAYS` only those that are asked for, so that a run keeps its name when there is another one."""
        return {name: value for name, value in handler(self).items() if name not in WAYS or value is not None}

    @pydantic.model_validator(mode="after")
    def _rates_differ(self):
        if len(set(self.learning_rates)) < len(self.learning_rates):
            raise ValueError(f"found learning_rates {self.learning_rates}; allowed: each rate once")
        return self


class _FixedRate(Spec):
    #: A rate that is fixed: a grid of one.
    learning_rate: Rate | None = None

    @pydantic.model_validator(mode="after")
    def _one_way_to_say_it(self):
        if self.learning_rate is not None and self.learning_rates is not None:
            raise ValueError("found learning_rate and learning_rates; allowed: one rate that is fixed, or a "
                             "grid of them (and null for what `of` brings)")
        return self


_OVERRIDES = {
    name: (field.annotation | None if not field.metadata else
           Annotated[(field.annotation, *field.metadata)] | None, None)
    for name, field in Train.model_fields.items()
}
#: Every training value, each optional, and `learning_rate` for a rate that is fixed.
Overrides = pydantic.create_model("Overrides", __base__=_FixedRate, **_OVERRIDES)
#: What a sweep may be over.
SWEPT = tuple(Overrides.model_fields)


def merge(train: Train, *special: Spec, **varied) -> Train:
    """Training values, each of the last spec that has it."""
    values = train.model_dump()
    for given in (*({k: getattr(spec, k, None) for k in SWEPT} for spec in special), varied):
        given = {k: v for k, v in given.items() if v is not None}
        if "learning_rate" in given:
            given["learning_rates"] = [given.pop("learning_rate")]
        values |= given
    return Train(**values)


class AnyDataSet(Spec):
    """What every data set has: its group, its number of study seeds, how networks train on it.

    A group whose data sets have units is a family: questions asked of it are answered by an average
    over its units. A unit is a source or a quantity, which several data sets may share.
    """

    group: str
    #: Further groups that it belongs to.
    also: list[str] = []
    unit: Words = ""
    #: The part of its family, which gets an answer of its own where the parts differ.
    stratum: Words = ""
    seeds: Seeds
    #: Lower seeds were looked at while the pipeline was made, and never count.
    first_seed: FirstSeed = FIRST_SEED
    train: Overrides = Overrides()
    title: str = ""
    #: The data set that this one is a change of.
    of: str | None = None
    #: A reader's own: networks are compared on it, and it counts in no verdict and no average.
    own: bool = False
    #: Of an own data set: the experiments of its groups that are wanted, with what they are compared with.
    experiments: Annotated[list[str], Field(min_length=1)] | None = None

    @property
    def groups(self) -> tuple[str, ...]:
        """All groups that it belongs to."""
        return self.group, *self.also

    @property
    def family(self) -> str:
        """The family that it belongs to; empty for a data set that stands for itself."""
        return self.group if self.unit else ""


class DataSet(AnyDataSet):
    """A data set of a source, and the source's arguments."""

    source: str
    arguments: dict[str, Scalar | list[Scalar]] = {}

    @property
    def origin(self) -> str:
        """Where the data come from."""
        return self.source


#: Data sets of files of one's own, by their kind.
FILES = kinds(AnyDataSet)


Groups = str | Annotated[list[str], Field(min_length=1)]
Head = Text | Annotated[list[Layer], Field(min_length=1)]


def _swept(value):
    """A value of a sweep: a word, a number, or a word with arguments."""
    return checked_layer(value) if isinstance(value, dict | list) else checked_argument(value)


Vary = Annotated[dict[str, Annotated[list[Annotated[Any, pydantic.PlainValidator(_swept)]], Field(min_length=1)]],
                 Field(min_length=1)]


def _rising(quantiles: list[float] | None) -> list[float] | None:
    if quantiles and sorted(set(quantiles)) != quantiles:
        raise ValueError(f"found {quantiles}; allowed: each once, from the least on")
    return quantiles


Quantiles = Annotated[list[Annotated[float, Field(gt=0, lt=1, allow_inf_nan=False)]], Field(min_length=1),
                      pydantic.AfterValidator(_rising)]


class Experiment(Overrides):
    """One experiment: a list of layers in the network's order, and what it is compared with."""

    #: A group, a data set, or a list of them.
    data: Groups
    #: The whole list; of an `everywhere` experiment, the one into which its layers are put.
    layers: Annotated[list[Entry], Field(min_length=1)]
    versus: str | None = None
    #: The output's activation, or the layers that follow the output's linear layer.
    head: Head | None = None
    #: Values to sweep: a training value, `word.argument` of a layer in `layers`, or what stands in a word's place.
    vary: Vary | None = None
    #: What of each number the network tells, instead of its mean.
    quantiles: Quantiles | None = None
    title: str = ""
    note: str = ""
    #: The experiment that this one is a change of, and how it changes that one's list.
    of: str | None = None
    changes: tuple[Change, ...] = ()
    #: Its own list as it was written, with what repeats in it.
    items: list[Any] | None = None
    #: Layers to put in at every place of the list, one place after the other: a sweep over places.
    everywhere: list[Entry] | None = None
    #: The places of `everywhere` that are left out.
    left_out: list[str] = []

    @property
    def named(self) -> list[str]:
        """The groups and data sets that it names."""
        return [self.data] if isinstance(self.data, str) else self.data
