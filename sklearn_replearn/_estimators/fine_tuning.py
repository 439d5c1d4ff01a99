"""A fitted transformer trained on with labels."""

import copy

import numpy as np

from .._dataset.metadata import RowMetadata
from .._dataset.multiset import canonical
from .._dataset.sparse import SparseTable
from .._runtime.arrays import to_arrays
from .._runtime.isolation import isolated, resolve_device
from .._runtime.randomness import draw_integer, new_generator
from .._training.train import history_of
from .inference import Prepared, rebuilt


def fine_tuned(transformer, X, labels, sample_weight, objective, frozen):
    """Train a linear head on the codes and, unless it is frozen, the encoder with it.

    Everything about the training is as the transformer's parameters say.

    Parameters
    ----------
    transformer : RepresentationTransformer
        Fitted; it is not changed.
    X : table
        Of rows that have a label.
    labels, sample_weight : ndarray of shape (n_samples,)
    objective : Objective
        Of :mod:`.objectives._supervised`.
    frozen : bool
        Whether the encoder stays as it is.

    Returns
    -------
    transformer : RepresentationTransformer
        With the weights after training.
    weight, bias : ndarray
        Of the head.
    history : History
    """
    table = transformer._table(X)
    if not isinstance(table, SparseTable):
        table = np.ascontiguousarray(table)
    device, metadata = resolve_device(transformer.device), RowMetadata(labels)
    multiset = canonical(table, sample_weight, metadata.as_columns())
    generator = new_generator(transformer._score_seed)
    seed = draw_integer(generator)
    with isolated(transformer._users_parts(), seed, device, gradients=True):
        network = rebuilt(transformer).train().requires_grad_(not frozen)
        trainer = copy.copy(transformer)
        trainer._columns = _as_seen(transformer._columns, blind=network.inputs is None)
        net, _ = trainer._trained(
            network,
            lambda n_updates: objective,
            transformer._views(),
            multiset,
            metadata,
            generator,
            device,
        )
    tuned = copy.copy(transformer)
    if not frozen:
        tuned._arrays, tuned._prepared = to_arrays(network.state_dict()), Prepared()
        tuned._training_state = None  # it is that of the weights before
    head = to_arrays(net.module_.heads.state_dict())
    return tuned, head["weight"], head["bias"], history_of(net)


def _as_seen(columns, blind):
    """Columns whose scaled cells are those that an encoder sees after fit."""
    seen = copy.copy(columns)

    def scale(values):
        cells = columns.limit(columns.scale(values))
        return np.nan_to_num(cells) if blind else cells

    seen.scale = scale
    return seen
