"""Linear heads of which labels held out choose how strong they are."""

import itertools

import numpy as np
from sklearn.linear_model import LogisticRegression, Ridge

from .._dataset.multiset import canonical
from .._runtime.isolation import undisturbed

_N_FOLDS = 5
_MOST_ROWS = 2000  # that are held out in all: with more the choice makes little difference
MOST_ITERATIONS = 1000
_LEAST_PROBABILITY = 1e-12


class LogisticHead:
    """``LogisticRegression``, by the log-loss of labels held out."""

    strengths = (10.0, 1.0)

    @staticmethod
    def of(precision):
        """An unfitted head whose coefficients have so large a prior precision."""
        return LogisticRegression(C=1.0 / precision, max_iter=MOST_ITERATIONS)

    @staticmethod
    def can_be_held_out(labels):
        """Rows of classes that have one for each fold, if there are two such."""
        _, classes, counts = np.unique(labels, return_inverse=True, return_counts=True)
        enough = counts >= _N_FOLDS
        return enough[classes] & (enough.sum() > 1)

    @staticmethod
    def losses(head, X, labels):
        """Minus the log-probability of each label."""
        chosen = np.searchsorted(head.classes_, labels)
        probabilities = head.predict_proba(X)[np.arange(len(X)), chosen]
        return -np.log(np.maximum(probabilities, _LEAST_PROBABILITY))

    @staticmethod
    def nats(loss, weight):
        """Those of all labels, from the sum of their losses."""
        return loss


class RidgeHead:
    """``Ridge``, by the squared error of targets held out."""

    strengths = (3.0, 0.3)  # in units of the variance of targets

    @staticmethod
    def of(precision):
        """An unfitted head; of the variance of targets it is taken to leave a half."""
        return Ridge(alpha=0.5 * precision)

    @staticmethod
    def can_be_held_out(targets):
        """All, if each fold has some."""
        return np.full(len(targets), len(targets) >= 4 * _N_FOLDS)

    @staticmethod
    def losses(head, X, targets):
        """The squared error of each target."""
        with np.errstate(over="ignore"):  # of targets beyond 1e154: any choice is as good then
            return np.square(head.predict(X) - targets)

    @staticmethod
    def nats(loss, weight):
        """Minus the log-likelihood of normal errors, up to a constant, of all targets."""
        variances = np.maximum(loss / weight, np.finfo(np.float64).tiny)
        return float(np.sum(0.5 * weight * np.log(variances)))


def chosen_head(kind, X, scalings, labels, sample_weight, variance):
    """A linear head fitted to the columns as scaled, and as strong, as predicts labels held out.

    The variance of codes times the prior variance of a coefficient is the prior variance of what a
    head says of a row by its codes, its strength. Of all pairs of a scaling and a strength that one
    is taken under which labels held out cost the fewest nats; the first where labels are too few to
    hold out any. Rows are taken in canonical order, weight 2 as the row twice, so the order in
    which they came makes no difference.

    Parameters
    ----------
    kind : LogisticHead or RidgeHead
    X : ndarray of shape (n_samples, n_columns)
    scalings : list of ndarray of shape (n_columns,)
        Factors of the columns.
    labels : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        Classes or targets.
    sample_weight : ndarray of shape (n_samples,)
    variance : float
        Of codes, all together.

    Returns
    -------
    head : LogisticRegression or Ridge
    number : int
        Of the scaling.
    """
    numbers = _ranks(labels)
    multiset = canonical(X, sample_weight, numbers[:, None].astype(np.float64))
    X, labels, weights = X[multiset.numbers], labels[multiset.numbers], multiset.weights
    few = slice(_MOST_ROWS)

    def nats(choice):
        number, precision = choice
        return _held_out(kind, precision, X[few] * scalings[number], labels[few], weights[few])

    precisions = [variance / strength for strength in kind.strengths]
    with undisturbed():
        number, precision = min(itertools.product(range(len(scalings)), precisions), key=nats)
    X *= scalings[number]  # a copy already
    return kind.of(precision).fit(X, labels, sample_weight=weights), number


def _held_out(kind, precision, X, labels, weights):
    """Nats of labels held out, in folds that have each about the same share of each class."""
    folds = np.empty(len(X), dtype=np.intp)
    folds[np.argsort(_ranks(labels), kind="stable")] = np.arange(len(X)) % _N_FOLDS
    folds[~kind.can_be_held_out(labels)] = _N_FOLDS
    loss, weight = 0.0, 0.0
    for fold in range(_N_FOLDS):
        out = folds == fold
        if not out.any():
            continue
        head = kind.of(precision).fit(X[~out], labels[~out], sample_weight=weights[~out])
        loss = loss + (weights[out] * kind.losses(head, X[out], labels[out]).T).sum(axis=-1)
        weight += float(weights[out].sum())
    return kind.nats(loss, weight) if weight else 0.0


def _ranks(labels):
    """Equal labels the same whole number, in their order."""
    axis = None if labels.ndim == 1 else 0
    return np.unique(labels, axis=axis, return_inverse=True)[1].reshape(-1)
