"""Which judges are asked."""

from .judges.base import Judge
from .judges.density import LowDensity
from .judges.estimator import EstimatorScore
from .judges.nearest import NearestDistance
from .judges.pairs import PairDensity
from .judges.trimmed import Trimmed


def chosen_judges(estimator, judges, novelty, rows):
    """Those that a detector's parameters ask for, list of Judge.

    Parameters
    ----------
    estimator, judges, novelty
        See :class:`OutlierDetector`.
    rows : Observations
        Training rows.
    """
    if judges is None and estimator is None:
        return _of_normal_rows() if novelty else _of_contaminated_rows(rows)
    if judges is None:
        judge = EstimatorScore(estimator)
        return [judge if novelty else Trimmed(judge)]
    if estimator is not None:
        raise ValueError(
            "Give either an estimator or judges. To have both, put EstimatorScore(estimator) "
            "of sklearn_replearn.outliers among the judges."
        )
    if not novelty:
        raise ValueError(
            "novelty=False chooses judges for training rows among which there are anomalies, "
            "and judges= chooses them, too. Leave novelty=True, and give judges that are for "
            'such rows, such as Trimmed(LowDensity(space="standard")) of sklearn_replearn.outliers.'
        )
    if not judges:
        raise ValueError("judges is empty. Give at least one, or None for the default ones.")
    for number, judge in enumerate(judges):
        if not isinstance(judge, Judge):
            raise TypeError(
                f"judges[{number}] is no Judge but {judge!r}. Give instances of subclasses of "
                "sklearn_replearn.outliers.Judge, and an estimator as EstimatorScore(estimator)."
            )
    return list(judges)


def _of_normal_rows():
    return [NearestDistance("standard"), NearestDistance("quantile"), PairDensity(), LowDensity()]


def _of_contaminated_rows(rows):
    bulk = Trimmed(LowDensity(1, space="standard"))
    if rows.is_categorical.any():  # a mixture sees levels as points
        return [bulk, PairDensity(), NearestDistance("standard"), NearestDistance("quantile")]
    return [bulk, Trimmed(LowDensity(8, space="standard")), Trimmed(PairDensity())]
