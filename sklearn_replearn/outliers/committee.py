"""Who judges whether a row is anomalous, and how their judgements are put together."""

import numpy as np
from sklearn.base import clone
from sklearn.utils.validation import NotFittedError, check_is_fitted

from .._runtime.arrays import evenly
from .._runtime.randomness import draw_integer
from .._runtime.sklearn import safe_indexing
from .calibration import Calibration
from .explanations import shared
from .judges.bulk import FarFromBulk
from .judges.density import LowDensity
from .judges.estimator import GivenEstimator, minus_scores, seeded
from .judges.nearest import NearestDistance
from .judges.reconstruction import ReconstructionError
from .judges.surprise import CellSurprise
from .neighbors import Neighbors
from .tails import Surprise

_FEWEST_FOLDS, _MOST_FOLDS, _ROWS_OF_FOLDS = 4, 10, 2**13
_MOST_ROWS, _MOST_CELLS, _FEWEST_ROWS = 2**16, 2**24, 2**10
_REFERENCES, _CELLS_OF_REFERENCES = 2**13, 2**23
_REFERENCES_OF_BULK, _SHARE_OF_REFERENCES = 2**11, 0.2
_BULK, _ROUNDS = 0.75, 3
_FEW_COPIES = 0.01
_DECIMALS = 6  # sums in another order differ in the last bits of a float64


class Committee:
    """Judges whose statistics are put on one scale, and together.

    Each statistic becomes nats of surprise, minus the logarithm of a tail probability among
    held-out rows; the row's surprise is that of the harmonic mean of these probabilities. One judge
    who is very sure so counts for more than several who see nothing. The held-out rows' own
    surprise calibrates it.

    Parameters
    ----------
    judges : list of judges

    References
    ----------
    Wilson (2019), *The harmonic mean p-value for combining dependent tests*.
    """

    def __init__(self, judges):
        self.judges = judges
        self.scales = [Surprise(judge.held_out) for judge in judges]
        nats = np.array([scale.of_held_out for scale in self.scales])
        self.calibration = Calibration(-_together(nats))
        for scale, judge in zip(self.scales, judges, strict=True):
            del scale.of_held_out, judge.held_out

    def _nats(self, seen):
        pairs = zip(self.scales, self.judges, strict=True)
        return np.array([scale(judge.statistic(seen)) for scale, judge in pairs])

    def surprise(self, seen):
        """Nats of each row, ndarray of shape (n,); about 0 for a typical one."""
        return _together(self._nats(seen))

    def contributions(self, seen):
        """What each cell adds to the surprise, ndarray of shape (n, n_features)."""
        nats = self._nats(seen)
        weights = np.exp(nats - nats.max(axis=0))
        weights /= weights.sum(axis=0)
        sums = sum(
            weight[:, None] * shared(some, judge.parts(seen), judge.expected)
            for weight, some, judge in zip(weights, nats, self.judges, strict=True)
        )
        return shared(_together(nats), sums, 0.0)


def _together(nats):
    """Nats of the harmonic mean of tail probabilities, from those of each judge."""
    largest = nats.max(axis=0)
    together = largest + np.log(np.exp(nats - largest).mean(axis=0))
    return np.round(together, _DECIMALS) + 0.0  # no -0.0


def training_rows(multiset, width):
    """Numbers, within the multiset, of the rows to learn from; equal ones stand side by side."""
    draws = multiset.draws()
    most = int(np.clip(_MOST_CELLS // width, _FEWEST_ROWS, _MOST_ROWS))
    return draws[evenly(len(draws), most)]


def references(n, width):
    """Which of the training rows to keep for comparison."""
    return evenly(n, int(np.clip(_CELLS_OF_REFERENCES // width, _FEWEST_ROWS, _REFERENCES)))


def of_normal_rows(seen, copies, kept, neighbors, generator):
    """The committee for training rows that are normal.

    Parameters
    ----------
    seen : Seen
        Training rows.
    copies : ndarray of shape (n,)
        How often each is there.
    kept : ndarray of int
        Numbers of the reference rows.
    neighbors : dict of str to Neighbors
        Of the reference rows, in each space.
    generator : torch.Generator
    """
    n = len(seen)
    # Copies of a row stand side by side: so they get into several folds, as they would by chance.
    folds = _folds(n)
    # Where hardly a row is there twice, one that equals a training row is that row.
    once = (copies == 1) & (np.mean(copies > 1) < _FEW_COPIES)
    crossed = CellSurprise, LowDensity, ReconstructionError
    seeds = [[draw_integer(generator) for _ in range(folds.max() + 1)] for _ in crossed]
    return Committee(
        [
            *(NearestDistance(name, seen, kept, neighbors[name], once) for name in seen.spaces),
            *(judge(seen, folds, seed) for judge, seed in zip(crossed, seeds, strict=True)),
        ]
    )


def _folds(n):
    """Fold of each row; the fewer rows, the more folds, so that models see most of them."""
    return np.arange(n) % min(n, int(np.clip(_ROWS_OF_FOLDS // n, _FEWEST_FOLDS, _MOST_FOLDS)))


def of_contaminated_rows(seen, generator):
    """The committee for training rows among which there are anomalies."""
    points = seen.points("standard")
    some = evenly(len(seen), _REFERENCES_OF_BULK)
    own = np.full(len(seen), -1)
    own[some] = np.arange(len(some))
    # To so many that a small cluster of anomalies does not vouch for itself.
    order = Neighbors(points[some]).mean_distance(points, own, _SHARE_OF_REFERENCES)
    return Committee([FarFromBulk(seen, order, size, draw_integer(generator)) for size in (1, 8)])


def of_estimator(estimator, X, rows, seen, schema, novelty, generator):
    """A committee of one, which the user gives.

    Parameters
    ----------
    estimator : estimator
        One that is fitted already is taken as it is, and calibrated by the rows given here.
    X : table
        As the user gave it.
    rows : ndarray of int
        Training rows, by their numbers in ``X``.
    seen : Seen
        The same rows.
    schema : Schema
    novelty : bool
    generator : torch.Generator
    """
    if _is_fitted(estimator):
        held_out = minus_scores(estimator, safe_indexing(X, rows))
        return Committee([GivenEstimator(estimator, held_out, schema, seen)])
    estimator = seeded(estimator, draw_integer(generator))
    held_out = np.empty(len(rows))
    if novelty:
        folds = _folds(len(rows))
        for fold in range(folds.max() + 1):
            inside, outside = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
            inside = inside if len(inside) > 1 else np.repeat(inside, 2)
            one = clone(estimator).fit(safe_indexing(X, rows[inside]))
            held_out[outside] = minus_scores(one, safe_indexing(X, rows[outside]))
        model = clone(estimator).fit(safe_indexing(X, rows))
    else:
        best = np.arange(len(rows))
        for _ in range(_ROUNDS):
            model = clone(estimator).fit(safe_indexing(X, rows[best]))
            held_out = minus_scores(model, safe_indexing(X, rows))
            n_best = max(int(_BULK * len(rows)), min(2, len(rows)))
            best = np.sort(np.argsort(held_out, kind="stable")[:n_best])
    return Committee([GivenEstimator(model, held_out, schema, seen)])


def _is_fitted(estimator):
    try:
        check_is_fitted(estimator)
    except NotFittedError:
        return False
    return True
