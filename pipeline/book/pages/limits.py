"""The limits: how small the networks and the data are."""

from collections.abc import Iterable
from statistics import median

from pipeline.book.study import Study


def write(study: Study) -> dict[str, str]:
    """The piece of the page that names sizes."""
    return {"generated/limits/sizes.md": sizes(study)}


def sizes(study: Study) -> str:
    """The numbers of weights and of training samples: least, middle and greatest."""
    weights = [number for arms in study.weights.values() for number in arms.values()]
    texts = [f"The networks have {_spread(weights)} weights" if weights else "",
             f"a data set has {_spread(study.sizes.values())} training samples" if study.sizes else ""]
    text = "; ".join(filter(None, texts))
    return f"{text[:1].upper()}{text[1:]}.\n" if text else "Nothing is stored yet that says how small.\n"


def _spread(numbers: Iterable[int]) -> str:
    """The least and the greatest of some numbers, and what half of them stay below."""
    numbers = sorted(numbers)
    if numbers[0] == numbers[-1]:
        return f"{numbers[0]:,}"
    return f"{numbers[0]:,} to {numbers[-1]:,} (half of them at most {median(numbers):,.0f})"
