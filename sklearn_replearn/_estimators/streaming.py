"""Fits that go on with each part of a stream."""

from dataclasses import dataclass, replace
from typing import Any, Self

from numpy.typing import ArrayLike
from sklearn.utils.validation import check_is_fitted

from .._dataset.batches import TrainingRows
from .._dataset.kept import joined
from .._dataset.multiset import Multiset
from .._dataset.stored_rows import Scratch
from .._runtime.following import followed
from .._runtime.isolation import isolated, resolve_device
from .._runtime.randomness import draw_integer, draw_seed, new_generator
from .._runtime.sklearn import fit_context, output_asked
from .._runtime.transaction import as_it_is, in_one_step
from .._runtime.typing import TableLike
from .._tables.agreement import check_same_rows
from .._tables.readers import as_read
from .._tables.results import as_asked
from .._training.history import History
from ..rows import Table
from .fitting import fitted_model, learned
from .model import Model
from .novelties import Novelties
from .training_table import training_table


@dataclass(frozen=True)
class Stream:
    """What the next call of ``partial_fit`` goes on from, beside the model.

    Attributes
    ----------
    seed : int
        Of the generator of the next call.
    kept : Multiset or None, default=None
        A sample of all rows so far: codes are described by these.
    """

    seed: int
    kept: Multiset | None = None

    def after(self, multiset, metadata, seed):
        """The stream after some rows, and what stands beside them."""
        by_cells = metadata is None or metadata.as_columns() is None
        return replace(self, seed=seed, kept=joined(self.kept, multiset, by_cells))

    def described(self, scaler, device):
        """The rows by which codes are described."""
        return TrainingRows(self.kept, scaler, device)


class TakesStreams:
    """A mixin: transformers that are trained with one part of a stream after the other."""

    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(
        self,
        X: TableLike,
        y: Any = None,
        sample_weight: ArrayLike | None = None,
        *,
        columns_from: TableLike | None = None,
    ) -> Self:
        """Train the network once with rows of a stream, and go on from there in the next call.

        The first call fixes what the columns are, how they are scaled, and the network. Each call
        passes over its rows once, at one learning rate, and goes on with the moments of the
        optimizer: the same calls give the same model, bit by bit. ``max_epochs``, ``lr_schedule``,
        ``early_stopping`` and ``warm_start`` do not count. After :meth:`fit` it goes on with the
        network of that.

        Parameters
        ----------
        X : array-like, frame or sparse matrix of shape (n_samples, n_features)
            Rows like those of the first call; at least two there, if there is no ``columns_from``.
        y : None
            Ignored.
        sample_weight : array-like of shape (n_samples,), default=None
            How often each row counts.
        columns_from : array-like, frame or sparse matrix, default=None
            In the first call, rows to learn the columns from in place of those of ``X``. Nothing
            else is learned from them.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError
            As :meth:`fit`; if the columns are not those of the first call, or ``columns_from``
            comes later; if cells are missing for which the network, made for complete tables of
            numbers, has no input.

        Warns
        -----
        UserWarning
            If a column has levels that the first call had not, or if many of its numbers are beyond
            the range of all before; once for each column.

        Notes
        -----
        What is told of all rows, such as the mean and deviation of codes, follows from up to 8,192
        of them, drawn from all calls so far by their cells and stored with the model. Codes of the
        same row differ between calls. :attr:`novelties_` counts rows with something new.
        """
        with followed(self, X, y, sample_weight=sample_weight):
            in_one_step(
                self, lambda fresh: fresh._partial_fit(X, sample_weight, None, columns_from)
            )
        return self

    def _partial_fit(self, X, sample_weight, metadata_of, columns_from):
        vars(self).update(_streamed(self, X, sample_weight, metadata_of, columns_from))

    @property
    def novelties_(self) -> Any:
        """What rows had that came after the first fit, with ``partial_fit`` or ``warm_start``.

        A frame of the library asked for, or of fit, or pandas: a row for each column that had
        something new, with ``column``, its name; ``rows_unseen``, rows with levels that the first
        fit had not seen, and ``levels``, the first hundred of these; ``rows_beyond``, rows with
        numbers beyond the range of all that had come before.
        """
        check_is_fitted(self)
        model = self._model
        found = model.novelties or Novelties.none(self.n_features_in_, model.scaler.n_rows)
        frame = found.frame(self._column_names())
        return as_asked(frame, model.schema.container, output_asked(self))


def _streamed(estimator, X, sample_weight, metadata_of, columns_from):
    """What of an estimator a fit would set, after one with some more rows, dict.

    Parameters
    ----------
    estimator : RepresentationTransformer
    X, sample_weight, columns_from
        As in ``partial_fit``.
    metadata_of : callable or None
        As in :func:`fitted_model`.
    """
    if len(estimator._stages()) > 1:
        raise ValueError(
            f"density={estimator.density!r} is learned after the network, from all rows at once: "
            'partial_fit has none. Set density="independent", or call fit.'
        )
    once = as_it_is(estimator)
    # One pass at one learning rate: nobody knows how many are to come.
    once.max_epochs, once.lr_schedule, once.early_stopping = 1, None, False
    once.warm_start = True  # so that training can go on
    last = getattr(estimator, "_model", None)
    if last is None:
        once._model, stream = None, Stream(draw_seed(estimator.random_state))
        if columns_from is not None:
            once._model, stream = _with_columns_of(once, columns_from, stream)
    elif columns_from is not None:
        raise ValueError(
            "columns_from says what the columns are before the first rows come, and this "
            f"{type(estimator).__name__} knows them already. Leave it out, or call partial_fit of "
            "an unfitted one: sklearn.base.clone gives such."
        )
    else:
        # One that fit has fitted has no stream yet.
        stream = last.stream or Stream(draw_integer(new_generator(last.seed)))
    model = fitted_model(once, X, sample_weight, metadata_of, stream=stream)
    return once._attributes(model)


def _with_columns_of(estimator, X, stream):
    """A model that knows the columns of a table and nothing else, and the stream after that."""
    rows = Table() if estimator.rows is None else estimator.rows
    generator = new_generator(stream.seed)
    parts = [*rows.parts(), *estimator._users_parts(rows)]
    seed, device = draw_integer(generator), resolve_device(estimator.device)
    with isolated(parts, seed, device, gradients=False), Scratch() as scratch:
        given = training_table(estimator, rows, as_read(X), None, None, None, scratch)
        given.schema.warn_of_looks()
        rows, schema, seed = given.rows, given.schema, draw_integer(generator)
        check_same_rows("columns_from", given.multiset, schema=schema)
        scaler, plan = learned(estimator, rows, schema, given.multiset, seed)
    model = Model(rows, schema, scaler, plan, {}, seed, History.empty())
    return model, replace(stream, seed=draw_integer(generator))
