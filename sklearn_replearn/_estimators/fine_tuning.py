"""A fitted transformer trained on with labels."""

import copy
from dataclasses import replace

import numpy as np

from .._dataset.metadata import RowMetadata
from .._dataset.multiset import canonical
from .._dataset.sparse import SparseTable
from .._runtime.arrays import to_arrays
from .._runtime.isolation import isolated, resolve_device
from .._runtime.randomness import draw_integer, new_generator
from .._tables.agreement import check_same_rows
from .._training.checkpoints import remove_checkpoint
from .._training.train import history_of
from .fitting import trained
from .inference import Prepared


def fine_tuned(transformer, X, labels, sample_weight, objective, frozen, fitted):
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
        Of :mod:`.objectives.supervised`.
    frozen : bool
        Whether the encoder stays as it is.
    fitted : callable
        Gives attributes of an estimator from what is returned here, but for the history.

    Returns
    -------
    transformer : RepresentationTransformer
        With the weights after training.
    weight, bias : ndarray
        Of the head.
    history : History
    """
    table, model = transformer._table(X), transformer._model
    if not isinstance(table, SparseTable):
        table = np.ascontiguousarray(table)
    device, metadata = resolve_device(transformer.device), RowMetadata(labels)
    multiset = canonical(table, sample_weight, metadata.as_columns())
    check_same_rows("X", multiset, metadata, last=model)
    generator = new_generator(model.seed)
    seed, rows, plan = draw_integer(generator), model.rows, model.plan
    parts = [*rows.parts(), *transformer._users_parts(rows)]

    def tuned(net):
        """The transformer, and weights and bias of the head, after an epoch."""
        tuned = copy.copy(transformer)
        if not frozen:
            # What training would go on from is that of the weights before.
            arrays = to_arrays(net.module_.network.state_dict())
            tuned._model, tuned._prepared = (
                replace(model, arrays=arrays, resumable=None),
                Prepared(),
            )
        head = to_arrays(net.module_.heads.state_dict())
        return tuned, head["weight"], head["bias"]

    with isolated(parts, seed, device, gradients=True):
        network = model.network().train().requires_grad_(not frozen)
        net, _ = trained(
            transformer,
            network,
            lambda n_updates: objective,
            transformer._views(rows, model.scaler),
            _as_seen(model.scaler, blind=network.inputs is None),
            rows.lr(plan, model.scaler) if transformer.lr == "auto" else transformer.lr,
            multiset,
            metadata,
            generator,
            device,
            lambda: (model.network(), objective.guessing()),
            fitted=lambda net, _: fitted(*tuned(net)),
        )
    found = *tuned(net), history_of(net)
    remove_checkpoint(net)
    return found


def _as_seen(scaler, blind):
    """A scaler whose scaled cells are those that an encoder sees after fit."""
    seen = copy.copy(scaler)

    def scale(values):
        cells = scaler.limit(scaler.scale(values))
        return np.nan_to_num(cells) if blind else cells

    seen.scale = scale
    return seen
