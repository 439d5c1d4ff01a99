"""What training recorded, epoch by epoch."""

import numpy as np
import pandas as pd

_NUMBERS_STORED = 2000


class History:
    """Named terms and seconds of each epoch.

    A stored history has no seconds, because identical fits are to be stored in identical bytes, and
    at most 2000 numbers, evenly spaced over the epochs with the last one among them.

    Parameters
    ----------
    terms : dict of str to ndarray of shape (n_epochs,), float32
    epochs : ndarray of shape (n_epochs,), int
        Their numbers, from 1 on.
    seconds : ndarray of shape (n_epochs,), float64
    kept : int or None, default=None
        The epoch whose weights early stopping went back to.
    """

    def __init__(self, terms, epochs, seconds, kept=None):
        self.terms = terms
        self.epochs = epochs
        self.seconds = seconds
        self.kept = kept

    @classmethod
    def empty(cls):
        """That of a network that was not trained."""
        return cls({}, np.zeros(0, dtype=int), np.zeros(0))

    def frame(self):
        """DataFrame with a row an epoch."""
        terms = pd.DataFrame(self.terms, index=pd.Index(self.epochs, name="epoch"))
        return terms.astype(np.float64).assign(seconds=self.seconds)

    def followed_by(self, later):
        """The history of a fit and of the one that went on from it.

        Terms of one of them only, such as those of validation rows, are missing in the other.
        """
        if not len(self.epochs):
            return later
        epochs = later.epochs + self.epochs[-1]
        both = [
            pd.DataFrame(self.terms, index=self.epochs),
            pd.DataFrame(later.terms, index=epochs),
        ]
        joined = pd.concat(both)
        return History(
            {name: joined[name].to_numpy(np.float32) for name in joined},
            np.concatenate([self.epochs, epochs]),
            np.concatenate([self.seconds, later.seconds]),
            None if later.kept is None else int(self.epochs[-1]) + later.kept,
        )

    def __getstate__(self):
        step = max(1, -(-len(self.epochs) * len(self.terms) // _NUMBERS_STORED))
        kept = slice((len(self.epochs) - 1) % step, None, step)
        terms = {name: values[kept].copy() for name, values in self.terms.items()}
        beside = {} if self.kept is None else {"kept": self.kept}
        return {"terms": terms, "epochs": self.epochs[kept], **beside}

    def __setstate__(self, state):
        self.__init__(**state, seconds=np.full(len(state["epochs"]), np.nan))
