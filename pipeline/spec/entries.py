"""One entry of `params.yaml` as it is meant: how to train, a data set, an experiment."""

from __future__ import annotations

from typing import Annotated, Literal

import pydantic
from pydantic import Field

from pipeline.spec.base import Spec
from pipeline.spec.files import kinds
from pipeline.spec.layers import Change, Layer, Scalar

#: No epochs, samples of a batch or rates beyond these were meant.
Count = Annotated[int, Field(ge=1, le=100_000)]
Rate = Annotated[float, Field(gt=0, le=1_000, allow_inf_nan=False)]
#: Fewer than lie between the first study seed and the first tuning seed.
Seeds = Annotated[int, Field(ge=1, le=8_000)]
Optimizer = str | Annotated[dict[str, dict[str, Scalar]], Field(min_length=1, max_length=1)]


class Train(Spec):
    """How a network is trained. A data set or an experiment may override any value."""

    epochs: Count
    batch_size: Count
    optimizer: Optimizer
    #: The default rate, and the grid that is searched (extended if a choice is at its edge).
    learning_rate: Rate
    learning_rates: Annotated[list[Rate], Field(min_length=1)]
    tuning_seeds: Annotated[int, Field(ge=2, le=10_000)]
    #: 'standard': inputs standardised with training statistics; 'none': as they are.
    scaling: Literal["standard", "none"] = "standard"
    #: The share of the training split that is used.
    train_fraction: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)] = 1.0
    #: 1 gives other initial weights, batches and tuning seeds than 0, on the same data.
    repetition: Annotated[int, Field(ge=0, le=1)] = 0
    #: A run ends when its validation loss has not fallen for so many epochs; 0: it never does.
    patience: Annotated[int, Field(ge=0, le=100_000)] = 0

    @pydantic.model_validator(mode="after")
    def _default_is_on_the_grid(self):
        if self.learning_rate not in self.learning_rates:
            raise ValueError(f"learning_rate {self.learning_rate} is not one of learning_rates "
                             f"{self.learning_rates}")
        return self


_OVERRIDES = {
    name: (field.annotation | None if not field.metadata else
           Annotated[(field.annotation, *field.metadata)] | None, None)
    for name, field in Train.model_fields.items() if name != "tuning_seeds"
}
#: Every training value but the tuning seeds, which all experiments share; each optional.
Overrides = pydantic.create_model("Overrides", __base__=Spec, **_OVERRIDES)


def merge(train: Train, *special: Spec, **varied) -> Train:
    """Training values, each of the last spec that has it."""
    values = train.model_dump()
    for spec in special:
        values |= {k: v for k in Train.model_fields if (v := getattr(spec, k, None)) is not None}
    if "learning_rate" in varied:  # A rate that is swept is not searched for.
        varied["learning_rates"] = [varied["learning_rate"]]
    return Train(**(values | varied))


class AnyDataSet(Spec):
    """What every data set has: its group, its number of study seeds, how networks train on it."""

    group: str
    seeds: Seeds
    train: Overrides = Overrides()
    title: str = ""
    #: The data set that this one is a change of.
    of: str | None = None


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
Head = str | Annotated[list[Layer], Field(min_length=1)]
Vary = Annotated[dict[str, Annotated[list[Scalar], Field(min_length=1)]], Field(min_length=1)]


class Experiment(Overrides):
    """One experiment: a list of layers in the network's order, and what it is compared with."""

    #: A group, a data set, or a list of them.
    data: Groups
    #: The whole list; of an `everywhere` experiment, the one into which its layers are put.
    layers: Annotated[list[Layer], Field(min_length=1)]
    versus: str | None = None
    #: The output's activation, or the layers that follow the output's linear layer.
    head: Head | None = None
    #: Values to sweep: a training value, or `word.argument` of a layer in `layers`.
    vary: Vary | None = None
    title: str = ""
    note: str = ""
    #: The experiment that this one is a change of, and how it changes that one's list.
    of: str | None = None
    changes: tuple[Change, ...] = ()
    #: Layers to put in at every place of the list, one place after the other: a sweep over places.
    everywhere: list[Layer] | None = None
