"""What several judges say, put together."""

import numpy as np
import pytest
from outlier_tables import factors, observed

from sklearn_replearn._runtime.randomness import new_generator
from sklearn_replearn.outliers import Evidence, Judge, NearestDistance
from sklearn_replearn.outliers.committee import Committee


class Column(Judge):
    """The size of one column, in any unit."""

    def __init__(self, column, unit=1.0):
        self.column = column
        self.unit = unit

    def evidence(self, rows):
        self.asked_ = getattr(self, "asked_", 0) + 1
        size = self.unit * np.abs(rows.points())
        parts = np.zeros(rows.table.shape)
        parts[:, self.column] = size[:, self.column]
        return Evidence(size[:, self.column], parts)


def committee(*judges):
    (rows,) = observed(np.random.RandomState(0).normal(size=(2000, 3)))
    return Committee(list(judges), rows, new_generator(0)), rows


def surprise(found, *rows):
    (_, asked) = observed(np.random.RandomState(0).normal(size=(2000, 3)), np.array(rows))
    return found.surprise(asked)


def test_it_is_the_harmonic_mean_of_tail_probabilities():
    both, _ = committee(Column(0), Column(1))
    rows = [0.3, 2.0, 0.0], [3.0, 0.1, 0.0], [1.0, 1.0, 9.0]
    alone = [surprise(committee(Column(j))[0], *rows) for j in (0, 1)]
    expected = np.log(np.mean(np.exp(alone), axis=0))
    np.testing.assert_allclose(surprise(both, *rows), expected, atol=2e-6)


def test_one_who_is_very_sure_counts_for_more_than_those_who_see_nothing():
    found, _ = committee(Column(0), Column(1), Column(2))
    far, near = surprise(found, [4.0, 0.0, 0.0], [1.0, 1.0, 1.0])
    assert far > surprise(committee(Column(0))[0], [4.0, 0.0, 0.0])[0] - np.log(3) - 1e-6
    assert far > near + 2


def test_the_units_of_judges_do_not_matter():
    rows = np.random.RandomState(1).normal(size=(50, 3))
    one, other = committee(Column(0), Column(1))[0], committee(Column(0, 1e6), Column(1, 1e-6))[0]
    np.testing.assert_allclose(surprise(one, *rows), surprise(other, *rows), atol=1e-4)


def test_contributions_add_up_and_go_to_the_columns_of_those_who_are_surprised():
    found, rows = committee(Column(0), Column(1))
    np.testing.assert_allclose(
        found.contributions(rows).sum(axis=1), found.surprise(rows), atol=1e-9
    )
    _, far = observed(rows.table, [[5.0, 0.5, 5.0]])
    contributions = found.contributions(far)[0]
    assert contributions[0] > 0.9 * found.surprise(far)[0]
    assert abs(contributions[2]) < 1e-9  # nobody looks at it


def test_each_judge_is_asked_once():
    found, rows = committee(Column(0), Column(1))
    before = [judge.asked_ for judge in found.judges]
    found.contributions(rows)
    assert [judge.asked_ for judge in found.judges] == [asked + 1 for asked in before]


@pytest.mark.parametrize("judges", [[Column(0)], [Column(0), NearestDistance(), Column(2)]])
def test_held_out_rows_calibrate_it(judges):
    rows, later = observed(factors(1000, 0, 3)[0], factors(4000, 1, 3)[0])
    found = Committee(judges, rows, new_generator(0))
    p_values = found.calibration.p_values(-found.surprise(later))
    for alpha in (0.02, 0.1, 0.5):
        assert (p_values <= alpha).mean() == pytest.approx(alpha, abs=0.02 + 0.1 * alpha)
