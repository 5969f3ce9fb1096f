import numpy as np
import pandas as pd
import pytest


@pytest.fixture
def table():
    """Makes a table of units by hand."""
    def make(y, s=0.01, strata=""):
        y = np.asarray(y, float)
        return pd.DataFrame({
            "unit": [f"set{i}" for i in range(len(y))], "stratum": strata, "sets": "", "seeds": 15,
            "y": y, "s": np.broadcast_to(s, y.shape), "freedom": 14})
    return make
