"""How sure it is that a row is no normal one: conformal p-values and what follows from them."""

import numpy as np


class Calibration:
    """Scores of held-out rows, against which other rows are compared.

    Parameters
    ----------
    scores : ndarray of shape (n,)
        Of rows that whatever gives the scores has not seen; higher is more normal.

    References
    ----------
    Vovk, Gammerman and Shafer (2005), *Algorithmic learning in a random world*.
    Bates, Candès, Lei, Romano and Sesia (2023), *Testing for outliers with conformal p-values*.
    """

    def __init__(self, scores):
        self.scores = np.sort(scores)

    def p_values(self, scores):
        """Share of the held-out rows, and of the row itself, with a score as low or lower."""
        as_low = np.searchsorted(self.scores, scores, side="right")
        return (as_low + 1) / (len(self.scores) + 1)

    def threshold(self, alpha):
        """Rows with a score below it are those whose p-value is at most ``alpha``.

        Minus infinity where there are too few held-out rows for such a p-value.
        """
        p_values = self.p_values(self.scores)
        above = np.flatnonzero(p_values > alpha)
        if alpha < 1 / (len(self.scores) + 1):
            return -np.inf
        return self.scores[above[0]]
