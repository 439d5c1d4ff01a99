"""Metrics: is a code good? Arrays in, floats out; no estimator of ours is known here."""

import math
import warnings
from itertools import combinations
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike
from pandas.api.types import is_bool_dtype, is_numeric_dtype
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import mutual_info_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler

from . import losses
from ._dataset.columns import one_for_each_row, reject_missing
from ._dataset.labels import read_labels
from ._runtime.isolation import on_one_thread
from ._runtime.parameters import SEED, Number, Whole, checked_array, validated
from ._runtime.randomness import draw_seed
from ._runtime.typing import Seed, TableLike

__all__ = [
    "alignment",
    "dci",
    "effective_rank",
    "info_nce_bits",
    "knn_probe",
    "linear_probe",
    "mutual_information_gap",
    "procrustes_r2",
    "uniformity",
]

_EPSILON = 1e-7
_TREES, _MOST_CLASSES = 50, 32
_TEMPERATURES = np.geomspace(0.005, 2.0, 16)


@validated({"alpha": [Number(0)]})
@on_one_thread
def alignment(left: ArrayLike, right: ArrayLike, alpha: float = 2) -> float:
    r"""Mean distance between the codes of two views of a row, raised to a power; 0 is best.

    :math:`\frac1n\sum_i\lVert f(x_i) - f(x_i^+)\rVert^\alpha` for codes scaled to unit length
    (Wang and Isola 2020, :math:`\mathcal{L}_\mathrm{align}`). Codes that are all the same are
    perfectly aligned, so read it together with :func:`uniformity`.

    Parameters
    ----------
    left, right : array-like of shape (n_samples, width)
        Codes of two views of the same rows. A code of zeros stays as it is.
    alpha : float, default=2
        Power of the distances.

    Returns
    -------
    float
        From 0 to ``2 ** alpha``.

    Raises
    ------
    ValueError
        If the shapes differ, a value is not finite, or ``alpha`` is not positive.

    References
    ----------
    Wang and Isola (2020), *Understanding contrastive representation learning through alignment
    and uniformity on the hypersphere*.

    Examples
    --------
    >>> from sklearn_replearn.metrics import alignment
    >>> alignment([[1, 0], [0, 1]], [[5, 0], [0, -1]])
    2.0
    """
    left, right = _two_views(left, right)
    return float(losses.alignment(_in_range(left), _in_range(right), alpha))


@validated({"t": [Number(0)]})
@on_one_thread
def uniformity(codes: ArrayLike, t: float = 2) -> float:
    r"""How evenly codes spread over the sphere: the lower, the more evenly.

    :math:`\log\,\mathrm{mean}\,e^{-t\lVert f(x) - f(y)\rVert^2}` over all pairs of different rows,
    for codes scaled to unit length (Wang and Isola 2020, :math:`\mathcal{L}_\mathrm{uniform}`).

    Parameters
    ----------
    codes : array-like of shape (n_samples, width)
        At least two rows. A code of zeros stays as it is.
    t : float, default=2
        Sharpness of the Gaussian potential between two codes.

    Returns
    -------
    float
        From ``-4 * t`` to 0, which says that all codes have one direction.

    Raises
    ------
    ValueError
        If there is one row only, a value is not finite, or ``t`` is not positive.

    References
    ----------
    Wang and Isola (2020), *Understanding contrastive representation learning through alignment
    and uniformity on the hypersphere*.

    Examples
    --------
    >>> from sklearn_replearn.metrics import uniformity
    >>> uniformity([[1, 0], [-3, 0]])
    -8.0
    """
    return float(losses.uniformity(_in_range(_checked(codes, "codes", at_least=2)), t))


def effective_rank(codes: ArrayLike) -> float:
    r"""How many directions the codes use: RankMe, the exponential of an entropy.

    The entropy is that of :math:`p_k = \sigma_k / \lVert\sigma\rVert_1 + 10^{-7}`, where
    :math:`\sigma` are the singular values of the codes (Garrido et al. 2023).

    Parameters
    ----------
    codes : array-like of shape (n_samples, width)

    Returns
    -------
    float
        From 1 to the smaller of ``n_samples`` and ``width``, up to the effect of the
        :math:`10^{-7}`; 1 if all codes are zero.

    Raises
    ------
    ValueError
        If a value is not finite.

    Notes
    -----
    The codes are not centred, as in the paper: a common shift counts as a direction. Of a
    covariance matrix the singular values are the variances along the principal axes, so
    ``effective_rank(np.cov(codes, rowvar=False))`` counts the directions in which codes vary, each
    by its share of the variance. NumPy gives the covariance of one column without dimensions;
    ``np.atleast_2d`` restores them.

    References
    ----------
    Garrido et al. (2023), *RankMe: assessing the downstream performance of pretrained
    self-supervised representations by their rank*.
    Roy and Vetterli (2007), *The effective rank: a measure of effective dimensionality*.

    Examples
    --------
    >>> from sklearn_replearn.metrics import effective_rank
    >>> round(effective_rank([[1, 0], [0, 1], [0, 0]]), 3)
    2.0
    >>> round(effective_rank([[1, 1], [2, 2], [3, 3]]), 3)
    1.0
    """
    sizes = np.linalg.svd(_rescaled(_checked(codes, "codes")), compute_uv=False)
    if not sizes.any():
        return 1.0
    shares = sizes / sizes.sum() + _EPSILON
    return float(np.exp(-(shares * np.log(shares)).sum()))


@validated({"temperature": [Number(0), None], "n_candidates": [Whole(2)]})
@on_one_thread
def info_nce_bits(
    left: ArrayLike, right: ArrayLike, temperature: float | None = None, n_candidates: int = 256
) -> float:
    r"""Bits against chance: how well the code of one view finds that of the other.

    :math:`\log_2 N - \mathrm{InfoNCE} / \ln 2` for N candidates: 0 is chance, :math:`\log_2 N` is
    perfect. InfoNCE is averaged over groups of rows and over both directions. It bounds the mutual
    information of the two views from below (van den Oord et al. 2018), up to :math:`\log_2 N`.

    Parameters
    ----------
    left, right : array-like of shape (n_samples, width)
        Codes of two views of the same rows, at least two, in an order that says nothing.
    temperature : float, default=None
        None takes the best of 16 between 0.005 and 2, so that codes from different objectives
        compare.
    n_candidates : int, default=256
        Rows are compared within near-equal groups of about this size, in the order given; N is
        their mean size. Values compare only for the same N.

    Returns
    -------
    float
        Negative if the codes find each other worse than chance at this temperature.

    Raises
    ------
    ValueError
        If the shapes differ, there is one row only, a value is not finite, ``temperature`` is not
        positive, or ``n_candidates`` is less than 2.

    References
    ----------
    van den Oord et al. (2018), *Representation learning with contrastive predictive coding*.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_replearn.metrics import info_nce_bits
    >>> round(info_nce_bits(np.eye(8), np.eye(8)), 3)
    3.0
    """
    left, right = map(_in_range, _two_views(left, right, at_least=2))
    groups = max(1, round(len(left) / n_candidates))
    temperatures = _TEMPERATURES if temperature is None else [temperature]
    best = min(_nats(left, right, groups, temperature) for temperature in temperatures)
    return (math.log(len(left) / groups) - best) / math.log(2)


def _nats(left, right, groups, temperature):
    """InfoNCE in both directions, averaged over groups of candidates."""
    none = left[:0]
    nats = [
        0.5 * (losses.info_nce(a, b, none, temperature) + losses.info_nce(b, a, none, temperature))
        for a, b in zip(left.tensor_split(groups), right.tensor_split(groups), strict=True)
    ]
    return float(sum(nats) / len(nats))


@validated({"n_labels": [Whole(), None], "random_state": SEED})
def linear_probe(
    codes: ArrayLike,
    y: ArrayLike,
    test_codes: ArrayLike,
    test_y: ArrayLike,
    n_labels: int | None = None,
    random_state: Seed = 0,
) -> float:
    """Accuracy of a logistic regression on codes that stay as they are.

    Codes are standardised by the mean and deviation of all of ``codes``, with or without a label.

    Parameters
    ----------
    codes : array-like of shape (n_samples, width)
        Codes to learn from.
    y : array-like of shape (n_samples,)
        Their classes, two at least; -1 (but where y has the values -1 and 1 only), None, NaN or ""
        where a row has no label.
    test_codes : array-like of shape (n_test_samples, width)
        Codes to judge by.
    test_y : array-like of shape (n_test_samples,)
        Their classes. One that ``y`` lacks counts as an error.
    n_labels : int, default=None
        Labels to learn from in each class, drawn at random; a class with fewer gives all it has.
        None learns from all.
    random_state : int, RandomState instance or None, default=0
        Draws the labels. With the same int, more labels include the fewer.

    Returns
    -------
    float
        Share of the test rows whose class is found.

    Raises
    ------
    ValueError
        If lengths or widths differ, a code is not finite, ``y`` has labels of several kinds, has
        one class only or is continuous, or ``test_y`` has none of the classes of ``y``.

    References
    ----------
    Alain and Bengio (2017), *Understanding intermediate layers using linear classifier probes*.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn_replearn.metrics import linear_probe
    >>> X, y = load_iris(return_X_y=True)
    >>> linear_probe(X[::2], y[::2], X[1::2], y[1::2], n_labels=5) > 0.8
    True
    """
    task = _task(codes, y, test_codes, test_y)
    chosen = task.seen(n_labels, random_state)
    scaler = StandardScaler().fit(task.codes)
    classifier = LogisticRegression(max_iter=1000)
    _fit(classifier, scaler.transform(task.codes[chosen]), task.y[chosen])
    return task.accuracy(classifier.predict(scaler.transform(task.test_codes)))


@validated({"n_labels": [Whole(), None], "n_neighbors": [Whole()], "random_state": SEED})
def knn_probe(
    codes: ArrayLike,
    y: ArrayLike,
    test_codes: ArrayLike,
    test_y: ArrayLike,
    n_labels: int | None = None,
    n_neighbors: int = 5,
    random_state: Seed = 0,
) -> float:
    """Accuracy of the majority of the nearest labelled codes by cosine distance.

    There is nothing to train or to tune, so it says how well distances between codes follow the
    classes.

    Parameters
    ----------
    codes : array-like of shape (n_samples, width)
        Codes to look for neighbours among. A code of zeros is as far from all others as one at a
        right angle.
    y : array-like of shape (n_samples,)
        Their classes, two at least; -1 (but where y has the values -1 and 1 only), None, NaN or ""
        where a row has no label.
    test_codes : array-like of shape (n_test_samples, width)
        Codes to judge by.
    test_y : array-like of shape (n_test_samples,)
        Their classes. One that ``y`` lacks counts as an error.
    n_labels : int, default=None
        Labels to look at in each class, drawn at random; a class with fewer gives all it has. None
        looks at all.
    n_neighbors : int, default=5
        Number of neighbours that vote; all labelled codes if these are fewer.
    random_state : int, RandomState instance or None, default=0
        Draws the labels. With the same int, more labels include the fewer.

    Returns
    -------
    float
        Share of the test rows whose class is found.

    Raises
    ------
    ValueError
        If lengths or widths differ, a code is not finite, ``y`` has labels of several kinds, has
        one class only or is continuous, or ``test_y`` has none of the classes of ``y``.

    References
    ----------
    Wu et al. (2018), *Unsupervised feature learning via non-parametric instance discrimination*.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn_replearn.metrics import knn_probe
    >>> X, y = load_iris(return_X_y=True)
    >>> knn_probe(X[::2], y[::2], X[1::2], y[1::2]) > 0.9
    True
    """
    task = _task(codes, y, test_codes, test_y)
    chosen = task.seen(n_labels, random_state)
    classifier = KNeighborsClassifier(min(n_neighbors, len(chosen)), metric="cosine")
    _fit(classifier, _unit_rows(task.codes[chosen]), task.y[chosen])
    return task.accuracy(classifier.predict(_unit_rows(task.test_codes)))


def procrustes_r2(codes: ArrayLike, *others: ArrayLike) -> float:
    r"""How well codes of the same rows from several runs agree, up to a rotation.

    For two runs it is :math:`R^2 = \lVert A^\top B\rVert_*^2`, the square of the sum of the
    singular values, where A and B are the codes with columns centred and scaled to unit Frobenius
    norm. That is the share of the variance of one that the other explains after the best shift,
    scaling and orthogonal map (Schönemann 1966), and 1 minus the disparity of
    :func:`scipy.spatial.procrustes`. Of more runs it is the mean over all pairs.

    Parameters
    ----------
    codes : array-like of shape (n_samples, width)
        Codes of one run.
    *others : array-like of shape (n_samples, any width)
        Codes of further runs, at least one, for the same rows in the same order.

    Returns
    -------
    float
        From 0 to 1, which says that all runs give the same codes up to shifts, scalings, rotations
        and reflections. Codes that do not vary agree with none.

    Raises
    ------
    ValueError
        If there is one run only, numbers of rows differ, there is one row only, or a value is not
        finite.

    Notes
    -----
    Codes from unrelated runs agree by chance, the more so the wider they are: take many more rows
    than columns. With directions of equal variance it is about 0.7 times ``width / n_samples``.

    Gower (1975) aligns many runs to their mean instead of in pairs. The consistency of CEBRA
    (Schneider et al. 2023) is the :math:`R^2` of a linear regression, which may also stretch and
    shear the codes and is therefore higher.

    References
    ----------
    Schönemann (1966), *A generalized solution of the orthogonal Procrustes problem*.
    Gower (1975), *Generalized Procrustes analysis*.
    Schneider et al. (2023), *Learnable latent embeddings for joint behavioural and neural
    analysis*.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_replearn.metrics import procrustes_r2
    >>> codes = np.array([[0., 0.], [1., 0.], [0., 2.]])
    >>> rotated = codes @ [[0., 1.], [-1., 0.]]
    >>> round(procrustes_r2(codes, 3 * rotated + 5), 3)
    1.0
    """
    if not others:
        raise ValueError("procrustes_r2 compares runs and needs the codes of at least 2; got 1.")
    runs = [_checked(run, "codes", at_least=2) for run in (codes, *others)]
    lengths = [len(run) for run in runs]
    if len(set(lengths)) > 1:
        raise ValueError(
            f"All runs must have codes of the same rows in the same order; got {lengths} rows."
        )
    pairs = combinations([_standardized(run) for run in runs], 2)
    agreements = [np.linalg.norm(a.T @ b, "nuc") ** 2 for a, b in pairs]
    return min(float(np.mean(agreements)), 1.0)


@validated({"n_bins": [Whole(2, 2**16)]})
def mutual_information_gap(codes: ArrayLike, factors: TableLike, n_bins: int = 20) -> float:
    r"""How far each factor is told by one column of the code rather than by several (MIG).

    For each factor, the mutual information with the column that tells most of it less that with
    the second, in units of the factor's entropy; averaged over factors (Chen et al. 2018).

    Parameters
    ----------
    codes : array-like of shape (n_samples, width)
    factors : array-like or frame of shape (n_samples, n_factors)
        What the rows were made from: numbers, strings or booleans, each with at least two values.
    n_bins : int, default=20
        Columns and factors of more different values than these are cut into as many bins of about
        equally many rows.

    Returns
    -------
    float
        From 0, if no factor is told or each by two columns alike, to 1.

    Raises
    ------
    ValueError
        If a value is missing or not finite, a factor does not vary, or the lengths differ.

    Notes
    -----
    The mutual information is that of the bins, in which it is too large by about
    ``n_bins ** 2 / (2 * n_samples)`` nats where there is none: give some thousand rows. For codes
    of a VAE these are posterior means, as in Locatello et al. (2019).

    References
    ----------
    Chen et al. (2018), *Isolating sources of disentanglement in variational autoencoders*.
    Locatello et al. (2019), *Challenging common assumptions in the unsupervised learning of
    disentangled representations*.

    Examples
    --------
    >>> from sklearn_replearn.metrics import mutual_information_gap
    >>> factors = [[0, 0], [0, 1], [1, 0], [1, 1]]
    >>> round(mutual_information_gap(factors, factors), 3)
    1.0
    >>> round(mutual_information_gap([[0, 1], [1, 2], [1, 0], [2, 1]], factors), 3)
    0.0
    """
    codes, factors = _checked(codes, "codes"), _factors(factors, len(codes))
    gaps, binned = [], [_binned(column, n_bins) for column in codes.T]
    for factor, _ in factors:
        factor = _binned(factor, n_bins)
        told = sorted(mutual_info_score(factor, column) for column in binned)
        entropy = mutual_info_score(factor, factor)
        gaps.append((told[-1] - (told[-2] if len(told) > 1 else 0.0)) / entropy)
    return float(np.clip(np.mean(gaps), 0.0, 1.0))


class DCI(NamedTuple):
    """Disentanglement, completeness and informativeness, see :func:`dci`."""

    disentanglement: float
    completeness: float
    informativeness: float


@validated({"random_state": SEED})
@on_one_thread
def dci(codes: ArrayLike, factors: TableLike, random_state: Seed = 0) -> "DCI":
    """Disentanglement, completeness and informativeness of a code (DCI).

    A random forest predicts each factor from the code. Disentanglement is high where each column of
    the code matters for one factor only, completeness where each factor is told by one column only,
    informativeness where the code tells of the factors at all (Eastwood and Williams 2018).

    Parameters
    ----------
    codes : array-like of shape (n_samples, width)
        At least two rows, and better some hundred.
    factors : array-like or frame of shape (n_samples, n_factors)
        What the rows were made from, each with at least two values. Strings, booleans and whole
        numbers of at most 32 different values are classes, other numbers are predicted as such.
    random_state : int, RandomState instance or None, default=0
        Of the forests.

    Returns
    -------
    DCI
        A tuple of ``disentanglement``, ``completeness`` and ``informativeness``, each from 0 to 1.
        The first two are 1 less the entropy of the shares that columns have in the importances;
        columns count as much as they matter. The third is the mean over factors of what is
        predicted in the quarter of the rows that was held out: R² for numbers, for classes the
        accuracy in units of what there is to gain on that of the most frequent one; 0 where
        guessing is better.

    Raises
    ------
    ValueError
        If a value is missing or not finite, a factor does not vary, or the lengths differ.

    References
    ----------
    Eastwood and Williams (2018), *A framework for the quantitative evaluation of disentangled
    representations*.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_replearn.metrics import dci
    >>> factors = np.random.default_rng(0).uniform(size=(400, 2))
    >>> [round(value, 1) for value in dci(factors, factors)]
    [1.0, 1.0, 1.0]
    """
    codes, seed = _checked(codes, "codes", at_least=2), draw_seed(random_state)
    # Forests compute in float32.
    factors, codes = _factors(factors, len(codes)), _rescaled(codes, axis=0)
    order = np.random.RandomState(seed).permutation(len(codes))
    test, train = np.split(order, [math.ceil(len(codes) / 4)])
    importances, told = [], []
    for factor, of_classes in factors:
        forest = RandomForestClassifier if of_classes else RandomForestRegressor
        forest = forest(_TREES, max_features=None, min_samples_leaf=2, random_state=seed)
        forest.fit(codes[train], factor[train])
        importances.append(forest.feature_importances_)
        guess = np.full(len(test), factor[train].mean())
        if of_classes:
            values, counts = np.unique(factor[train], return_counts=True)
            guess = np.full(len(test), values[counts.argmax()])
        errors = [
            np.mean(factor[test] != found if of_classes else np.square(factor[test] - found))
            for found in (forest.predict(codes[test]), guess)
        ]
        told.append(max(0.0, 1 - errors[0] / errors[1]) if errors[1] else 0.0)
    importances = np.array(importances).T  # of columns for factors
    of_columns, of_factors = _concentration(importances), _concentration(importances.T)
    weights = importances.sum(axis=1)
    disentanglement = weights @ of_columns / weights.sum() if weights.any() else 0.0
    return DCI(float(disentanglement), float(of_factors.mean()), float(np.mean(told)))


def _concentration(importances):
    """1 less the entropy of the shares in each row, in units of the largest; 0 where all are 0."""
    width = importances.shape[1]
    total = importances.sum(axis=1, keepdims=True)
    shares = importances / np.where(total > 0, total, 1.0)
    if width == 1:
        return shares[:, 0]
    entropies = -(shares * np.log(np.where(shares > 0, shares, 1.0))).sum(axis=1)
    return np.where(total[:, 0] > 0, np.maximum(1 - entropies / np.log(width), 0.0), 0.0)


def _factors(factors, n_rows):
    """Each factor as numbers, and whether they stand for classes."""
    try:
        frame = pd.DataFrame(factors if hasattr(factors, "columns") else np.asarray(factors))
    except (TypeError, ValueError, OverflowError) as problem:
        raise ValueError(f"factors must be of shape (n_samples, n_factors): {problem}") from None
    if len(frame) != n_rows or not frame.shape[1]:
        raise ValueError(
            f"factors must have at least one column, and a row for each of the {n_rows} codes; "
            f"got shape {frame.shape}."
        )
    result = []
    for name, column in frame.infer_objects().items():
        label = f"column {name!r} of factors"
        reject_missing(column, label, "Leave out such rows.")
        numbers = is_numeric_dtype(column) and not is_bool_dtype(column)
        if numbers:
            values = _checked(column.to_numpy()[:, None], label)[:, 0]
        else:
            values = pd.factorize(column)[0].astype(np.float64)
        n_values = len(np.unique(values))
        if n_values < 2:
            raise ValueError(f"{label} has one value: leave it out, as there is nothing to tell.")
        whole = n_values <= _MOST_CLASSES and np.array_equal(values, np.rint(values))
        result.append((values, whole or not numbers))
    return result


def _binned(column, n_bins):
    """Numbers of the different values, or of bins of about equally many rows."""
    values, numbers = np.unique(column, return_inverse=True)
    if len(values) <= n_bins:
        return numbers
    edges = np.quantile(column, np.arange(1, n_bins) / n_bins)
    return np.searchsorted(edges, column, side="right")


def _standardized(codes):
    """Codes with columns of mean 0, of unit Frobenius norm; zeros if they do not vary."""
    codes = _rescaled(codes)
    # Centred on a row first, columns that do not vary are zeros and not rounding errors.
    codes = codes - codes[0]
    codes = _rescaled(codes - codes.mean(0))
    return codes / (np.linalg.norm(codes) or 1.0)


def _checked(codes, name, at_least=1):
    return checked_array(codes, name, dtype=np.float64, ensure_min_samples=at_least)


def _two_views(left, right, at_least=1):
    left, right = _checked(left, "left", at_least), _checked(right, "right", at_least)
    if left.shape != right.shape:
        raise ValueError(
            "left and right must be codes of two views of the same rows, of one shape; got "
            f"{left.shape} and {right.shape}."
        )
    return left, right


def _rescaled(codes, axis=None):
    """Divide by a power of 2, the same along ``axis``, so that squares do not leave the range."""
    _, exponent = np.frexp(np.abs(codes).max(axis=axis, keepdims=True))
    return np.ldexp(codes, -exponent)


def _in_range(codes):
    """Codes as a tensor, their rows of about unit length.

    Powers of 2 change no digit of a row's direction, which is all that losses of angles see.
    """
    return torch.from_numpy(_rescaled(codes, axis=1))


def _unit_rows(codes):
    codes = _rescaled(codes, axis=1)
    lengths = np.linalg.norm(codes, axis=1, keepdims=True)
    return codes / np.where(lengths > 0, lengths, 1.0)


class _Task(NamedTuple):
    """Codes and classes of a probe, checked."""

    codes: np.ndarray
    y: np.ndarray
    labeled: np.ndarray
    test_codes: np.ndarray
    test_y: np.ndarray
    test_labeled: np.ndarray

    def seen(self, n_labels, random_state):
        """Numbers of the rows whose labels are seen, ``n_labels`` in each class."""
        rows = np.flatnonzero(self.labeled)
        if n_labels is None:
            return rows
        order = np.random.RandomState(draw_seed(random_state)).permutation(rows)
        chosen = [order[self.y[order] == label][:n_labels] for label in np.unique(self.y[rows])]
        return np.sort(np.concatenate(chosen))

    def accuracy(self, predicted):
        """Share of the test rows whose class is found; none is in a row without a label."""
        return float(np.mean((predicted == self.test_y) & self.test_labeled))


def _task(codes, y, test_codes, test_y):
    codes, test_codes = _checked(codes, "codes"), _checked(test_codes, "test_codes")
    y = one_for_each_row(y, len(codes), "y")
    test_y = one_for_each_row(test_y, len(test_codes), "test_y")
    if codes.shape[1] != test_codes.shape[1]:
        raise ValueError(
            "codes and test_codes must come from one encoder and have the same number of columns; "
            f"got {codes.shape[1]} and {test_codes.shape[1]}."
        )
    y, labeled = read_labels(y)
    classes = np.unique(y[labeled])
    if len(classes) < 2:
        raise ValueError(
            f"y must have at least 2 classes to tell apart; got {set(classes.tolist())}."
        )
    test_y, test_labeled = read_labels(test_y, classes, "test_y")
    if set(classes.tolist()).isdisjoint(test_y[test_labeled].tolist()):
        raise ValueError(
            "test_y must have classes of y, written in the same way; it has none of them, but for "
            f"example {test_y.tolist()[0]!r} where y has {y.tolist()[0]!r}."
        )
    return _Task(codes, y, labeled, test_codes, test_y, test_labeled)


def _fit(classifier, codes, y):
    with warnings.catch_warnings():
        # With few labels in each of many classes this is so on purpose.
        warnings.filterwarnings("ignore", "The number of unique classes", UserWarning)
        classifier.fit(codes, y)
