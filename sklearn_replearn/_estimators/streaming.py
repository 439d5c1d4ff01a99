"""Fits that go on with each part of a stream."""

from dataclasses import dataclass, replace

from .._dataset.batches import TrainingRows
from .._dataset.kept import joined
from .._dataset.multiset import Multiset
from .._runtime.isolation import isolated, resolve_device
from .._runtime.randomness import draw_integer, draw_seed, new_generator
from .._runtime.transaction import as_it_is
from .._training.history import History
from ..rows import Table
from .fitting import fitted_model, learned_columns
from .model import Model


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

    def after(self, multiset, seed):
        """The stream after some rows."""
        return replace(self, seed=seed, kept=joined(self.kept, multiset))

    def described(self, scaler, device):
        """The rows by which codes are described."""
        return TrainingRows(self.kept, scaler, device)


def streamed(estimator, X, sample_weight, metadata_of, columns_from):
    """An estimator that was trained with these rows once, and what of it ``fit`` would set.

    Parameters
    ----------
    estimator : RepresentationTransformer
    X, sample_weight, columns_from
        As in ``partial_fit``.
    metadata_of : callable or None
        As in :func:`fitted_model`.

    Returns
    -------
    dict
    """
    estimator._check_streamed()
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
        stream = last.stream
        if stream is None:  # it was fitted before
            stream = Stream(draw_integer(new_generator(last.seed)))
    model = fitted_model(once, X, sample_weight, metadata_of, stream=stream)
    return once._attributes(model)


def _with_columns_of(estimator, X, stream):
    """A model that knows the columns of a table and nothing else, and the stream after that."""
    rows = Table() if estimator.rows is None else estimator.rows
    generator = new_generator(stream.seed)
    parts = [*rows.parts(), *estimator._users_parts(rows)]
    seed, device = draw_integer(generator), resolve_device(estimator.device)
    with isolated(parts, seed, device, gradients=False):
        rows, schema, scaler, plan = learned_columns(estimator, rows, X, draw_integer(generator))
    model = Model(rows, schema, scaler, plan, {}, seed, History.empty())
    return model, replace(stream, seed=draw_integer(generator))
