"""What speaks for a row being anomalous: kinds of evidence, each from held-out rows and by column.

A judge looks at the training rows and keeps ``held_out``, a statistic of each of them from whatever
has not seen it; larger is less normal. It gives other rows' ``statistic``, and the ``parts`` of it
that are due to each column, of which ``expected`` is the mean.
"""

import numpy as np

from ..observations import Seen

ROWS_EXPECTED = 2**11


class CrossFitted:
    """Evidence from a model of the training rows, of which each is judged by one without its fold.

    Other rows are judged by the model without the first fold, so that what they find is distributed
    as what held-out rows find: the mean of all models would vary less. A subclass says how a model
    is fitted (``_fitted``), and what it says of rows.
    """

    def __init__(self, seen, folds, seeds):
        self.held_out = np.empty(len(seen))
        parts = np.zeros(seen.table.shape)
        for fold, seed in enumerate(seeds):
            inside, outside = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
            model = self._fitted(seen, inside, seed)
            if fold == 0:
                self.model = model
            held = Seen(seen.table[outside], seen.spaces)
            parts[outside] = self._parts(model, held)
            self.held_out[outside] = self._statistic(model, held)
        self.expected = parts[:ROWS_EXPECTED].mean(axis=0)

    def statistic(self, seen):
        return self._statistic(self.model, seen)

    def parts(self, seen):
        return self._parts(self.model, seen)
