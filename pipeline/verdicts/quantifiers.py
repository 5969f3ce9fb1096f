"""*Some* and *always*: claims about single data sets."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipeline.verdicts.units import chances


def set_chances(region: str, quantifier: str, units: pd.DataFrame,
                delta: float) -> tuple[float, float]:
    """One-sided p values of `supported` and `contradicted` for `some` and `always`.

    What one of K units must prove is K times the least p value (Bonferroni); what each must show by
    its own interval is the greatest (R. L. Berger, Technometrics 24, 1982).

    *Some*: one unit proven beyond the margin in the predicted direction (`not_worse`: above -δ,
    `equivalent`: inside ±δ), or every unit's interval on the other side of that line. *Always*:
    every unit's interval in the region (`better`: above 0), or one unit proven to do the contrary
    by the margin.
    """
    p = chances(units, delta)
    inside = np.maximum(p["above_minus"], p["below"])
    outside = np.minimum(p["above"], p["below_minus"])
    either = np.minimum(p["positive"], p["negative"])
    some = {"better": (p["above"], p["below"]), "worse": (p["below_minus"], p["above_minus"]),
            "differs": (outside, inside), "equivalent": (inside, outside),
            "not_worse": (p["above_minus"], p["below_minus"]),
            "not_better": (p["below"], p["above"])}
    always = {"better": (p["positive"], p["below_minus"]), "worse": (p["negative"], p["above"]),
              "differs": (either, inside), "equivalent": (inside, outside),
              "not_worse": (p["above_minus"], p["below_minus"]),
              "not_better": (p["below"], p["above"])}
    one, other = (some if quantifier == "some" else always)[
        "better" if region == "positive" else region]
    k = len(units)
    if quantifier == "some":
        return min(1.0, k * float(one.min())), float(other.max())
    return float(one.max()), min(1.0, k * float(other.min()))
