"""Conformal p-values and thresholds."""

import numpy as np
import pytest

from sklearn_replearn.outliers.calibration import Calibration


def test_p_values_count_rows_that_are_as_low():
    calibration = Calibration(np.array([3.0, 1.0, 2.0, 2.0]))
    np.testing.assert_allclose(
        calibration.p_values(np.array([0.0, 1.0, 1.5, 2.0, 9.0])), np.array([1, 2, 2, 4, 5]) / 5
    )


@pytest.mark.parametrize("alpha", [0.05, 0.1, 1 / 3, 0.5, 0.99])
@pytest.mark.parametrize("n", [1, 2, 19, 20, 100])
def test_below_the_threshold_are_those_of_small_p_values(n, alpha):
    random = np.random.RandomState(n)
    calibration = Calibration(random.randint(10, size=n).astype(float))
    scores = np.arange(-1, 12, 0.5)
    small = calibration.p_values(scores) <= alpha
    np.testing.assert_array_equal(scores < calibration.threshold(alpha), small)
