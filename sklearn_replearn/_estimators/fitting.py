"""From rows and parameters to a :class:`Model`."""

import copy
from contextlib import nullcontext
from dataclasses import replace
from numbers import Integral

import torch

from .._dataset.batches import TrainingRows, UnseenRows, n_batches
from .._dataset.splitting import divided
from .._dataset.stored_rows import Scratch
from .._runtime.arrays import to_arrays
from .._runtime.isolation import few_threads, is_foreign, isolated, resolve_device
from .._runtime.memory import fitting_batches
from .._runtime.randomness import draw_integer, draw_seed, new_generator, next_integer
from .._runtime.tasks import current_task
from .._scaling.profile import Profile
from .._tables.agreement import check_same_rows
from .._tables.validation import names_of
from .._training.checkpoints import checkpoint_of, folder_of, remove_checkpoint
from .._training.divergence import loss_not_finite, warn_if_diverged
from .._training.net import LossNotFinite, Training
from .._training.schedule import default_epochs
from .._training.train import history_of, train, training_state
from ..augmentations._calling import hides as hides_cells
from ..likelihoods import Gaussian
from ..likelihoods.base import check_cells
from ..objectives.base import bound_to, checked_heads
from ..priors import check_prior
from ..rows import Table
from .model import Model, NetworkPlan, n_weights, named
from .novelties import novelties_after
from .training_table import training_table
from .warm_start import goes_on, reject_other_plan, reject_other_rows, state_of


def fitted_model(estimator, X, sample_weight, metadata_of=None, validation=None, stream=None):
    """Learn the columns and train the network as the parameters of an estimator say.

    Parameters
    ----------
    estimator : RepresentationTransformer
        Its hooks say what differs between the three. It gets ``n_features_in_`` and, for tables
        with names, ``feature_names_in_``.
    X, sample_weight
        As in ``fit``.
    metadata_of : callable, default=None
        Takes the number of rows and gives their :class:`RowMetadata`.
    validation : ValidationRows, default=None
        None: a share of the rows is held out if the estimator stops early.
    stream : Stream, default=None
        Of which ``X`` is the next part; the fit goes on from the model there is, if there is one.

    Returns
    -------
    Model
    """
    device = resolve_device(estimator.device)
    folder_of(estimator)  # refused before anything is read
    last = estimator._model if stream is not None or goes_on(estimator) else None
    rows = Table() if estimator.rows is None else estimator.rows
    if last is not None:
        reject_other_rows(rows, last)
    with Scratch() as scratch:
        given = training_table(estimator, rows, X, sample_weight, metadata_of, last, scratch)
        if last is None:
            given.schema.warn_of_looks()
        novelties = None if last is None else novelties_after(last, given)
        return _fitted_to(given, estimator, device, last, validation, stream, novelties)


def _fitted_to(given, estimator, device, last, validation, stream, novelties):
    """The model of rows that are read, :class:`TrainingTable`."""
    rows, schema, multiset, metadata = given.rows, given.schema, given.multiset, given.metadata
    check_same_rows("X", multiset, metadata, schema, last)
    seed = draw_seed(estimator.random_state) if stream is None else stream.seed
    generator = new_generator(seed)
    parts = [*rows.parts(), *estimator._users_parts(rows)]
    with isolated(parts, draw_integer(generator), device, gradients=True):
        if last is None:
            scaler, plan = learned(estimator, rows, schema, multiset, draw_integer(generator))
        else:
            schema, scaler = schema.widened(multiset), last.scaler.widened(multiset)
            plan = _plan(estimator, rows, scaler, last.plan.likelihoods)
            reject_other_plan(estimator, plan, last.plan)
        estimator._check(rows, scaler)
        if rows.dense and device.type == "cpu":
            plan.check_memory(min(estimator.batch_size, multiset.n_draws))
        lr = rows.lr(plan, scaler) if estimator.lr == "auto" else estimator.lr
        network = _network(plan, rows, scaler, generator)

        def objective_of(n_updates):
            return estimator._objective(rows, n_updates)

        def fitted(net, train_rows):
            """Attributes as if training had ended now, from a copy of the network."""
            # Nothing is drawn from the generator while the network is trained.
            seed, history = next_integer(generator), _history(net, last)
            unfinished = Model(rows, schema, scaler, plan, {}, seed, history)
            network = copy.deepcopy(net.module_.network)
            return estimator._attributes(_finished(estimator, network, train_rows, unfinished))

        with _stage(estimator._stages()):
            net, train_rows = trained(
                estimator,
                network,
                objective_of,
                estimator._views(rows, scaler),
                scaler,
                lr,
                multiset,
                metadata,
                generator,
                device,
                lambda: (_network(plan, rows, scaler, new_generator(0)), objective_of(0)),
                None if last is None else state_of(last),
                rows.start,
                None if validation is None else validation.read(estimator, rows, schema, scaler),
                fitted,
            )
        seed, history = draw_integer(generator), _history(net, last)
        with few_threads(n_weights(network), device), torch.no_grad():
            # Stored before finishing, which may rescale the codes.
            resumable = training_state(net, estimator) if estimator.warm_start else None
            if stream is not None:
                stream = stream.after(multiset, metadata, draw_integer(generator))
                train_rows = stream.described(scaler, device)
            unfinished = Model(
                rows, schema, scaler, plan, {}, seed, history, None, resumable, stream, novelties
            )
            model = _finished(estimator, network, train_rows, unfinished)
            model = replace(model, extras=estimator._completed(model, train_rows))
        remove_checkpoint(net)
        return model


def _stage(stages):
    """A task of its own, if training the network is not all that fit does."""
    if len(stages) == 1:
        return nullcontext()
    current_task().begins(len(stages))
    return current_task().part(stages[0]).done()


def _history(net, last):
    """That of a net, after that of the fit which it goes on from."""
    history = history_of(net)
    return history if last is None else last.history.followed_by(history)


def _finished(estimator, network, train_rows, unfinished):
    """The model of a trained network, but for what takes long to learn beside it."""
    network.eval()
    with torch.no_grad():
        extras = estimator._finish(network, train_rows, unfinished)
    return replace(unfinished, arrays=to_arrays(network.state_dict()), extras=extras)


def trained(
    estimator,
    network,
    objective_of,
    views,
    scaler,
    lr,
    multiset,
    metadata,
    generator,
    device,
    untrained,
    resumed=None,
    start=None,
    validation=None,
    fitted=None,
):
    """Train a network as the parameters of an estimator say.

    Parameters
    ----------
    objective_of : callable
        Gives the objective, from the number of updates.
    views : tuple of two callables
    scaler : Scaler
    lr : float
    multiset : Multiset
    metadata : RowMetadata or None
    generator : torch.Generator
    device : torch.device
    untrained : callable
        Gives a network and an objective that know nothing.
    resumed : dict, default=None
    start : callable, default=None
        Tells a network of initial weights what it can of the training rows.
    validation : tuple of Multiset and RowMetadata or None, default=None
        Rows that judge the epochs; None: those that are held out, if any.
    fitted : callable, default=None
        Gives the attributes of an estimator that were fitted so far, from the net and the rows.

    Returns
    -------
    net : RepresentationNet
    train_rows : TrainingRows
    """
    watching = []
    if validation is None:
        fraction = estimator.validation_fraction if estimator.early_stopping else 0.0
        units = None if metadata is None else metadata.take(multiset.numbers).units()
        train_rows, validation_rows = (
            None if part is None else TrainingRows(part, scaler, device, metadata)
            for part in divided(multiset, fraction, generator, units)
        )
    else:
        train_rows = TrainingRows(multiset, scaler, device, metadata)
        unseen, beside = validation
        check_same_rows("X_val", unseen, beside)
        validation_rows = UnseenRows(unseen, scaler, network.inputs is None, device, beside)
        if estimator._score_of_epochs is not None:
            watching = [estimator._score_of_epochs(validation_rows, scaler)]
    epochs = estimator.max_epochs
    if epochs == "auto":
        epochs = default_epochs(
            len(train_rows), estimator.batch_size, multiset.least_known(scaler.missing)
        )
    n_updates = epochs * n_batches(len(train_rows), estimator.batch_size)
    if start is not None and resumed is None:
        with few_threads(n_weights(network), device), torch.no_grad():
            start(network, train_rows)
    objective = bound_to(objective_of(n_updates), len(train_rows), n_updates)
    training = Training(
        network,
        checked_heads(objective, network, generator),
        objective,
        views,
        new_generator(draw_integer(generator), device),
        new_generator(draw_integer(generator), device),
    )
    checkpoint = checkpoint_of(estimator, scaler.levels, (multiset, metadata), validation)
    batch_size = min(estimator.batch_size, len(train_rows))
    size = n_weights(training)
    shortage = fitting_batches(batch_size, size, 2 * multiset.width, device)
    with few_threads(size, device), shortage:
        try:
            net = train(
                training,
                train_rows,
                validation_rows,
                estimator,
                lr,
                epochs,
                device,
                resumed,
                watching,
                None if fitted is None else lambda net: fitted(net, train_rows),
                checkpoint,
            )
        except LossNotFinite as problem:
            message = loss_not_finite(problem, scaler, lr, validation is not None)
            raise ValueError(message) from None
        warn_if_diverged(net, train_rows, untrained, lr)
    return net, train_rows


def _network(plan, rows, scaler, generator):
    """A network with initial weights, which knows the columns that were constant."""
    network = plan.build(rows, scaler, generator)
    network.likelihood.set_constant(torch.from_numpy(scaler.idle))
    if plan.prior is not None:
        with named("prior"):
            check_prior(network)
    return network


def learned(estimator, rows, schema, multiset, seed):
    """How columns are scaled, and the plan of the network."""
    names = names_of(estimator)
    profile = Profile(multiset, schema.levels(multiset.width))
    asked = estimator._asked_likelihoods(schema)
    likelihoods = rows.likelihoods(profile, asked, estimator._likelihood_of_binary, names)
    if profile.small_counts and isinstance(rows, Table):
        estimator._warn_of_counts()
    scaler = rows.scaler(profile, multiset, likelihoods, asked, names, seed)
    # A user's encoder is made for the columns there are.
    if estimator._sees_scores and estimator.encoder is None:
        scaler.curves = rows.curves(scaler, multiset)
    return scaler, _plan(estimator, rows, scaler, likelihoods)


def _plan(estimator, rows, scaler, likelihoods):
    scale, for_errors = estimator._scale, estimator._likelihood_of_binary is Gaussian
    hides = any(map(hides_cells, estimator._views(rows, scaler)))
    encoding = rows.encoding(scaler, hides)
    likelihood = rows.likelihood(likelihoods, scaler, scale, for_errors)
    for part, _ in likelihood.parts():
        if is_foreign(part):
            check_cells(part)
    n_features = len(scaler.low)
    n_inputs = n_features if encoding is None else encoding.width
    return NetworkPlan(
        network=estimator._network,
        n_features=n_features,
        n_inputs=n_inputs,
        n_outputs=likelihood.n_outputs,
        latent_dim=estimator.latent_dim,
        hidden=_hidden(estimator, rows, n_inputs),
        activation=rows.activation if estimator.activation == "auto" else estimator.activation,
        plain=scaler.plain and not hides,
        hides=hides,
        encoder=estimator.encoder,
        decoder=estimator.decoder,
        likelihoods=tuple(likelihoods),
        scale=scale,
        for_errors=for_errors,
        sparsity=estimator._sparsity(),
        weighed=estimator._weighed(),
        prior=estimator._prior(),
        objective=estimator._objective_of(rows),
    )


def _hidden(estimator, rows, n_inputs):
    """Widths of the encoder's hidden layers."""
    sizes = estimator.hidden_layer_sizes
    if isinstance(sizes, str):
        return rows.hidden(n_inputs)
    if rows.hidden_layer_sizes is None:
        raise ValueError(
            f"The networks of {type(rows).__name__} have no hidden_layer_sizes: leave it at "
            f'"auto", or give an encoder and a decoder; got {sizes!r}.'
        )
    sizes = [sizes] if isinstance(sizes, Integral) else list(sizes)
    return tuple(int(size) for size in sizes)
