"""What several judges say, put together."""

import numpy as np
import pytest
from outlier_tables import factors, observed

from sklearn_replearn._runtime.randomness import new_generator
from sklearn_replearn.outliers import Judge, NearestDistance, PairDensity
from sklearn_replearn.outliers.committee import Committee


class Column(Judge):
    """The size of one column, in any unit."""

    def __init__(self, column, unit=1.0):
        self.column = column
        self.unit = unit

    def statistic(self, rows):
        self.asked_ = [*getattr(self, "asked_", []), len(rows)]
        return self.unit * np.abs(rows.points()[:, self.column])


def table():
    return np.random.RandomState(0).normal(size=(500, 3))


def committee(*judges):
    (rows,) = observed(table())
    return Committee(list(judges), rows, new_generator(0))


def surprise(found, *rows):
    (_, asked) = observed(table(), np.array(rows))
    return found.surprise(asked)


def test_it_is_the_mean_of_the_judges_tail_probabilities_to_a_power():
    rows = [0.3, 2.0, 0.0], [3.0, 0.1, 0.0], [1.0, 1.0, 9.0]
    alone = [surprise(committee(Column(j)), *rows) for j in (0, 1)]
    together = surprise(committee(Column(0), Column(1)), *rows)
    tails = np.exp(-np.array(alone))
    expected = -np.log(np.mean(tails**-0.5, axis=0) ** -2)
    np.testing.assert_allclose(together, expected, atol=2e-6)


def test_the_units_of_judges_do_not_matter():
    rows = np.random.RandomState(1).normal(size=(50, 3))
    one, other = committee(Column(0), Column(1)), committee(Column(0, 1e6), Column(1, 1e-6))
    np.testing.assert_allclose(surprise(one, *rows), surprise(other, *rows), atol=1e-4)


def test_all_judges_have_the_same_folds_and_are_asked_once():
    found = committee(Column(0), Column(1), NearestDistance())
    # Clones are asked about folds; that which knows all rows, about later ones.
    assert [hasattr(judge, "asked_") for judge in found.judges[:2]] == [False, False]
    surprise(found, [0.0, 0.0, 0.0])
    assert [judge.asked_ for judge in found.judges[:2]] == [[1], [1]]


def test_judges_that_are_given_stay_as_they_were():
    given = [Column(0), PairDensity()]
    committee(*given)
    assert [vars(judge) for judge in given] == [{"column": 0, "unit": 1.0}, {}]


@pytest.mark.parametrize("judges", [[Column(0)], [Column(0), NearestDistance(), Column(2)]])
@pytest.mark.parametrize("n", [1000, 8000])
def test_held_out_rows_calibrate_it(judges, n):
    rows, later = observed(factors(n, 0, 3)[0], factors(4000, 1, 3)[0])
    found = Committee(judges, rows, new_generator(0))
    assert len(found.calibration.scores) == (1000 if n == 1000 else 4800)
    p_values = found.calibration.p_values(-found.surprise(later))
    for alpha in (0.02, 0.1, 0.5):
        assert (p_values <= alpha).mean() == pytest.approx(alpha, abs=0.02 + 0.1 * alpha)


def test_a_typical_row_has_about_none_and_one_in_a_thousand_the_logarithm_of_500():
    rows, later = observed(factors(1400, 0, 3)[0], factors(20_000, 1, 3)[0])
    nats = Committee([Column(0)], rows, new_generator(0)).surprise(later)
    assert np.median(nats) == pytest.approx(0, abs=0.1)
    assert np.quantile(nats, 0.999) == pytest.approx(np.log(500), abs=0.8)
