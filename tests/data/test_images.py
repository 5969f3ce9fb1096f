"""Real data that come with an installed package."""

import numpy as np
from sklearn.datasets import load_digits


def test_images_are_those_of_scikit_learn(made):
    images = load_digits()
    np.testing.assert_array_equal(made["digits"]["x"][..., 0], images.images)
    np.testing.assert_array_equal(made["digits"]["y"], images.target)
