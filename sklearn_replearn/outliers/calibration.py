"""How sure it is that a row is no normal one: conformal p-values and what follows from them."""

import numpy as np


class Calibration:
    """Scores of held-out rows, against which other rows are compared.

    Parameters
    ----------
    scores : ndarray of shape (n,)
        Of rows that whatever gives the scores has not seen; higher is more normal.
    weight : float, default=1.0
        For how many of them a row that is compared counts: where each row has a copy, 2.

    References
    ----------
    Vovk, Gammerman and Shafer (2005), *Algorithmic learning in a random world*.
    Bates, Candès, Lei, Romano and Sesia (2023), *Testing for outliers with conformal p-values*.
    """

    def __init__(self, scores, weight=1.0):
        self.scores, self.weight = np.sort(scores), weight

    @property
    def smallest(self):
        """The least p-value that there is."""
        return self.weight / (len(self.scores) + self.weight)

    def p_values(self, scores):
        """Share of the held-out rows, and of the row itself, with a score as low or lower."""
        as_low = np.searchsorted(self.scores, scores, side="right")
        return (as_low + self.weight) / (len(self.scores) + self.weight)

    def p_values_at_random(self, scores, of_equals, draws):
        """The same, but of rows that are equal a share that is drawn, each in [0, 1).

        ``of_equals`` are the scores of held-out rows that equal these, which are no higher.
        """
        lower = np.searchsorted(self.scores, of_equals, side="left")
        at_most = self.p_values(scores)
        return at_most - draws * (at_most - lower / (len(self.scores) + self.weight))

    def threshold(self, alpha):
        """Rows with a score below it are those whose p-value is at most ``alpha``.

        Minus infinity where there are too few held-out rows for such a p-value.
        """
        if alpha < self.smallest:
            return -np.inf
        return self.scores[np.argmax(self.p_values(self.scores) > alpha)]
