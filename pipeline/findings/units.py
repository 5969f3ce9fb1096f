"""Data sets → units: the sets of one source or one quantity are averaged first."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pipeline.config.schema import Params
from pipeline.findings import scales
from pipeline.findings.average import Sample
from pipeline.findings.scales import Effect
from pipeline.findings.study import stratum_of


@dataclass(frozen=True, eq=False)
class Units:
    """The units of a comparison: the sets of one source or one quantity are averaged first, seed by seed.

    Attributes:
        names, strata: `(units,)`.
        sets: the data sets of each.
        effects: of each.
    """

    names: tuple[str, ...]
    strata: tuple[str, ...]
    sets: tuple[tuple[str, ...], ...]
    effects: tuple[Effect, ...]

    def sample(self, stratum: str | None = None) -> Sample:
        """The effects with their errors, of one stratum or of all."""
        mine = [e for e, name in zip(self.effects, self.strata, strict=True) if stratum in (None, name)]
        return Sample(*(np.array([f(e) for e in mine], float) for f in (lambda e: e.y, lambda e: e.s, lambda e: len(e.w) - 1)))

    def of(self, stratum: str) -> "Units":
        """The units of one stratum."""
        kept = [i for i, name in enumerate(self.strata) if name == stratum]
        return Units(*(tuple(part[i] for i in kept) for part in (self.names, self.strata, self.sets, self.effects)))


def units(effects: Mapping[str, Effect], params: Params) -> Units:
    """The units of data sets; a set without a unit is one of its own.

    Raises:
        ValueError: the sets of a unit lie in two strata.
    """
    members: dict[str, list[str]] = {}
    for data in effects:
        members.setdefault(params.data[data].unit or data, []).append(data)
    strata = [{stratum_of(data, params) for data in sets} for sets in members.values()]
    for name, several in zip(members, strata, strict=True):
        if len(several) > 1:
            raise ValueError(f"the sets of a unit lie in one stratum. Received: {name} in {', '.join(sorted(several))}")
    return Units(tuple(members), tuple(one.pop() for one in strata), tuple(map(tuple, members.values())),
                 tuple(scales.mean([effects[data] for data in sets]) for sets in members.values()))
