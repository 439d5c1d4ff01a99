"""How badly an autoencoder reconstructs a row."""

import numpy as np

from ..._dataset.batches import n_batches
from ..._estimators.autoencoder import AutoencoderTransformer
from ..._runtime.arrays import evenly
from ...rows import Table
from .cross_fitting import ROWS_EXPECTED, CrossFitted

_HIDDEN, _CODE, _UPDATES, _FEWEST_EPOCHS = 256, 16, 400, 5
_BATCH, _SMALLEST_ERROR, _LARGEST_ERROR = 256, 1e-3, 1e30


class ReconstructionError(CrossFitted):
    """Errors of small autoencoders, on a logarithmic scale and in units of each column's error."""

    def _fitted(self, seen, rows, seed):
        table = seen.table[rows if len(rows) > 1 else np.repeat(rows, 2)]
        columns = seen.spaces["standard"].columns
        model = AutoencoderTransformer(
            latent_dim=_CODE,
            hidden_layer_sizes=(_HIDDEN,),
            rows=Table(np.flatnonzero(~columns.numbers).tolist() or "from_dtype", "standard"),
            # Fewer updates than for codes: what is rare shall not be learned.
            max_epochs=max(_FEWEST_EPOCHS, -(-_UPDATES // n_batches(len(table), _BATCH))),
            batch_size=_BATCH,
            random_state=seed,
        ).fit(table)
        errors = model.reconstruction_error(table[evenly(len(table), ROWS_EXPECTED)])
        known = ~np.isnan(errors)
        errors = np.where(known, errors, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
        floor = _SMALLEST_ERROR * errors.mean() + np.finfo(np.float32).tiny
        return model, np.maximum(errors, floor)

    def _statistic(self, model, seen):
        return seen.mean_over_known(self._parts(model, seen))

    def _parts(self, model, seen):
        autoencoder, usual = model
        errors = np.nan_to_num(autoencoder.reconstruction_error(seen.table))
        return np.log1p(np.minimum(errors, _LARGEST_ERROR) / usual)
