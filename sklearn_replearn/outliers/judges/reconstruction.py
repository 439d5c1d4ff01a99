"""How badly an autoencoder reconstructs a row."""

import numpy as np

from ..._dataset.batches import n_batches
from ..._estimators.autoencoder import AutoencoderTransformer
from ..._runtime.arrays import evenly
from ..._runtime.parameters import SEED
from ...rows import Table
from ..evidence import Evidence
from .base import ROWS_EXPECTED, Judge

_HIDDEN, _CODE, _UPDATES, _FEWEST_EPOCHS = 256, 16, 400, 5
_BATCH, _SMALLEST_ERROR, _LARGEST_ERROR = 256, 1e-3, 1e30


class ReconstructionError(Judge):
    """Errors of a small autoencoder, on a logarithmic scale and in units of each column's error.

    Parameters
    ----------
    random_state : int, RandomState instance or None, default=None
        None: drawn from that of the detector.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_replearn import OutlierDetector
    >>> from sklearn_replearn.outliers import ReconstructionError
    >>> normal = np.random.RandomState(0).normal(size=(300, 2))
    >>> OutlierDetector(judges=[ReconstructionError()]).fit(normal).predict([[9.0, -9.0]])
    array([-1])
    """

    _parameter_constraints = {"random_state": SEED}

    def __init__(self, *, random_state=None):
        self.random_state = random_state

    def fit(self, rows):
        """Train the autoencoder; see :meth:`Judge.fit`."""
        table = rows.table
        self.autoencoder_ = AutoencoderTransformer(
            latent_dim=_CODE,
            hidden_layer_sizes=(_HIDDEN,),
            loss="mse",
            rows=Table(np.flatnonzero(rows.is_categorical).tolist() or "from_dtype", "standard"),
            # Fewer updates than for codes: what is rare shall not be learned.
            max_epochs=max(_FEWEST_EPOCHS, -(-_UPDATES // n_batches(len(table), _BATCH))),
            batch_size=_BATCH,
            random_state=self.random_state,
        ).fit(table)
        errors = self.autoencoder_.reconstruction_error(table[evenly(len(table), ROWS_EXPECTED)])
        known = ~np.isnan(errors)
        errors = np.where(known, errors, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
        floor = _SMALLEST_ERROR * errors.mean() + np.finfo(np.float32).tiny
        self.usual_ = np.maximum(errors, floor)
        return self

    def evidence(self, rows):
        """The mean error, and that of each cell; see :meth:`Judge.evidence`."""
        errors = np.nan_to_num(self.autoencoder_.reconstruction_error(rows.table))
        parts = np.log1p(np.minimum(errors, _LARGEST_ERROR) / self.usual_)
        return Evidence(rows.mean_over_known(parts), parts)
