"""Synthetic texts."""

import numpy as np
import scipy.stats
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from pipeline.data.sources import make
from pipeline.data.split import load


def test_tokens_need_their_order():
    split = load(make("tokens", [1], train=3000), 1, scaling="none")
    generator = np.random.default_rng(0)

    def texts(x):
        return [" ".join(f"w{word:.0f}" for word in line) for line in x]

    def error(length, change=lambda x: x):
        """Of a linear model that sees how often each sequence of so many words occurs."""
        model = make_pipeline(CountVectorizer(ngram_range=(length, length)), LogisticRegression(C=0.3, max_iter=500, tol=1e-2))
        model.fit(texts(change(split.x_train)), split.y_train)
        return 1 - model.score(texts(change(split.x_test)), split.y_test)

    words, order = error(1), error(2)
    # Words alone say something, their order much more, and nothing once it is destroyed.
    assert words < 0.7
    assert order < 0.65 * words
    assert error(2, lambda x: generator.permuted(x, axis=1)) > 0.9 * words


def test_tokens_are_word_numbers(made):
    for seed in range(3):
        x = made["tokens"][f"x_{seed}"]
        assert x.dtype == np.int32 and x.shape == (1680, 24)
        assert set(np.unique(x)) == set(range(60))
        # Unequally frequent, as words are.
        counts = np.sort(np.bincount(x.ravel()))
        assert counts[-6:].sum() > 4 * counts[:6].sum()
        split = load(made["tokens"], seed, scaling="none")
        assert split.x_train.dtype == np.float32
        np.testing.assert_array_equal(split.x_train, x[:480])
        np.testing.assert_array_equal(split.x_test, x[720:])


def test_tokens_pairs_stand_at_every_place():
    arrays = make("tokens", [0], train=12000)
    x, y = arrays["x_0"], arrays["y_0"]
    together = scipy.stats.contingency.crosstab(x[:, :-1].ravel(), x[:, 1:].ravel()).count
    expected = np.outer(together.sum(axis=1), together.sum(axis=0)) / together.sum()
    surprise = (together - expected) / np.sqrt(expected)
    # Six pairs, each in both orders.
    found = np.argwhere(surprise > 20)
    assert len(found) == 12 and {tuple(p) for p in found} == {(b, a) for a, b in found}
    assert len(set(found.ravel())) == 12
    for first, second in found[found[:, 0] < found[:, 1]]:
        as_is = (x[:, :-1] == first) & (x[:, 1:] == second)
        turned = (x[:, :-1] == second) & (x[:, 1:] == first)
        either = (as_is | turned).sum(axis=0)
        # The ends, next to which no pair can begin or end halfway, have a few more.
        assert either.min() > 0.65 * either.max()
        # Every class has the pair, two classes in the one order and two in the other.
        share = [as_is[y == k].sum() / (as_is | turned)[y == k].sum() for k in range(4)]
        often = [(as_is | turned)[y == k].sum() / (y == k).sum() for k in range(4)]
        assert max(often) < 1.25 * min(often)
        assert sorted(np.round(share)) == [0, 0, 1, 1]
        assert all(min(s, 1 - s) < 0.25 for s in share)


def test_tokens_may_be_few():
    arrays = make("tokens", [0], length=4, vocabulary=20, classes=2)
    assert arrays["x_0"].shape == (1680, 4)
    assert arrays["x_0"].min() == 0 and arrays["x_0"].max() == 19
