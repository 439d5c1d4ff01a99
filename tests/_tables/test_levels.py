"""Categories as numbers of levels."""

import numpy as np
import pytest

from sklearn_replearn._dataset.multiset import canonical
from sklearn_replearn._tables.levels import MOST_LEVELS, Levels, digits_of


@pytest.mark.parametrize("n_levels", [1, 2, MOST_LEVELS, MOST_LEVELS + 1, 1000, 123_457])
def test_the_digits_of_a_number_tell_it(n_levels):
    digits = digits_of(n_levels)
    numbers = np.arange(n_levels)
    told = [numbers // divisor % base for divisor, base in digits]
    assert all(digit.max() < base for digit, (_, base) in zip(told, digits, strict=True))
    assert sum(d * digit for digit, (d, _) in zip(told, digits, strict=True)).tolist() == [*numbers]


def test_many_levels_take_about_twice_the_root_of_their_number():
    assert Levels([MOST_LEVELS]).n_digits(0) == MOST_LEVELS
    for n_levels in (1000, 123_457):
        assert 2 * n_levels**0.5 <= Levels([n_levels]).n_digits(0) <= 2 * n_levels**0.5 + 3


def test_numbers_have_no_levels():
    levels = Levels([0, 3, 0], ordered=[False, True, False])
    assert levels.numbers.tolist() == [True, False, True]
    assert levels.digits == [[], [(1, 3)], []]
    assert levels.any
    assert not Levels.none(3).any
    assert len(Levels.none(3)) == 3


def test_shares_and_entropies_are_those_of_the_weighted_cells_that_are_known():
    # A number, and a category of four levels with an unseen one (0) and a missing cell.
    X = np.array([[0.1, 1], [0.2, 1], [0.3, 2], [0.4, 4], [0.5, 0], [0.6, np.nan]])
    weights = np.array([1.0, 1.0, 4.0, 2.0, 7.0, 9.0])
    levels, entropies = Levels([0, 4]).counted(canonical(X, weights))
    shares = np.array([2, 4, 0, 2]) / 8
    assert levels.shares_of(1) == pytest.approx(shares)
    assert levels.shares_of(0).size == 0
    assert entropies == pytest.approx([0, -sum(s * np.log(s) for s in shares if s)])


def test_shares_of_many_levels_are_those_of_their_digits():
    numbers = np.random.default_rng(0).integers(1, 301, size=2000)
    X = np.column_stack([np.ones(2000), numbers])
    levels, _ = Levels([2, 300]).counted(canonical(X, np.ones(2000)))
    (divisor, high), (_, low) = digits_of(300)
    expected = [
        np.bincount((numbers - 1) // divisor, minlength=high) / 2000,
        np.bincount((numbers - 1) % divisor, minlength=low) / 2000,
    ]
    assert levels.shares_of(1) == pytest.approx(np.concatenate(expected), abs=1e-6)
    assert levels.shares_of(0).tolist() == [1.0, 0.0]
