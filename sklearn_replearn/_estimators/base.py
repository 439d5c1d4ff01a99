"""The spine of the three transformers: fit, transform, inverse_transform, scores, state."""

from numbers import Integral, Real

import numpy as np
import pandas as pd
import torch
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from .._dataset.batches import TrainingRows, n_batches
from .._dataset.multiset import canonical
from .._dataset.sparse import SparseTable
from .._dataset.splitting import divided
from .._runtime.arrays import to_arrays
from .._runtime.isolation import few_threads, isolated, resolve_device
from .._runtime.randomness import draw_integer, draw_seed, new_generator
from .._runtime.sklearn import Interval, StrOptions, check_sample_weight, fit_context, safe_indexing
from .._runtime.transaction import in_one_step
from .._scaling.scaler import SCALING_CONSTRAINT
from .._tables.names import name_columns, names_of
from .._tables.validation import check_codes, check_table
from .._training.net import LossNotFinite, Training
from .._training.optimizers import NAMES as OPTIMIZERS
from .._training.schedule import default_epochs
from .._training.train import history_of, train, training_state
from ..augmentations import Identity
from ..modules.layers import ACTIVATIONS
from ..rows.domains import domain_of
from .inference import Prepared, rebuilt


class RepresentationTransformer(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """What the three transformers share; each states its pieces and stops.

    A transformer says what its network is made of (``_blueprint``), how one is built from that
    (``_build``), and which ``_objective`` compares which ``_views`` of the rows.
    """

    _parameter_constraints = {
        "latent_dim": [Interval(Integral, 1, None, closed="left")],
        "hidden_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left")],
        "activation": [StrOptions(set(ACTIVATIONS))],
        "encoder": [callable, None],
        "decoder": [callable, None],
        "image_shape": [tuple, list, None],
        "vocabulary_size": [Interval(Integral, 2, None, closed="left"), None],
        "categorical_features": [StrOptions({"from_dtype"}), "array-like", None],
        "scaling": SCALING_CONSTRAINT,
        "max_epochs": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "lr": [StrOptions({"auto"}), Interval(Real, 0, None, closed="neither")],
        "lr_schedule": [StrOptions({"cosine"}), None],
        "optimizer": [StrOptions(OPTIMIZERS), callable],
        "optimizer_params": [dict, None],
        "weight_decay": [Interval(Real, 0, None, closed="left")],
        "gradient_clip": [Interval(Real, 0, None, closed="neither"), None],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "n_iter_no_change": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "warm_start": ["boolean"],
        "callbacks": [list, tuple, None],
        "device": [str, torch.device],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    # ---------------------------------------------------------------- fit

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None, sample_weight=None):
        """Learn the columns and train the network.

        Parameters
        ----------
        X : array-like, frame or sparse matrix of shape (n_samples, n_features)
            At least two rows. Columns of frames hold numbers, booleans, dates, strings or
            categories; missing cells are NaN, None, NaT or NA.
        y : None
            Ignored.
        sample_weight : array-like of shape (n_samples,), default=None
            How often each row counts; weight 2 is the same as the row standing there twice. So
            the sum of the weights matters, up to 65,536: give relative weights a mean of 1.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError
            If ``X`` has infinite cells, columns that mix types, fewer than two rows, or columns
            that cannot be scaled; if a parameter does not fit the table; if the loss is not finite.
        TypeError
            If ``X`` has cells of a type that no column may have, such as lists.
        KeyboardInterrupt
            If interrupted. After any exception the estimator is as it was before.
        """
        in_one_step(self, lambda fresh: fresh._fit(X, sample_weight))
        return self

    def _fit(self, X, sample_weight, metadata_of=None):
        """Fit; ``metadata_of(n_samples)`` gives the :class:`RowMetadata` of the rows."""
        self._check_parameters()
        device = resolve_device(self.device)
        domain = domain_of(self.image_shape, self.vocabulary_size)
        resumed = self._resumed(domain)
        self._described = domain.described(X)
        X = domain.as_table(X)
        table = check_table(self, X, reset=resumed is None)
        domain.check(table, self._schema)
        weights = check_sample_weight(
            sample_weight, table, dtype=np.float64, ensure_non_negative=True
        )
        if not weights.any():
            raise ValueError("sample_weight is zero for every row: nothing is left to learn from.")
        metadata = None if metadata_of is None else metadata_of(len(table)).of_counting(weights > 0)
        if resumed is None and self._schema.kinds is not None and not weights.all():
            # A level of rows that count nothing has not been seen.
            metadata = None if metadata is None else metadata.take(np.flatnonzero(weights))
            table, weights = _learned_anew(self, X, weights)
        if not isinstance(table, SparseTable):
            # Training takes rows one by one: each must lie together in memory.
            table = np.ascontiguousarray(table)
        multiset = canonical(table, weights, None if metadata is None else metadata.as_columns())
        if multiset.n_draws < 2:
            raise ValueError("sample_weight leaves one row; at least 2 are needed to learn from.")
        generator = new_generator(draw_seed(self.random_state))
        seed, parts = draw_integer(generator), self._users_parts()
        with isolated(parts, seed, device, gradients=True):
            if resumed is None:
                seed = draw_integer(generator)
                self._columns = domain.columns(
                    self._scaling(),
                    multiset,
                    names_of(self),
                    seed,
                    self._likelihoods(),
                    self._schema,
                )
            else:
                self._columns = self._columns.widened(multiset)
            self._check_columns()
            self._train(multiset, metadata, generator, device, resumed)

    def _train(self, multiset, metadata, generator, device, resumed):
        if resumed is None:
            self._plan = self._blueprint()
        network = self._build(self._plan, generator)
        network.likelihood.set_constant(torch.from_numpy(self._columns.idle))
        net, train_rows = self._trained(
            network, self._objective, self._views(), multiset, metadata, generator, device, resumed
        )
        self._score_seed = draw_integer(generator)
        with few_threads(_n_weights(network), device), torch.no_grad():
            # Stored before finishing, which may rescale the codes.
            self._training_state = training_state(net, self) if self.warm_start else None
            network.eval()
            self._finish(network, train_rows)
        self._arrays = to_arrays(network.state_dict())
        self._prepared = Prepared()
        self._n_features_out = self.latent_dim
        history = history_of(net)
        self._history = history if resumed is None else self._history.followed_by(history)
        self.n_iter_ = int(self._history.epochs[-1])

    def _trained(
        self, network, objective_of, views, multiset, metadata, generator, device, resumed=None
    ):
        """Train a network as the parameters say; returns the net and the training rows.

        ``objective_of(n_updates)`` gives the objective.
        """
        fraction = self.validation_fraction if self.early_stopping else 0.0
        units = None if metadata is None else metadata.take(multiset.numbers).units()
        train_rows, validation_rows = (
            None if part is None else TrainingRows(part, self._columns, device, metadata)
            for part in divided(multiset, fraction, generator, units)
        )
        epochs = self.max_epochs
        if epochs == "auto":
            epochs = default_epochs(len(train_rows), self.batch_size)
        objective = objective_of(epochs * n_batches(len(train_rows), self.batch_size))
        training = Training(
            network,
            objective.heads(network, generator),
            objective,
            views,
            new_generator(draw_integer(generator), device),
            new_generator(draw_integer(generator), device),
        )
        lr = self.lr if self.lr != "auto" else self._domain.lr(self._plan, self._columns)
        with few_threads(_n_weights(training), device):
            try:
                net = train(
                    training, train_rows, validation_rows, self, lr, epochs, device, resumed
                )
            except LossNotFinite as problem:
                raise ValueError(self._loss_not_finite(problem.epoch)) from None
        return net, train_rows

    def _check_parameters(self):
        """Refuse values that have the right type and cannot work."""
        for name, value in self.get_params(deep=False).items():
            if isinstance(value, type) and name not in ("encoder", "decoder", "optimizer"):
                raise ValueError(
                    f"{name} must be an instance, such as {value.__name__}(); got the class."
                )
        if "lr" in (self.optimizer_params or {}):
            raise ValueError('optimizer_params has "lr"; give it as the parameter lr instead.')

    def _resumed(self, domain):
        """The state of training to go on from, or None for a fresh start."""
        if not self.warm_start or getattr(self, "_training_state", None) is None:
            return None
        if domain != self._domain:
            raise ValueError(
                "warm_start goes on with the network of the last fit, but image_shape or "
                "vocabulary_size changed since. Set warm_start=False for a new network."
            )
        changed = [
            name
            for name, value in self._blueprint().items()
            if not _same(self._plan.get(name), value)
        ]
        if changed:
            raise ValueError(
                f"warm_start goes on with the network of the last fit, but "
                f"{', '.join(changed)} changed since. Set warm_start=False for a new network."
            )
        return self._training_state

    def _loss_not_finite(self, epoch):
        largest = np.maximum(np.abs(self._columns.low), np.abs(self._columns.high))
        extreme = np.argsort(-largest, kind="stable")[:3]
        which = name_columns(names_of(self), extreme)
        return (
            f"The loss became NaN or infinite in epoch {epoch}. The most extreme scaled values, up "
            f'to {largest.max():.3g}, are in {which}. Use scaling="quantile" or '
            f'"robust", lower lr (now {self.lr!r}), or set gradient_clip=1.0.'
        )

    # ------------------------------------------------- what transformers may say otherwise

    def _views(self):
        """What makes the objective's left and right view of the rows."""
        return Identity(), Identity()

    def _scaling(self):
        return self.scaling

    def _likelihoods(self):
        """The likelihood asked for, for each column."""
        return ["gaussian"] * self.n_features_in_

    def _check_columns(self):
        """Refuse columns that the objective cannot take."""

    def _finish(self, network, train_rows):
        """What is learned from the training rows after the weights."""

    def _users_parts(self):
        """Parts that may come from a user and draw from the global generators."""
        return [self.encoder, self.decoder, self.scaling, self.optimizer, *(self.callbacks or [])]

    def _hidden(self):
        sizes = self.hidden_layer_sizes
        sizes = [sizes] if isinstance(sizes, Integral) else list(sizes)
        if not all(isinstance(size, Integral) and size >= 1 for size in sizes):
            raise ValueError(
                "hidden_layer_sizes must be whole numbers of at least 1, such as (256,) or "
                f"(256, 64), or () for a linear map; got {self.hidden_layer_sizes!r}."
            )
        return tuple(int(size) for size in sizes)

    #: How many numbers an encoder gives for each column of the code.
    _code_parts = 1

    def _coders(self, plan, generator):
        """Encoder and decoder from a blueprint."""
        width = self._code_parts * plan["latent_dim"]
        encoder = self._domain.encoder(plan, width, self._columns, generator)
        return encoder, self._domain.decoder(plan, generator)

    @property
    def _domain(self):
        """What rows are, as in fit."""
        return domain_of(*self._described)

    def _ends(self, plan, scale):
        """Inputs and likelihood for the columns of fit."""
        return self._domain.ends(self._columns, scale, plan["hides"])

    def _blueprint(self):
        hides = any(getattr(part, "hides", False) for part in self._users_parts())
        inputs, likelihood = self._domain.ends(self._columns, None, hides)
        return {
            "n_features": self.n_features_in_,
            "n_inputs": self.n_features_in_ if inputs is None else inputs.width,
            "n_outputs": likelihood.n_outputs,
            "latent_dim": self.latent_dim,
            "hidden": self._hidden(),
            "hides": hides,
            "activation": self.activation,
            "encoder": self.encoder,
            "decoder": self.decoder,
        }

    # ---------------------------------------------------------------- after fit

    def transform(self, X):
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
        table = self._table(X)
        return self._applied().of_table(
            lambda network, part: network.encode(part.seen),
            table,
            self._n_features_out,
            self._dtype_of_codes(table),
        )

    def inverse_transform(self, X):
        """Decode codes to a table like that of fit.

        Parameters
        ----------
        X : array-like of shape (n_samples, latent_dim)
            Codes as :meth:`transform` returns them.

        Returns
        -------
        ndarray or frame of shape (n_samples, n_features)
            A frame if fit saw one, with its columns and dtypes, and the index of the codes if they
            have one. Numbers are expected values in original units, rounded where the column is of
            whole numbers; categories are the likeliest ones. No cell is missing, but in columns of
            which fit saw no cell. An array is float32 for float32 codes. For a sparse table it is a
            dense array.

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
            return table.astype(codes.dtype, copy=False)
        return table

    def _decoded(self, codes, index=None):
        cells = self._applied().of_codes(
            lambda network, codes: network.likelihood.mean(network.decoded(codes).double()), codes
        )
        table = self._schema.decode(self._columns.unscale(cells), index)
        return self._domain.given_back(table)

    def impute(self, X):
        """Fill missing cells with what is decoded from the code of the cells that are there.

        Parameters
        ----------
        X : array-like or frame of shape (n_samples, n_features)

        Returns
        -------
        ndarray or frame of shape (n_samples, n_features)
            Like ``X``; cells that are there are not changed. Numbers are expected values,
            categories the likeliest ones.
        """
        table = self._table(X)
        return self._filled(X, table, self._expected_cells(table))

    def _expected_cells(self, table):
        """Scaled cells decoded from the code of each row, ndarray of shape of the table."""

        def decoded(network, part):
            return network.likelihood.mean(network.decoded(network.encode(part.seen)).double())

        return self._applied().of_table(decoded, table, self.n_features_in_, np.float64)

    def _filled(self, X, table, cells):
        X = self._domain.as_table(X)
        filled = self._schema.filled(X, table, self._columns.unscale(cells))
        return self._domain.given_back(filled)

    def reconstruction_error(self, X):
        """Error of decoding each row's code, cell by cell, in units of the column.

        Parameters
        ----------
        X : array-like, frame or sparse matrix of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_features), float64
            For numbers the squared difference between a cell and what is decoded, in units of the
            variance that the scaled column had in fit. For categories minus the log-probability of
            the level, in units of the entropy that the column had in fit. So 1 is what guessing
            from the column alone would cost on average. Missing cells are NaN.
        """
        table = self._table(X)
        return self._applied().of_table(self._errors, table, self.n_features_in_, np.float64)

    def score_samples(self, X):
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
            errors = self._errors(network, part).cpu().numpy()
            known = ~np.isnan(errors)
            if known.all():
                return torch.from_numpy(-errors.mean(axis=1, keepdims=True))
            sums = np.where(known, errors, 0.0).sum(axis=1, keepdims=True)
            return torch.from_numpy(-sums / np.maximum(known.sum(axis=1, keepdims=True), 1))

        return self._applied().of_table(score, table, 1, np.float64)[:, 0]

    def score(self, X, y=None):
        """Mean of :meth:`score_samples`.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : None
            Ignored.

        Returns
        -------
        float
        """
        return float(np.mean(self.score_samples(X)))

    def _errors(self, network, part):
        columns, cells = self._columns, part.rows
        output = network.decoded(network.encode(part.seen))[: len(cells)].double()
        spread = torch.tensor(columns.spread, dtype=cells.dtype, device=cells.device)
        squares = (cells - network.likelihood.mean(output)).div_(spread).square_()
        if not columns.mixed:
            return squares
        numbers = torch.from_numpy(columns.numbers).to(cells.device)
        nats = -network.likelihood.log_prob(cells, output) / spread
        return torch.where(numbers | cells.isnan(), squares, nats)

    def _dtype_of_codes(self, table):
        """That of the table, but for tables of other than numbers."""
        return np.float64 if self._columns.mixed else table.dtype

    def _table(self, X):
        """A table that comes after fit, validated."""
        if not self.__sklearn_is_fitted__():
            check_is_fitted(self)  # says what is missing; to ask it each time would take longer
        table = check_table(self, self._domain.as_table(X), reset=False)
        self._domain.check(table, self._schema)
        self._columns.check_counts(table)
        return table

    def _applied(self):
        """The network ready for inference."""
        return self._prepared.of(self)

    @property
    def network_(self):
        """A copy of the trained network, float32, on the CPU, in evaluation mode."""
        check_is_fitted(self)
        parts = [self._plan["encoder"], self._plan["decoder"]]
        with isolated(parts, 0, torch.device("cpu"), gradients=True):
            return rebuilt(self)

    @property
    def history_(self):
        """DataFrame with a row an epoch."""
        check_is_fitted(self)
        return self._history.frame()

    @property
    def loss_curve_(self):
        """Training loss of each epoch, list of float."""
        return self.history_["train_loss"].tolist()

    # ---------------------------------------------------------------- state

    def __sklearn_is_fitted__(self):
        return hasattr(self, "_arrays")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        tags.input_tags.allow_nan = True
        tags.input_tags.sparse = True
        return tags

    def __getstate__(self):
        state = dict(super().__getstate__())
        state.pop("_prepared", None)
        return state

    def __setstate__(self, state):
        super().__setstate__(state)
        if "_arrays" in state:
            self._prepared = Prepared()


def _n_weights(module):
    return sum(weight.numel() for weight in module.parameters())


def _learned_anew(estimator, X, weights):
    """The table of the rows that count, and their weights."""
    rows = np.flatnonzero(weights)
    table = check_table(estimator, safe_indexing(X, rows), reset=True)
    return table, weights[rows]


def _same(a, b):
    """Whether two parts of a blueprint say the same; small objects by their parameters."""
    if a is b:
        return True
    if hasattr(a, "get_params") and type(a) is type(b):
        return a.get_params() == b.get_params()
    return type(a) is type(b) and a == b
