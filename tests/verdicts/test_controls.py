"""Controls: what another start and half the data show of data sets and of the rule."""

import math

import numpy as np
import pytest
from scipy import stats
from tests.verdicts.made_runs import RULE, arm, claim, family, measured, study, together

from pipeline.tables.schemas import STORED
from pipeline.verdicts.__main__ import decide, metrics

HALF, SAME = "train_fraction=0.5", "repetition=1"


def controlled(half, *, new=1.0, trivial=10.0, claims=()):
    """A family on whose sets half the data has so much of the error of the control `old`."""
    data = family(len(half))
    params = study(data, {name: {"data": "tables"} for name in ("old", "new")}, verdicts={"controls": ["old"]})
    trivial = np.broadcast_to(trivial, len(half))
    runs = [arm(name, d, factor, variant=variant, trivial=t, noise=0.02)
            for d, more, t in zip(data, half, trivial, strict=True)
            for name, variant, factor in (("old", "", 1.0), ("old", HALF, more), ("old", SAME, 1.0), ("new", "", new))]
    return decide(params, claims, measured(together(*runs), params), {}, RULE), together(*runs)


def test_sets_are_marked_and_sensitive_by_hand():
    half = [1.0, 1.05, 1.2, 1.3] * 2
    found, runs = controlled(half, trivial=np.r_[1.05, [10.0] * 7])
    sets = found["data_sets"].set_index("data")
    assert list(found["data_sets"].columns) == list(STORED["data_sets"].columns)
    for data, row in sets.iterrows():
        mine = runs[(runs["data"] == data) & (runs["experiment"] == "old")]
        c, t = (np.minimum(mine[mine["variant"] == v]["best_error"], mine["trivial_error"].iloc[0]).to_numpy()
                for v in ("", HALF))
        y, s = math.log(c.mean() / t.mean()), stats.sem(c / c.mean() - t / t.mean())
        reach = stats.t.ppf(0.975, 14) * s
        assert tuple(row[["half_effect", "half_low", "half_high"]]) == pytest.approx((y, y - reach, y + reach))
        assert row["of_trivial"] == pytest.approx(c.mean() / mine["trivial_error"].iloc[0])
        assert (row["marked"], row["sensitive"]) == (row["of_trivial"] > 0.9, y < -math.log(1.1))
        assert (row["control"], row["unit"]) == ("old", f"u{data}")
    assert sets["marked"].tolist() == [True] + [False] * 7
    assert set(sets["sensitive"]) == {True, False}


def test_no_difference_needs_sets_where_half_the_data_does_worse():
    for half, expected in (([1.3] * 8, "supported"), ([1.0] * 8, "undecided"), ([1.0] * 6 + [1.3] * 2, "supported")):
        said = controlled(half, claims=[claim("equivalent")])[0]["verdicts"].iloc[0]
        assert (said["verdict"], bool(said["why"])) == (expected, expected == "undecided"), half
    # A set counts as sensitive if every control says so.
    data = family(8)
    params = study(data, {name: {"data": "tables"} for name in ("old", "new", "other")},
                   verdicts={"controls": ["old", "other"]})
    runs = [arm(name, d, factor, variant=variant, noise=0.02) for d in data for name, variant, factor in (
        ("old", "", 1), ("new", "", 1), ("other", "", 1), ("old", HALF, 1.4), ("other", HALF, 1.0))]
    found = decide(params, [claim("equivalent")], measured(together(*runs), params), {}, RULE)
    assert found["verdicts"]["verdict"].tolist() == ["undecided"]
    assert found["data_sets"].groupby("control")["sensitive"].all().to_dict() == {"old": True, "other": False}


def test_without_such_arms_nobody_asks():
    data = family(8)
    params = study(data, {name: {"data": "tables"} for name in ("old", "new")})
    runs = together(*(arm(name, d, noise=0.02) for d in data for name in ("old", "new")))
    found = decide(params, [claim("equivalent")], measured(runs, params), {}, RULE)
    assert found["verdicts"]["verdict"].tolist() == ["supported"]
    assert found["decisive"].empty and found["data_sets"].empty


def test_the_verdict_is_repeated_without_marked_sets():
    found = controlled([1.3] * 9, new=0.8, trivial=np.r_[1.05, [10.0] * 8], claims=[claim()])[0]
    changes = found["robustness"].set_index("change")["verdict"]
    assert changes["without marked sets"] == "supported"
    found = controlled([1.3] * 9, new=0.8, claims=[claim()])[0]
    assert found["robustness"].set_index("change")["verdict"]["without marked sets"] == ""


def test_arms_and_how_often_they_are_called_different():
    found, _ = controlled([1.3] * 8)
    arms, decisive = found["arms"], found["decisive"]
    assert list(arms.columns) == ["kind", *STORED["effects"].columns]
    assert arms.groupby("kind").size().to_dict() == {"A/A": 8, "half the data": 8}
    for kind, mine in arms.groupby("kind"):
        rows = decisive[decisive["kind"] == kind]
        assert rows[["control", "family"]].values.tolist() == [["old", "tables"], ["", ""]]
        hits = int(((mine["low"] > 0) | (mine["high"] < 0)).sum())
        for row in rows.itertuples():
            assert (row.comparisons, row.decisive, row.share) == (8, hits, hits / 8)
            exact = stats.binomtest(hits, 8).proportion_ci(0.95, method="exact")
            assert (row.low, row.high) == pytest.approx((exact.low, exact.high))
            assert row.noise == pytest.approx(mine["y"].std())
            assert row.expected == pytest.approx(math.sqrt((mine["s"] ** 2).mean()))
    assert decisive["word"].tolist()[-2:] == ["harms clearly", ""]
    share = decisive[(decisive["kind"] == "A/A") & (decisive["control"] == "")]["share"].iloc[0]
    assert metrics(found["verdicts"], decisive)["decisive"] == pytest.approx(share)
