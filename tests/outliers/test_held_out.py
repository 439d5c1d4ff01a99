"""Which training rows are held out together, and that nobody has seen them."""

import numpy as np
import pytest
from outlier_tables import observed
from sklearn.decomposition import PCA

from sklearn_replearn._runtime.randomness import new_generator
from sklearn_replearn.outliers import EstimatorScore, Judge, LowDensity, Trimmed
from sklearn_replearn.outliers.committee import Committee
from sklearn_replearn.outliers.judges.base import seeded
from sklearn_replearn.outliers.judges.held_out import held_out_folds, without


class Remembers(Judge):
    """Whether it has seen a row."""

    def fit(self, rows):
        self.seen_ = {row.tobytes() for row in rows.table}
        return self

    def statistic(self, rows):
        return np.array([1.0 * (row.tobytes() in self.seen_) for row in rows.table])


@pytest.mark.parametrize(
    "n, n_folds",
    [(2, 2), (3, 3), (30, 10), (2048, 10), (4000, 5), (5000, 4), (10_000, 2), (50_000, 1)],
)
def test_few_rows_are_all_held_out_and_of_many_one_fold(n, n_folds):
    folds = held_out_folds(np.arange(n))
    assert len(folds) == n_folds
    held_out = np.sort(np.concatenate(folds))
    assert len(np.unique(held_out)) == len(held_out)
    if n <= 4000:
        np.testing.assert_array_equal(held_out, np.arange(n))
    else:
        assert 4000 <= len(held_out) <= max(5000, n // 5)
    for fold in folds:
        inside = without(n, fold)
        assert len(inside) > (1 if n == 2 else 0)
        assert n == 2 or not np.isin(fold, inside).any()


def test_copies_are_held_out_together():
    units = np.repeat(np.arange(100), np.arange(100) % 4 + 1)
    folds = held_out_folds(units)
    of_fold = [set(units[fold]) for fold in folds]
    assert set.union(*of_fold) == set(range(100))
    assert sum(map(len, of_fold)) == 100


def test_all_copies_of_one_row_are_one_fold():
    (fold,) = held_out_folds(np.zeros(20, dtype=int))
    np.testing.assert_array_equal(fold, np.arange(20))
    assert len(without(20, fold)) == 2  # judges are fitted to two rows at least


def test_no_judge_has_seen_the_rows_that_it_is_held_against():
    (rows,) = observed(np.random.RandomState(0).normal(size=(40, 2)))
    found = Committee([Remembers()], rows, new_generator(0))
    np.testing.assert_array_equal(found.scales[0].knots, [0.0])
    # Later rows are judged by a model of all rows.
    assert found.judges[0].statistic(rows).all()


def test_only_what_is_unset_is_seeded():
    assert seeded(LowDensity(), 7).random_state == 7
    assert seeded(LowDensity(random_state=3), 7).random_state == 3
    assert seeded(EstimatorScore(PCA()), 7).estimator.random_state == 7
    assert seeded(Trimmed(EstimatorScore(PCA())), 7).judge.estimator.random_state == 7
