"""Several judges, and how what they say of a row is put together."""

import numpy as np

from .._runtime.parameters import check_parameters
from .calibration import Calibration
from .evidence import evidence_of
from .explanations import attributions
from .judges.bulk import FarFromBulk
from .judges.density import LowDensity
from .judges.nearest import NearestDistance
from .judges.pairs import CellSurprise
from .judges.reconstruction import ReconstructionError
from .surprise import SurpriseScale

_DECIMALS = 6  # sums in another order differ in the last bits of a float64


def judges_of_normal_rows():
    """Judges for training rows that are all normal."""
    return [
        NearestDistance("standard"),
        NearestDistance("quantile"),
        CellSurprise(),
        LowDensity(),
        ReconstructionError(),
    ]


def judges_of_contaminated_rows():
    """Judges for training rows among which there are anomalies."""
    return [FarFromBulk(1), FarFromBulk(8)]


class Committee:
    """Judges whose statistics are put on one scale, and together.

    Each statistic becomes nats of surprise, minus the logarithm of a tail probability among
    held-out rows; the row's surprise is that of the harmonic mean of these probabilities. One judge
    who is very sure so counts for more than several who see nothing. The held-out rows' own
    surprise calibrates it.

    Parameters
    ----------
    judges : list of Judge
        They stay as they are; clones are fitted.
    rows : Observations
        Training rows.
    generator : torch.Generator

    References
    ----------
    Wilson (2019), *The harmonic mean p-value for combining dependent tests*.
    """

    def __init__(self, judges, rows, generator):
        self.judges, self.scales, self.expected, nats = [], [], [], []
        for judge in judges:
            check_parameters(judge)
            held_out, scale = judge.fit_held_out(rows, generator), SurpriseScale()
            nats.append(scale.fit_transform(held_out.statistic))
            self.judges.append(held_out.judge)
            self.expected.append(held_out.expected)
            self.scales.append(scale)
        self.calibration = Calibration(-_together(np.array(nats)))

    def _evidence(self, rows):
        """What each judge says, and its nats, ndarray of shape (n_judges, n)."""
        evidence = [evidence_of(judge, rows) for judge in self.judges]
        pairs = zip(self.scales, evidence, strict=True)
        return evidence, np.array([scale.transform(found.statistic) for scale, found in pairs])

    def surprise(self, rows):
        """Nats of each row, ndarray of shape (n,); about 0 for a typical one."""
        return _together(self._evidence(rows)[1])

    def contributions(self, rows):
        """What each cell adds to the surprise, ndarray of shape (n, n_features)."""
        evidence, nats = self._evidence(rows)
        weights = np.exp(nats - nats.max(axis=0))
        weights /= weights.sum(axis=0)
        sums = sum(
            weight[:, None] * attributions(some, found.parts, expected)
            for weight, some, found, expected in zip(
                weights, nats, evidence, self.expected, strict=True
            )
        )
        return attributions(_together(nats), sums, 0.0)


def _together(nats):
    """Nats of the harmonic mean of tail probabilities, from those of each judge."""
    largest = nats.max(axis=0)
    together = largest + np.log(np.exp(nats - largest).mean(axis=0))
    return np.round(together, _DECIMALS) + 0.0  # no -0.0
