"""The spine of the three transformers: fit, transform, inverse_transform, scores, state."""

import warnings
from typing import Any, Self

import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_is_fitted

from .._dataset.columns import row_weights
from .._runtime.following import followed
from .._runtime.isolation import OnOneThread, isolated, one_thread
from .._runtime.other_names import Estimator
from .._runtime.parameters import FOLDER, SEED, VERBOSE, WIDEST, Each, Number, Whole
from .._runtime.sklearn import (
    CallbackSupportMixin,
    ClassNamePrefixFeaturesOutMixin,
    StrOptions,
    TransformerMixin,
    fit_context,
    output_asked,
)
from .._runtime.transaction import in_one_step
from .._runtime.typing import TableLike
from .._storage.stored import Stored
from .._tables.given import TakesTables
from .._tables.holes import rows_of, with_holes
from .._tables.names import names_or_numbers
from .._tables.parts import Parts
from .._tables.results import as_asked, results
from .._tables.validation import check_codes, read_table
from .._training.optimizers import OPTIMIZERS
from ..augmentations import Identity
from ..augmentations.composition import ToDecode
from ..likelihoods import Gaussian
from ..modules.layers import ACTIVATIONS
from ..rows.base import KIND_OF_ROWS, table_of
from ..rows.table import input_tags
from .cell_errors import ScoreOfEpochs, cell_errors, minus_means
from .fitting import fitted_model
from .inference import Prepared
from .row_modules import AsModules
from .streaming import TakesStreams
from .validation_rows import ValidationRows

_OF_COLUMNS = "n_features_in_", "feature_names_in_"


class RepresentationTransformer(
    TakesTables,
    TakesStreams,
    OnOneThread,
    AsModules,
    Stored,
    CallbackSupportMixin,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    Estimator,
):
    """What the three transformers share; each states its pieces and stops.

    A transformer says what its network is (``_network``), which likelihood its columns have
    (``_asked_likelihoods``), and which ``_objective`` compares which ``_views`` of the rows. What
    fit has learned is one value, ``_model``.
    """

    _parameter_constraints = {
        "latent_dim": [Whole(1, WIDEST)],
        "hidden_layer_sizes": [
            StrOptions({"auto"}),
            Each(Whole(1, WIDEST)),
            Whole(1, WIDEST),
        ],
        "activation": [StrOptions({"auto", *ACTIVATIONS})],
        "encoder": [callable, None],
        "decoder": [callable, None],
        "rows": [KIND_OF_ROWS, None],
        "max_epochs": [StrOptions({"auto"}), Whole()],
        "batch_size": [Whole(1, 2**63 - 1)],
        "lr": [StrOptions({"auto"}), Number(0)],
        "lr_schedule": [StrOptions({"cosine"}), None],
        "optimizer": [StrOptions(set(OPTIMIZERS)), callable],
        "weight_decay": [Number(0, closed="left")],
        "gradient_clip": [Number(0), None],
        "early_stopping": ["boolean"],
        "validation_fraction": [Number(0, 1)],
        "n_iter_no_change": [StrOptions({"auto"}), Whole()],
        "tol": [Number(0, closed="left")],
        "warm_start": ["boolean"],
        "callbacks": [list, tuple, None],
        "checkpoint": [FOLDER, None],
        "device": [str, torch.device],
        "random_state": SEED,
        "verbose": VERBOSE,
    }

    n_features_in_: int
    feature_names_in_: NDArray[Any]
    n_iter_: int

    _reading_parts = ("fit", "partial_fit", "score")

    # ---------------------------------------------------------------- fit

    @fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X: TableLike,
        y: Any = None,
        sample_weight: ArrayLike | None = None,
        *,
        X_val: TableLike | None = None,
        sample_weight_val: ArrayLike | None = None,
    ) -> Self:
        """Learn the columns and train the network.

        Parameters
        ----------
        X : array-like, frame or sparse matrix of shape (n_samples, n_features), or in parts
            At least two rows. Columns of frames hold numbers, booleans, dates, strings or
            categories; missing cells are NaN, None, NaT or NA. A table that memory has no room for
            is given in parts, which are read twice: as the path of a parquet file or of a folder of
            such, a dataset of pyarrow, a lazy frame of polars, dask or narwhals, or a callable that
            gives an iterator of frames or arrays. The model is that of the same rows in memory.
        y : None
            Ignored.
        sample_weight : array-like of shape (n_samples,), default=None
            How often each row counts; weight 2 is the same as the row standing there twice. So
            the sum of the weights matters, up to 65,536: give relative weights a mean of 1.
        X_val : array-like, frame or sparse matrix of shape (n_val, n_features), default=None
            Rows that judge each epoch instead of a share of ``X`` that is held out: all rows of
            ``X`` are then trained on, and ``validation_fraction`` is not used. ``history_`` has
            their loss, whether training stops early or not. Nothing is learned from them but, with
            ``early_stopping``, which epoch is kept. They are read as rows after fit are, those
            beyond the range of fit, too. ``Pipeline(..., transform_input=["X_val"])`` transforms
            them by the steps before.
        sample_weight_val : array-like of shape (n_val,), default=None
            How often each of these rows counts.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError
            If ``X`` has infinite cells, columns that mix types, fewer than two rows, or columns
            that cannot be scaled; if ``X_val`` has other columns; if a parameter does not fit the
            table; if the loss is not finite.
        TypeError
            If ``X`` has cells of a type that no column may have, such as lists.
        OSError
            If a table in parts has no room on the disk of Python's ``tempfile`` while fit runs.
        KeyboardInterrupt
            If interrupted. After any exception the estimator is as it was before.

        Notes
        -----
        A search passes ``X_val`` to each of its fits as it is, unless it has as many rows as ``X``:
        scikit-learn then takes of it, as of anything beside the rows, those of the fold.
        """
        validation = ValidationRows.given(X_val, sample_weight_val)
        with followed(self, X, y, validation, sample_weight=sample_weight):
            in_one_step(self, lambda fresh: fresh._fit(X, sample_weight, None, validation))
        return self

    def _fit(self, X, sample_weight, metadata_of, validation):
        model = fitted_model(self, X, sample_weight, metadata_of, validation)
        vars(self).update(self._attributes(model))

    def _attributes(self, model):
        """Those of an estimator that has learned a model."""
        seen = {name: vars(self)[name] for name in _OF_COLUMNS if name in vars(self)}
        return {
            **seen,
            "_model": model,
            "_prepared": Prepared(),
            "_n_features_out": self.latent_dim,
            "n_iter_": int(model.history.epochs[-1]),
        }

    # ------------------------------------------------- what transformers may say otherwise

    #: Standard deviation of normal columns in units of the scaled ones; None learns it.
    _scale = None

    #: Whether encoders see normal scores of columns beside their scaled cells.
    _sees_scores = False

    #: Likelihood of columns of 0 and 1; the normal one where only errors count.
    _likelihood_of_binary = Gaussian

    def _asked_likelihoods(self, schema):
        """The class of likelihood asked for, for each column; None leaves it to the column."""
        return [Gaussian] * self.n_features_in_

    #: What a user gives for counts, where that is a parameter; None: they need nothing.
    _for_counts = None

    #: The parameter that says what is minimised; with ``warm_start`` it may not change.
    _objective_parameter = "objective"

    def _objective_of(self, rows):
        """What says what is minimised."""
        return getattr(self, self._objective_parameter)

    def _weighed(self):
        """The text of an objective that stands beside that, or None."""
        return None

    def _prior(self):
        """What the prior of codes is learned by, or None."""
        return None

    def _sparsity(self):
        """What makes codes sparse, or None."""
        return None

    def _views(self, rows, scaler):
        """What makes the objective's left and right view of the rows."""
        return Identity(), ToDecode()

    def _check(self, rows, scaler):
        """Refuse rows and columns that the parameters are not for."""

    def _check_later(self, table, schema, scaler):
        """Refuse a table that comes after fit, or beside it, for what the parameters say."""

    #: What tells the score of rows of ``X_val`` epoch by epoch; None: nothing can.
    _score_of_epochs = ScoreOfEpochs

    def _finish(self, network, train_rows, model):
        """What is learned from the training rows after the weights."""

    def _stages(self):
        """What fit trains, one after the other: the network, and what :meth:`_completed` does."""
        return ("network",)

    def _completed(self, model, train_rows):
        """What was learned after the weights, with what takes long to learn beside them."""
        return model.extras

    #: What numbers are completed by before rows are encoded for imputation; None leaves them be.
    _spread_of_codes = None

    def _users_parts(self, rows):
        """Parts that may come from a user and draw from the global generators."""
        return [self.encoder, self.decoder, self.optimizer, *(self.callbacks or [])]

    def _warn_of_counts(self):
        parameter = self._objective_parameter
        if self._for_counts is not None and getattr(self, parameter) == "auto":
            warnings.warn(
                "Nearly all columns hold small counts, many of them 0, and are taken for normally "
                f"distributed numbers. Give {self._for_counts}; any other {parameter} than the "
                "default says that they are none.",
                UserWarning,
                stacklevel=2,
            )

    # ---------------------------------------------------------------- after fit

    def transform(self, X: TableLike) -> NDArray[Any]:
        """Encode rows.

        Parameters
        ----------
        X : array-like, frame or sparse matrix of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, latent_dim)
            Values beyond the range of a column in fit count on a logarithmic scale, levels that fit
            has not seen as the average of those it has. float32 for float32 rows, else float64;
            they have the precision of float32. On a CPU a row's code does not depend on the rows
            beside it, to the last bit.

        Raises
        ------
        ValueError
            If the columns are not those of fit or hold something else than in fit, or a cell is
            infinite.
        """
        return self._encoded(self._table(X))

    def _encoded(self, table):
        return self._applied().of_table(
            lambda network, part: network.encode(part.seen),
            table,
            self._n_features_out,
            self._dtype_of_codes(table),
        )

    def inverse_transform(self, X: TableLike) -> Any:
        """Decode codes to a table like that of fit.

        Parameters
        ----------
        X : array-like of shape (n_samples, latent_dim)
            Codes as :meth:`transform` returns them.

        Returns
        -------
        ndarray or frame of shape (n_samples, n_features)
            A frame if fit saw one, with its columns and dtypes, and the index of the codes if they
            have one. Numbers are expected values in original units, rounded to the step that the
            cells of fit have in common, such as 1, 0.01 or a day, if they have one; categories are
            the likeliest ones. No cell is missing, but in columns of which fit saw no cell. An
            array is float32 for float32 codes, where its numbers have room in it. For a sparse
            table it is a dense array.

        Raises
        ------
        ValueError
            If the codes are of another width or not finite.
        """
        check_is_fitted(self)
        index = X.index if isinstance(X, pd.DataFrame) else None
        codes = check_codes(X, self._n_features_out, type(self).__name__)
        table = self._decoded(codes, index)
        if isinstance(table, np.ndarray) and table.dtype == np.float64:
            within = self._model.scaler.fits_float32
            return table.astype(codes.dtype if within else np.float64, copy=False)
        return table

    def _decoded(self, codes, index=None):
        schema = self._model.schema
        table = schema.decode(self._decoded_numbers(codes), index)
        return self._model.rows.from_table(table)

    def _decoded_numbers(self, codes):
        """What codes are decoded to, as the numbers that a table is read to."""
        cells = self._applied().of_codes(
            lambda network, codes: network.likelihood.mean(network.decoded(codes).double()), codes
        )
        return self._model.schema.within_reach(self._model.scaler.original(cells))

    def impute(self, X: TableLike) -> Any:
        """Fill missing cells with what is decoded from the code of the cells that are there.

        Missing numbers are first filled with what the others tell of them if codes are normally
        distributed, as encoders learn from rows in which nothing is hidden. VAETransformer, which
        learns the likelihood of the cells that are there, can also draw (multiple imputation). Only
        rows with missing cells are computed.

        Parameters
        ----------
        X : array-like or frame of shape (n_samples, n_features)

        Returns
        -------
        ndarray or frame of shape (n_samples, n_features)
            Like ``X``; cells that are there are not changed. Numbers are expected values, within
            the range of fit and with as many decimals; categories the likeliest ones.
        """
        table = self._table(X)
        which = with_holes(table)
        return self._filled(X, table, self._expected_values(rows_of(table, which)), which)

    def _expected_values(self, table):
        """What cells are expected to be, in original units and within the range of fit."""
        scaler = self._model.scaler
        return scaler.original(scaler.inside(self._expected_cells(table)))

    def _expected_cells(self, table):
        """Scaled cells decoded from the code of each row, ndarray of shape of the table."""

        spread, inference = self._spread_of_codes, self._applied()
        completion = None
        if spread is not None and len(table):
            completion = spread.completion(inference, self._model.seed)

        def decoded(network, part):
            part = part if completion is None else part.completed(completion)
            return network.likelihood.mean(network.decoded(network.encode(part.seen)).double())

        return inference.of_table(decoded, table, self.n_features_in_, np.float64)

    def _filled(self, X, table, values, which):
        """A table whose missing cells are filled, from values of the rows that have some."""
        X = table_of(self._model.rows, X)
        values = self._model.schema.within_range(values)
        filled = self._model.schema.filled(X, table, values, which)
        return self._model.rows.from_table(filled)

    def reconstruction_error(self, X: TableLike) -> Any:
        """Error of decoding each row's code, cell by cell, in units of the column.

        Parameters
        ----------
        X : array-like, frame or sparse matrix of shape (n_samples, n_features)

        Returns
        -------
        ndarray or frame of shape (n_samples, n_features), float64
            In the container that ``set_output`` asks for, or else that fit saw: frames have the
            names of the columns. For numbers the squared difference between a cell and what is
            decoded, in units of the variance that the scaled column had in fit. For categories
            minus the log-probability of the level, in units of the entropy that the column had in
            fit. So 1 is what guessing from the column alone would cost on average. Missing cells
            are NaN.
        """
        table = self._table(X)
        errors = self._applied().of_table(self._errors, table, self.n_features_in_, np.float64)
        return self._told(errors, self._column_names(), X)

    def score_samples(self, X: TableLike) -> NDArray[np.float64]:
        """Minus the reconstruction error of each row; higher is more normal.

        Parameters
        ----------
        X : array-like, frame or sparse matrix of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,), float64
            Minus the mean of :meth:`reconstruction_error` over the cells that are there: 0 is
            perfect, -1 is as far as the mean of the training rows is from a typical one.
        """
        table = self._table(X)

        def score(network, part):
            return torch.from_numpy(minus_means(self._errors(network, part).cpu().numpy()))

        return self._applied().of_table(score, table, 1, np.float64)[:, 0]

    def score(self, X: TableLike, y: Any = None, sample_weight: ArrayLike | None = None) -> float:
        """Mean of :meth:`score_samples`.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : None
            Ignored.
        sample_weight : array-like of shape (n_samples,), default=None
            How much each row counts.

        Returns
        -------
        float
        """
        scores = self.score_samples(X)
        if isinstance(scores, Parts):
            scores = scores.collect()
        weights = None if sample_weight is None else row_weights(sample_weight, scores)
        return float(np.average(scores, weights=weights))

    def _errors(self, network, part):
        return cell_errors(network, self._model.scaler, part.rows, part.seen)

    def _dtype_of_codes(self, table):
        """That of the table, but for tables of other than numbers."""
        return np.float64 if self._model.scaler.mixed else table.dtype

    def _table(self, X):
        """A table that comes after fit, validated."""
        if not self.__sklearn_is_fitted__():
            check_is_fitted(self)  # says what is missing; to ask it each time would take longer
        model = self._model
        table, _ = read_table(self, table_of(model.rows, X), schema=model.schema)
        model.rows.check(table, model.schema)
        model.scaler.check_counts(table)
        return table

    def _applied(self):
        """The network ready for inference on the device asked for now, made when first needed."""
        return self._prepared.of(self._model, self.device)

    @property
    def network_(self) -> Any:
        """A copy of the trained network, float32, on the CPU, in evaluation mode."""
        check_is_fitted(self)
        with one_thread(), isolated(self._model.parts, 0, torch.device("cpu"), gradients=True):
            return self._model.network()

    def _column_names(self):
        """Names of the columns of the table."""
        return names_or_numbers(self._model.schema.names, self.n_features_in_)

    def _told(self, values, names, X, tell=results):
        """Numbers about rows, in the container that is asked for or that fit saw."""
        return tell(values, names, X, self._model.schema.container, output_asked(self))

    @property
    def history_(self) -> Any:
        """Frame with a row an epoch, of the library asked for, or of fit, or pandas."""
        check_is_fitted(self)
        frame, container = self._model.history.frame(), self._model.schema.container
        return as_asked(frame, container, output_asked(self))

    @property
    def loss_curve_(self) -> list[float]:
        """Training loss of each epoch, list of float."""
        check_is_fitted(self)
        return self._model.history.frame()["train_loss"].tolist()

    # ---------------------------------------------------------------- state

    def __sklearn_is_fitted__(self):
        return hasattr(self, "_model")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        tags.input_tags = input_tags(self.rows)
        return tags

    _made_when_needed = ("_prepared",)

    def _restore(self, state):
        super()._restore(state)
        if "_model" in state:
            self._prepared = Prepared()

    def _check_stored(self):
        if self.__sklearn_is_fitted__():
            # In numbers: the library of the frames of fit need not be here.
            self._encoded(self._decoded_numbers(np.zeros((1, self._n_features_out))))
