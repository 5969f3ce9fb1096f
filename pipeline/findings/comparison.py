"""What is compared: a treatment, a control, a metric."""

from dataclasses import dataclass, field

from pipeline.config.claims import arm_name
from pipeline.config.metrics import TRIVIAL, Metric, metric_of
from pipeline.findings.arms import Arm

#: Guessing, as the control of a comparison.
GUESSING: Arm = (TRIVIAL, "")



@dataclass(frozen=True)
class Pair:
    """A treatment and its control; `data`: the data set, if it is not the comparison's own."""

    treatment: Arm
    control: Arm
    data: str = ""

    def __str__(self) -> str:
        return f"{arm_name(*self.treatment)} and {arm_name(*self.control)}" + f" on {self.data}" * bool(self.data)


@dataclass(frozen=True)
class Comparison:
    """A weighted sum of pairs' effects, and what is measured.

    One pair is a plain comparison; a second one of weight -1 makes an interaction; a pair for each dose, with weights
    of sum 0, a slope over the doses.

    Attributes:
        pairs: each with its weight.
        probe: whether the probe measured it, inside the networks.
        slope: what the doses are, of a slope.
    """

    pairs: tuple[tuple[float, Pair], ...]
    metric: str = "error"
    endpoint: str = "best"
    probe: bool = False
    slope: str = field(default="", compare=False)

    @property
    def about(self) -> Metric:
        return metric_of(self.metric)

    @property
    def arms(self) -> list[Arm]:
        """Every arm but guessing, each once."""
        every = [arm for _, pair in self.pairs for arm in (pair.treatment, pair.control) if arm != GUESSING]
        return list(dict.fromkeys(every))

    @property
    def key(self) -> tuple:
        """What two comparisons share that ask the same, in either direction."""
        both = [self._sums(), self._sums(-1)]
        return min(both, key=repr), self.metric, self.endpoint if self.about.endpoint else "", self.probe

    @property
    def turn(self) -> int:
        """1, or -1 if another comparison of this key in the other direction has 1."""
        return 1 if self._sums() == self.key[0] else -1

    def _sums(self, sign: int = 1) -> tuple:
        """Each arm with its weight in the whole, the treatments' positive."""
        found: dict[tuple, float] = {}
        for weight, pair in self.pairs:
            for arm, part in ((pair.treatment, weight), (pair.control, -weight)):
                found[arm, pair.data] = round(found.get((arm, pair.data), 0.0) + sign * part, 9)
        return tuple(sorted((arm, data, weight) for (arm, data), weight in found.items() if weight))
