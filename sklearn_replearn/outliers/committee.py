"""Several judges, and how what they say of a row is put together."""

import numpy as np
from sklearn.base import clone

from .._runtime.parameters import check_parameters
from .._runtime.randomness import draw_integer
from .calibration import Calibration
from .judges.base import statistic_of
from .judges.density import LowDensity
from .judges.held_out import held_out_folds, seeded, without
from .judges.nearest import NearestDistance
from .judges.pairs import PairDensity
from .judges.trimmed import Trimmed
from .repeats import Repeated, groups_of, middle_of_equals
from .surprise import SurpriseScale

_POWER = -0.5  # 0 is the geometric mean, -1 the harmonic one
_DECIMALS = 6  # sums in another order differ in the last bits of a float64


def judges_of_normal_rows():
    """Judges for training rows that are all normal."""
    return [NearestDistance("standard"), NearestDistance("quantile"), PairDensity(), LowDensity()]


def judges_of_contaminated_rows(rows):
    """Judges for training rows among which there are anomalies."""
    bulk, pairs = Trimmed(LowDensity(1, space="standard")), PairDensity()
    if rows.is_categorical.any():  # a mixture sees levels as points
        return [bulk, pairs, NearestDistance("standard"), NearestDistance("quantile")]
    return [bulk, Trimmed(LowDensity(8, space="standard")), pairs]


class Committee:
    """Judges whose statistics are put on one scale, and together.

    Each statistic becomes nats of surprise, minus the logarithm of a tail probability among
    held-out rows; the row's surprise is that of the mean of these probabilities to the power -1/2,
    between their geometric and their harmonic mean: a judge who is sure counts for more than one
    who sees nothing, and several count for more than one. The held-out rows' own surprise
    calibrates it. Later rows are judged by models of all training rows, which know a little more
    than those that judged the held-out ones: so what is rare is a little rarer than its p-value.

    Parameters
    ----------
    judges : list of Judge
        They stay as they are; clones are fitted.
    rows : Observations
        Training rows; equal ones stand side by side.
    generator : torch.Generator

    References
    ----------
    Vovk and Wang (2020), *Combining p-values via averaging*.
    """

    def __init__(self, judges, rows, generator):
        folds = held_out_folds(rows.units)
        held_out = np.sort(np.concatenate(folds))
        group, units = groups_of(rows.table), np.unique(rows.units[held_out])
        parts = [(rows.take(without(len(rows), fold)), rows.take(fold)) for fold in folds]
        self.judges, self.scales, nats = [], [], []
        for judge in judges:
            check_parameters(judge)
            judge, statistic = seeded(judge, draw_integer(generator)), np.empty(len(rows))
            for fold, (inside, outside) in zip(folds, parts, strict=True):
                fitted = clone(judge)
                fitted.fit(inside)
                statistic[fold] = statistic_of(fitted, outside)
            middle, scale = middle_of_equals(group[held_out], statistic[held_out]), SurpriseScale()
            nats.append(scale.fit_transform(middle))
            judge.fit(rows)
            self.judges.append(judge)
            self.scales.append(scale)
        surprise = _together(nats)
        self.repeated = Repeated(group, held_out, rows.table, surprise)
        self.calibration = Calibration(-surprise, len(held_out) / len(units))

    def surprise(self, rows):
        """Nats of each row, ndarray of shape (n,); about 0 for a typical one."""
        nats = [
            scale.transform(statistic_of(judge, rows))
            for judge, scale in zip(self.judges, self.scales, strict=True)
        ]
        return self.repeated.at_most(_together(nats), rows.table)


def _together(nats):
    """Nats of the mean of tail probabilities to a power, from those of each judge."""
    raised = -_POWER * np.array(nats)
    largest = raised.max(axis=0)
    together = (largest + np.log(np.exp(raised - largest).mean(axis=0))) / -_POWER
    return np.round(together, _DECIMALS) + 0.0  # no -0.0
