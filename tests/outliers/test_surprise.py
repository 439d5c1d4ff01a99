"""Statistics of any unit as nats of surprise."""

import numpy as np
import pytest

from sklearn_replearn.outliers.surprise import SurpriseScale


def fitted(held_out):
    scale = SurpriseScale()
    scale.fit_transform(held_out)
    return scale


def test_nats_are_the_logarithm_of_how_much_rarer_than_half():
    held_out = np.random.RandomState(0).exponential(size=20_000)
    scale = fitted(held_out)
    shares = np.array([0.5, 0.1, 0.01, 0.001])
    nats = scale.transform(np.quantile(held_out, 1 - shares))
    np.testing.assert_allclose(nats, np.log(0.5 / shares), atol=0.08)


def test_units_do_not_matter():
    held_out = np.random.RandomState(0).normal(size=500)
    values = np.linspace(-4, 4, 50)
    a = fitted(held_out).transform(values)
    b = fitted(1e6 * held_out - 3e5).transform(1e6 * values - 3e5)
    np.testing.assert_allclose(a, b, atol=1e-5)


def test_it_never_falls_and_goes_on_beyond_what_was_held_out():
    held_out = np.random.RandomState(1).standard_t(2, size=300)
    values = np.concatenate(
        [np.linspace(-10, held_out.max(), 400), held_out.max() * 10.0 ** np.arange(1, 9)]
    )
    nats = fitted(held_out).transform(values)
    assert (np.diff(nats) >= 0).all()
    assert (np.diff(nats[-9:]) > 0).all()
    assert nats[-1] < nats[-9] + 2


@pytest.mark.parametrize("held_out", [np.zeros(50), np.ones(1), np.array([0.0, 0.0, 1.0])])
def test_ties_and_few_values_are_no_trouble(held_out):
    nats = fitted(held_out).transform(np.array([-1.0, 0.0, 0.5, 1.0, 2.0, 1e300]))
    assert np.isfinite(nats).all()
    assert (np.diff(nats) >= 0).all()


@pytest.mark.parametrize("counts", [[50], [40, 10], [20, 20, 10], [1, 49], [49, 1]])
def test_among_ties_a_held_out_row_is_as_surprising_as_a_later_one(counts):
    held_out = np.repeat(np.arange(len(counts)), counts)
    scale = SurpriseScale()
    nats = scale.fit_transform(held_out)
    later = scale.transform(held_out)
    repeated = np.repeat(counts, counts) > 1
    # A share of 50 rows counts one more or less with the row itself.
    assert np.abs(nats - later)[repeated].max() < 0.12
    assert (nats - later)[repeated].min() >= 0
    for value in range(len(counts)):
        assert np.ptp(nats[held_out == value]) == 0
