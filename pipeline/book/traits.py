"""What distinguishes the data sets that gained from those that lost: rank correlations, exploratory."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
from scipy import stats

from pipeline.book.study import Study

#: Correlations of fewer data sets say nothing.
FEWEST = 8
CONTROL = "the control's error over the trivial predictor's"


@dataclass(frozen=True)
class Correlation:
    """Spearman's rank correlation of the effects with a trait of the data sets.

    Attributes:
        trait: in words.
        rho: from −1 to 1; above 0: sets with more of it gained more.
        p: two-sided, of this correlation alone.
        sets: how many data sets have the trait.
    """

    trait: str
    rho: float
    p: float
    sets: int


def traits(study: Study) -> pd.DataFrame:
    """Data set → its traits, NaN where one is not known; columns in words."""
    shapes = {name: arm["shape"] for name, arm in study.arms_of_data.items()}
    errors = study.data_sets.drop_duplicates("data").set_index("data")["of_trivial"]
    names = list(study.params.data)
    return pd.DataFrame({
        "training samples": pd.Series(study.sizes, names, float),
        "steps of a sample": pd.Series({name: shape[0] for name, shape in shapes.items() if len(shape) == 2},
                                       names, float),
        "channels, or columns": pd.Series({name: shape[-1] for name, shape in shapes.items()}, names, float),
        CONTROL: errors.reindex(names).astype(float)}, names)


def correlations(study: Study, effects: pd.DataFrame) -> list[Correlation]:
    """The correlation of a claim's effects with each trait that differs between its data sets.

    Args:
        effects: rows of the effects; several comparisons on a data set are averaged first.
    """
    y, known, found = effects.groupby("data")["y"].mean(), traits(study), []
    for trait in known:
        both = pd.DataFrame({"trait": known[trait].reindex(y.index), "y": y}).dropna()
        if len(both) >= FEWEST and both["trait"].nunique() > 1 and both["y"].nunique() > 1:
            rho, p = stats.spearmanr(both["trait"], both["y"])
            found.append(Correlation(trait, float(rho), float(p), len(both)))
    return found
