"""One torch module from rows of numbers to codes, and one back."""

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted
from torch import nn

from .._runtime.typing import TableLike
from ..modules.expressions import as_expressions
from ..modules.scaling import ScaledCells, UnscaledCells


class AsModules:
    """A fitted transformer as torch modules, for what goes on in torch."""

    def encoder_module(self) -> nn.Module:
        """One torch module from raw rows to codes: the scaling of fit and the encoder behind it.

        It works with ``torch.export``, ``torch.compile`` and ``torch.func``, has gradients in the
        raw cells (0 in cells that are missing), and needs nothing of this package or of
        scikit-learn when it was exported.

        Returns
        -------
        torch.nn.Module
            In evaluation mode, on the CPU, its weights a copy. It turns a Tensor of shape
            (n, n_features), or of the arrays that fit saw, into codes of shape (n, latent_dim).
            Cells are raw and NaN where they are missing. They are scaled in float64 and encoded in
            float32, as which codes are returned, whatever dtype came; after ``module.double()``
            all is in float64. Codes are those of :meth:`transform` to the precision of float32:
            on the CPU within about 1e-6 of the largest.

        Raises
        ------
        ValueError
            If columns are scaled by a transformer of scikit-learn.

        Notes
        -----
        A module takes numbers. Those of a frame of text, categories and dates are given by
        :meth:`to_numbers`, those of a sparse matrix by ``toarray()``. Cells are not checked:
        columns in another order or infinite cells give some code.

        Examples
        --------
        How the codes change with the cells of a row:

        >>> import torch
        >>> from sklearn.datasets import load_wine
        >>> from sklearn_replearn import AutoencoderTransformer
        >>> X = load_wine().data
        >>> module = AutoencoderTransformer(latent_dim=2, max_epochs=5).fit(X).encoder_module()
        >>> torch.func.jacrev(lambda row: module(row[None])[0])(torch.tensor(X[0])).shape
        torch.Size([2, 13])
        """
        return RowEncoder(*self._learned()).eval()

    def decoder_module(self) -> nn.Module:
        """One torch module from codes to raw rows: the decoder, and the scaling of fit back.

        Returns
        -------
        torch.nn.Module
            In evaluation mode, on the CPU, its weights a copy. It turns codes of shape
            (n, latent_dim) into a float64 Tensor of shape (n, n_features), or of the arrays that
            fit saw: expected values in original units, and numbers of the likeliest levels, as
            :meth:`to_numbers` gives them. Other than in :meth:`inverse_transform` they are not
            rounded to the steps of their columns, so that there are gradients.

        Raises
        ------
        ValueError
            If columns are scaled by a transformer of scikit-learn.

        Examples
        --------
        >>> import torch
        >>> from sklearn.datasets import load_wine
        >>> from sklearn_replearn import AutoencoderTransformer
        >>> encoder = AutoencoderTransformer(latent_dim=2, max_epochs=5).fit(load_wine().data)
        >>> encoder.decoder_module()(torch.zeros(1, 2)).shape
        torch.Size([1, 13])
        """
        return RowDecoder(*self._learned()).eval()

    def to_numbers(self, X: TableLike) -> NDArray[np.float64]:
        """The numbers that the cells of a table become: what :meth:`encoder_module` takes.

        Parameters
        ----------
        X : array-like, frame or sparse matrix of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_features), float64
            A number is itself and true is 1. A date is its ticks since 1970, a duration its ticks,
            in the unit that the column had in fit. A category is the number of its level among
            those of fit, from 1 on, in the order of its dtype or else sorted; 0 is another level.
            A missing cell is NaN.

        Examples
        --------
        >>> import pandas as pd
        >>> from sklearn_replearn import AutoencoderTransformer
        >>> X = pd.DataFrame({"size": [1.5, 2.0, None], "colour": ["red", "blue", "red"]})
        >>> AutoencoderTransformer(latent_dim=2, max_epochs=2).fit(X).to_numbers(X)
        array([[1.5, 2. ],
               [2. , 1. ],
               [nan, 2. ]])
        """
        table = self._table(X)
        return np.array(table[:], dtype=np.float64)

    def _learned(self):
        check_is_fitted(self)
        return self._model, self.network_


class _Rows(nn.Module):
    """What the modules of rows share: a network, and its precision, which a user may change."""

    def __init__(self, network):
        super().__init__()
        self.network = as_expressions(network)
        self.register_buffer("one", torch.ones((), dtype=torch.float32, device="cpu"))

    def coded(self, cells):
        """Codes of scaled cells; where a network is blind to missing ones, they count as 0."""
        if self.network.inputs is None:
            cells = torch.where(cells.isnan(), 0.0, cells)
        return self.network.encode(cells.to(self.one.dtype))


class RowEncoder(_Rows):
    """Rows of numbers to codes: the scaling of fit and the encoder behind it.

    Parameters
    ----------
    model : Model
    network : torch.nn.Module
        The trained one.
    """

    def __init__(self, model, network):
        super().__init__(network)
        self.network._modules.update(decoder=None, likelihood=None, prior=None)
        self.scaled = ScaledCells(model.scaler)

    def forward(self, rows):
        """Return codes, Tensor of shape (n, latent_dim)."""
        return self.coded(self.scaled(rows.flatten(1)))


class RowDecoder(_Rows):
    """Codes to rows of numbers: the decoder, expected cells, and the scaling of fit back.

    Parameters
    ----------
    model : Model
    network : torch.nn.Module
        The trained one.
    """

    def __init__(self, model, network):
        super().__init__(network)
        self.network._modules.update(inputs=None, encoder=None, prior=None)
        self.unscaled = UnscaledCells(model.scaler)
        self.shape = shape_of_rows(model)

    def forward(self, codes):
        """Return rows, Tensor of shape (n, n_features), or of the arrays that fit saw."""
        rows = self.unscaled(self.network.decode(codes.to(self.one.dtype)))
        return rows.unflatten(1, self.shape)


class RowScorer(_Rows):
    """Rows of numbers to minus their mean error, see :meth:`score_samples` of autoencoders.

    Parameters
    ----------
    model : Model
    network : torch.nn.Module
        The trained one.
    """

    def __init__(self, model, network):
        super().__init__(network)
        self.scaled = ScaledCells(model.scaler)
        self.register_buffer("spread", torch.from_numpy(model.scaler.spread.astype(np.float64)))
        numbers = None if not model.scaler.mixed else torch.from_numpy(model.scaler.numbers)
        self.register_buffer("numbers", numbers)

    def forward(self, rows):
        """Return scores, Tensor of shape (n, 1)."""
        cells, seen = self.scaled.both(rows.flatten(1))
        output = self.network.decoded(self.coded(seen))
        likelihood, known = self.network.likelihood, ~cells.isnan()
        errors = ((cells - likelihood.mean(output).to(cells.dtype)) / self.spread).square()
        if self.numbers is not None:
            nats = -likelihood.log_prob(cells.to(output.dtype), output) / self.spread
            errors = torch.where(self.numbers | ~known, errors, nats)
        sums = torch.where(known, errors, 0.0).sum(1, keepdim=True)
        return -sums / known.sum(1, keepdim=True).clamp_min(1)


def shape_of_rows(model):
    """Shape of a decoded row: that of the arrays that fit saw, or the number of columns."""
    row = model.rows.from_table(np.zeros((1, model.plan.n_features)))
    return row.shape[1:] if isinstance(row, np.ndarray) else (model.plan.n_features,)
