"""What several judges say of rows, put together."""

import numpy as np
from sklearn.base import clone

from .._runtime.parameters import check_parameters
from .._runtime.randomness import draw_integer
from .._runtime.tasks import current_task
from .calibration import Calibration
from .judges.base import seeded, statistic_of
from .judges.held_out import held_out_folds, without
from .repeats import Repeated, groups_of, middle_of_equals
from .surprise import SurpriseScale

POWER = -0.5  # 0 is the geometric mean, -1 the harmonic one
DECIMALS = 6  # sums in another order differ in the last bits of a float64


class Committee:
    """Judges whose statistics are put on one scale, and together.

    Each statistic becomes nats of surprise, minus the logarithm of a tail probability among
    held-out rows; the row's surprise is that of the mean of these probabilities to the power -1/2,
    between their geometric and their harmonic mean: a judge who is sure counts for more than one
    who sees nothing, and several count for more than one. The held-out rows' own surprise
    calibrates it. Later rows are judged by models of all training rows, which know a little more
    than those that judged the held-out ones, and so find less: p-values are a little too large.

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
        for judge in judges:
            check_parameters(judge)
        seed = draw_integer(generator)  # the same for all: their order says nothing
        self.judges = [seeded(judge, seed) for judge in judges]
        statistics, task = np.empty((len(judges), len(rows))), current_task()
        task.begins((len(folds) + 1) * len(judges))
        for number, fold in enumerate(folds, 1):
            inside, outside = rows.take(without(len(rows), fold)), rows.take(fold)
            for judge, statistic in zip(self.judges, statistics, strict=True):
                name = f"fold-{number}-of-{len(folds)}-{type(judge).__name__}"
                with task.part(name).begins().done():
                    fitted = clone(judge)
                    fitted.fit(inside)
                    statistic[fold] = statistic_of(fitted, outside)
        for judge in self.judges:
            with task.part(f"all-rows-{type(judge).__name__}").begins().done():
                judge.fit(rows)
        self.scales = [SurpriseScale() for _ in judges]
        surprise = _together(
            [
                scale.fit_transform(middle_of_equals(group[held_out], statistic[held_out]))
                for scale, statistic in zip(self.scales, statistics, strict=True)
            ]
        )
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
    raised = -POWER * np.array(nats)
    largest = raised.max(axis=0)
    together = (largest + np.log(np.exp(raised - largest).mean(axis=0))) / -POWER
    return np.round(together, DECIMALS) + 0.0  # no -0.0
