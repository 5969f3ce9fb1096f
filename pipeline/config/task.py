"""What a network is asked to tell."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Task:
    """One of several classes, one or more numbers, or quantiles of each number.

    Attributes:
        classes: how many; 0 for numbers.
        targets: how many numbers; 1 for classes.
        quantiles: each in 0..1; none asks for the mean.
    """

    classes: int = 0
    targets: int = 1
    quantiles: tuple[float, ...] = ()

    @classmethod
    def of(cls, arm: dict) -> Task:
        """The task of an arm of a plan, which holds it as `{'classes', 'targets', 'quantiles'}`."""
        return cls(**arm["task"] | {"quantiles": tuple(arm["task"]["quantiles"])})

    @property
    def outputs(self) -> int:
        """How many numbers a network gives a sample: a class each, or `(targets, quantiles)`, flat."""
        return self.classes or self.targets * (len(self.quantiles) or 1)
