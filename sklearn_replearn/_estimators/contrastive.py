"""ContrastiveTransformer: codes learned by comparing views of the rows."""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
import torch
from numpy.typing import ArrayLike
from sklearn.exceptions import ConvergenceWarning
from torch import nn

from .._dataset.labels import class_numbers
from .._dataset.metadata import RowMetadata
from .._dataset.multiset import canonical
from .._dataset.pairing import group_numbers, time_numbers
from .._runtime.following import followed
from .._runtime.isolation import few_threads, isolated
from .._runtime.parameters import Number, Whole
from .._runtime.randomness import new_generator
from .._runtime.sklearn import StrOptions, fit_context
from .._runtime.transaction import in_one_step
from .._runtime.typing import Folder, Seed, TableLike
from ..augmentations._calling import AUGMENTATION, view
from ..metrics import info_nce_bits
from ..modules import Autoencoder
from ..objectives.base import OBJECTIVE, Objective, check_network_of
from ..objectives.decoding import WithDecoder
from ..rows.base import Rows
from .base import RepresentationTransformer
from .code_geometry import check_isometric, isometric_codes
from .code_statistics import collapse, standardize_codes
from .completion import SpreadOfCodes, spread_of_codes
from .names_elsewhere import CONTRASTIVE
from .validation_rows import ValidationRows

_CANDIDATES = 256


class ContrastiveTransformer(RepresentationTransformer):
    """Codes in which two augmented views of a row are alike and other rows differ.

    The code is what the encoder gives; projectors, predictors, targets and queues of the objective
    serve training only. A decoder learns from the codes, so that ``inverse_transform`` works here
    too; for tables the encoder learns to make rows decodable as well (``reconstruction_weight``).
    Codes have mean 0 and standard deviation 1 over the training rows (over 65,536 of them, if there
    are more).

    Parameters
    ----------
    latent_dim : int, default=32
        Number of columns of the code; it may exceed that of the table.
    objective : Objective, default=None
        None is :class:`~sklearn_replearn.objectives.NTXent` (with a temperature of 0.5, 0.2 for
        images and 0.3 for tokens); others are
        :class:`~sklearn_replearn.objectives.BYOL`,
        :class:`~sklearn_replearn.objectives.SimSiam`,
        :class:`~sklearn_replearn.objectives.BarlowTwins`,
        :class:`~sklearn_replearn.objectives.VICReg`,
        :class:`~sklearn_replearn.objectives.DCL` and, with labels,
        :class:`~sklearn_replearn.objectives.SupCon`.
    augmentation : callable or tuple of two callables, default=None
        Makes the views. A tuple has one for each view. None is
        :class:`~sklearn_replearn.augmentations.SwapNoise` with ``p=0.3`` for both; for images
        crops and changes of colour, with flips and turns where images look like others of fit
        afterwards (see :class:`~sklearn_replearn.rows.Images`); for tokens spans with some tokens
        deleted. A callable of your own takes rows and a generator, or rows alone
        as torchvision's and kornia's do.
    n_time_neighbors : int, default=10
        With ``times`` in ``fit``: so many rows before and after are alike.
    reconstruction_weight : float or "auto", default="auto"
        Weight of the decoder's error in what the encoder learns, beside the objective: what views
        have not in common, such as small differences between columns, is lost without it. 0 leaves
        codes to the objective alone, which is all that the loss and early stopping count. "auto" is
        0.3 for tables with the default objective, else 0.
    isometric : bool, default=False
        Whether codes of a table are turned and stretched until their distances are about those of
        rows; see :class:`AutoencoderTransformer`.
    hidden_layer_sizes : int, sequence of int or "auto", default="auto"
        Widths of the encoder's hidden layers; the decoder has them in reverse. () is a linear map.
        "auto" is (256,) for tables and arrays, narrower beyond 32,768 inputs (32 from 262,144 on);
        images and tokens have networks without such layers.
    activation : {"auto", "relu", "gelu", "silu", "elu", "tanh"}, default="auto"
        Between layers. "auto" is "silu", "relu" for images.
    encoder : torch.nn.Module or callable, default=None
        Network to use instead: a module that turns (n, n_features) into (n, latent_dim), or a
        callable that builds one from the two widths ``(n_in, n_out)``. Beside categories and
        missing cells it takes more numbers than there are columns: a callable is told how many.
        Modules are copied. Fits with such parts draw from torch's global generator, seeded and
        restored, in turns.
    decoder : torch.nn.Module or callable, default=None
        The same for the way back, from (n, latent_dim) to (n, n_features), and beside categories to
        more numbers than there are columns.
    rows : Rows, default=None
        What a row is, with all that follows from it (see :mod:`sklearn_replearn.rows`): None is
        :class:`~sklearn_replearn.rows.Table`, whose parameters say which columns are categories and
        how numbers are scaled; :class:`~sklearn_replearn.rows.Images`,
        :class:`~sklearn_replearn.rows.Tokens`, :class:`~sklearn_replearn.rows.Arrays`, or a kind of
        your own.
    max_epochs : int or "auto", default="auto"
        Passes over the rows. "auto" takes as many as give about 1000 updates, at least 5 and at
        most 500, and up to four times as many where cells of a column are often missing.
    batch_size : int, default=256
        Rows in a batch. Batches of an epoch are of nearly equal size.
    lr : float or "auto", default="auto"
        Learning rate. "auto" is 5e-3; 2e-3 for tables with categories, for sparse counts, for
        images and for tokens; and 2e-2 for linear maps (``hidden_layer_sizes=()``).
    lr_schedule : {"cosine"} or None, default="cosine"
        Whether the learning rate rises over the first twentieth of the updates and then falls to
        zero along half a cosine. For others give None here, and ``skorch.callbacks.LRScheduler``
        among the ``callbacks``.
    optimizer : {"adamw", "adam", "sgd"} or callable, default="adamw"
        A class of ``torch.optim``, or what is called like one, such as
        ``functools.partial(torch.optim.AdamW, betas=(0.9, 0.95))``.
    weight_decay : float, default=0.0
        Of the optimizer: added to the gradient in proportion to the weights ("adam", "sgd"), or
        taken from the weights directly ("adamw").
    gradient_clip : float or None, default=None
        Largest norm of the gradient of each part (encoder, decoder, heads).
    early_stopping : bool, default=False
        Whether to hold out rows, to stop when their loss no longer falls, and to keep the weights
        of the best epoch. With ``X_val`` in ``fit`` none are held out, and the loss is of these.
    validation_fraction : float, default=0.1
        Share of the rows held out; used with ``early_stopping`` and without ``X_val`` only.
    n_iter_no_change : int or "auto", default="auto"
        Epochs without improvement by ``tol`` after which training stops, counted from where the
        learning rate and the weight of the KL have risen. "auto" is a fifth of ``max_epochs``, at
        least 10.
    tol : float, default=1e-4
        In units of the loss.
    warm_start : bool, default=False
        Whether ``fit`` goes on from the last fit: its columns, weights and optimizer. The stored
        state then holds the objective's heads and the optimizer's state, too.
    callbacks : list of skorch callbacks, default=None
        Copied before they are used. Fits with callbacks go through skorch's and torch's general
        machinery, as callbacks may look at anything and change it: they take longer, and differ in
        the last bits. Those of scikit-learn, which do not, are given by ``set_callbacks``.
    checkpoint : str or path, default=None
        A folder, made if there is none. Where a fit takes long, the state of its training is
        written there every 30 seconds, at the end of an epoch, and removed when the fit ends well:
        after a crash the same ``fit`` of the same rows goes on from there, to the same model bit by
        bit. One folder does for all fits. Not with ``random_state=None`` or ``callbacks``.
    device : str, default="auto"
        "auto" is the GPU where there is one, else the CPU; otherwise a name such as "cuda:1".
    random_state : int, RandomState instance or None, default=0
        Seed of the one generator that a fit draws from. An int gives the same model each time,
        None another one each time.
    verbose : int, default=0
        1 shows how far the fit is: a bar where there is a terminal or a notebook, else a plain line
        each tenth of the way.

    Attributes
    ----------
    n_features_in_ : int
        Number of columns seen in fit.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the columns, if they all had one that is a string.
    n_iter_ : int
        Epochs trained.
    novelties_ : frame
        What rows had that came after the first fit, by ``partial_fit`` or ``warm_start``: see
        :meth:`partial_fit`.
    history_ : frame
        Of the library that ``set_output`` asks for, or else of fit, pandas for arrays. A row an
        epoch: ``train_loss``, each named term of the objective for training rows and (with
        ``early_stopping`` or ``X_val``) validation rows, and ``seconds``. ``reconstruction`` is the
        error per cell (per count for counts of a sparse matrix); for VAETransformer, minus the
        log-likelihood of the scaled row in nats; for ContrastiveTransformer it is the decoder's and
        not counted in ``train_loss``. ``valid_score`` is the ``score`` of the rows of ``X_val`` in
        each epoch: of what the decoder makes of them, whatever the loss. A stored model keeps at
        most 2000 numbers of the history, evenly spaced, and no seconds.
    loss_curve_ : list of float
        ``history_["train_loss"]``.
    network_ : torch.nn.Module
        A copy of the trained network, on the CPU.

    Warns
    -----
    sklearn.exceptions.ConvergenceWarning
        If the codes collapsed: all rows have nearly the same code.

    See Also
    --------
    AutoencoderTransformer : Learns from reconstruction alone.

    References
    ----------
    Chen et al. (2020), *A simple framework for contrastive learning of visual representations*.
    Bahri et al. (2022), *SCARF: self-supervised contrastive learning using random feature
    corruption*.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from sklearn_replearn import ContrastiveTransformer
    >>> X = load_wine().data
    >>> encoder = ContrastiveTransformer(latent_dim=8, max_epochs=20).fit(X)
    >>> encoder.transform(X).shape
    (178, 8)
    """

    _other_names = CONTRASTIVE

    _parameter_constraints = {
        **RepresentationTransformer._parameter_constraints,
        "objective": [OBJECTIVE, None],
        "augmentation": [AUGMENTATION, tuple, None],
        "n_time_neighbors": [Whole()],
        "reconstruction_weight": [StrOptions({"auto"}), Number(0, closed="left")],
        "isometric": ["boolean"],
    }

    def __init__(
        self,
        latent_dim: int = 32,
        *,
        objective: Objective | None = None,
        augmentation: Callable[..., torch.Tensor]
        | tuple[Callable[..., torch.Tensor], Callable[..., torch.Tensor]]
        | None = None,
        n_time_neighbors: int = 10,
        reconstruction_weight: float | Literal["auto"] = "auto",
        isometric: bool = False,
        hidden_layer_sizes: int | Sequence[int] | Literal["auto"] = "auto",
        activation: Literal["auto", "relu", "gelu", "silu", "elu", "tanh"] = "auto",
        encoder: nn.Module | Callable[[int, int], nn.Module] | None = None,
        decoder: nn.Module | Callable[[int, int], nn.Module] | None = None,
        rows: Rows | None = None,
        max_epochs: int | Literal["auto"] = "auto",
        batch_size: int = 256,
        lr: float | Literal["auto"] = "auto",
        lr_schedule: Literal["cosine"] | None = "cosine",
        optimizer: Literal["adamw", "adam", "sgd"] | Callable[..., Any] = "adamw",
        weight_decay: float = 0.0,
        gradient_clip: float | None = None,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int | Literal["auto"] = "auto",
        tol: float = 1e-4,
        warm_start: bool = False,
        callbacks: Sequence[Any] | None = None,
        checkpoint: Folder | None = None,
        device: str | torch.device = "auto",
        random_state: Seed = 0,
        verbose: int = 0,
    ) -> None:
        self.latent_dim = latent_dim
        self.objective = objective
        self.augmentation = augmentation
        self.n_time_neighbors = n_time_neighbors
        self.reconstruction_weight = reconstruction_weight
        self.isometric = isometric
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.encoder = encoder
        self.decoder = decoder
        self.rows = rows
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.lr = lr
        self.lr_schedule = lr_schedule
        self.optimizer = optimizer
        self.weight_decay = weight_decay
        self.gradient_clip = gradient_clip
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.warm_start = warm_start
        self.callbacks = callbacks
        self.checkpoint = checkpoint
        self.device = device
        self.random_state = random_state
        self.verbose = verbose

    @fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X: TableLike,
        y: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
        groups: ArrayLike | None = None,
        times: ArrayLike | None = None,
        *,
        X_val: TableLike | None = None,
        y_val: ArrayLike | None = None,
        sample_weight_val: ArrayLike | None = None,
        groups_val: ArrayLike | None = None,
        times_val: ArrayLike | None = None,
    ) -> Self:
        """Learn the columns and train the network.

        Parameters
        ----------
        X : array-like, frame or sparse matrix of shape (n_samples, n_features), or in parts
            At least two rows. Columns of frames hold numbers, booleans, dates, strings or
            categories; missing cells are NaN, None, NaT or NA. Others as ``rows`` say. A table that
            memory has no room for is given in parts, without ``y``, ``groups`` and ``times``, see
            :meth:`~sklearn_replearn.AutoencoderTransformer.fit`.
        y : array-like of shape (n_samples,), default=None
            Classes, for objectives that use them
            (:class:`~sklearn_replearn.objectives.SupCon`); -1 where a row has none. Others ignore
            it.
        sample_weight : array-like of shape (n_samples,), default=None
            How often each row counts; weight 2 is the same as the row standing there twice. So
            the sum of the weights matters, up to 65,536: give relative weights a mean of 1.
        groups : array-like of shape (n_samples,), default=None
            Rows of the same group are alike, such as those of one patient: the second view is one
            of another row of the group, drawn at random.
        times : array-like of shape (n_samples,), default=None
            Numbers or dates. Rows that are neighbours in time (and of the same group) are alike:
            the second view is one of the ``n_time_neighbors`` rows before or after.
        X_val : array-like, frame or sparse matrix of shape (n_val, n_features), default=None
            Rows that judge each epoch instead of a share of ``X`` that is held out: all rows of
            ``X`` are then trained on, and ``validation_fraction`` is not used. ``history_`` has
            their loss, whether training stops early or not. Nothing is learned from them but, with
            ``early_stopping``, which epoch is kept. They are read as rows after fit are, those
            beyond the range of fit, too. ``Pipeline(..., transform_input=["X_val"])`` transforms
            them by the steps before.
        y_val, sample_weight_val, groups_val, times_val : array-like of shape (n_val,), default=None
            What stands beside these rows, as ``y``, ``sample_weight``, ``groups`` and ``times``
            beside those of ``X``.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError
            If ``X`` has infinite cells, columns that mix types, fewer than two rows, or columns
            that cannot be scaled; if a parameter does not fit the table; if the loss is not finite;
            if ``y``, ``groups`` or ``times`` has another length than ``X`` or missing values; if
            the objective needs ``y`` and there is none; if ``X_val`` has other columns, or not
            beside it what ``X`` has.
        TypeError
            If ``X`` has cells of a type that no column may have, such as lists.
        KeyboardInterrupt
            If interrupted. After any exception the estimator is as it was before.

        Notes
        -----
        With metadata routing, ``set_fit_request(groups=True, times=True)`` has a pipeline or a
        search pass them on. A search passes ``X_val`` to each of its fits as it is, unless it has
        as many rows as ``X``: scikit-learn then takes of it, as of anything beside the rows, those
        of the fold.

        References
        ----------
        Schneider et al. (2023), *Learnable latent embeddings for joint behavioural and neural
        analysis* (CEBRA): positives from neighbours in time.
        """

        for name, values, others in (("groups", groups, groups_val), ("times", times, times_val)):
            if X_val is not None and (values is None) != (others is None):
                raise ValueError(
                    f"{name} says which rows are alike, and {name}_val which of X_val are: give "
                    "both, or neither."
                )
        validation = ValidationRows.given(
            X_val,
            sample_weight_val,
            self._metadata_of(y_val, groups_val, times_val),
            y_val=y_val,
            groups_val=groups_val,
            times_val=times_val,
        )
        metadata_of = self._metadata_of(y, groups, times)
        beside = {"sample_weight": sample_weight, "groups": groups, "times": times}
        with followed(self, X, y, validation, **beside):
            in_one_step(self, lambda fresh: fresh._fit(X, sample_weight, metadata_of, validation))
        self._warn_of_collapse()
        return self

    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(
        self,
        X: TableLike,
        y: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
        groups: ArrayLike | None = None,
        times: ArrayLike | None = None,
        *,
        columns_from: TableLike | None = None,
    ) -> Self:
        """Train the network once with rows of a stream, and go on from there in the next call.

        As :meth:`AutoencoderTransformer.partial_fit` does, whose documentation says more.

        Parameters
        ----------
        X : array-like, frame or sparse matrix of shape (n_samples, n_features)
            Rows like those of the first call; at least two there, if there is no ``columns_from``.
        y : array-like of shape (n_samples,), default=None
            Classes, for objectives that use them; -1 where a row has none.
        sample_weight : array-like of shape (n_samples,), default=None
            How often each row counts.
        groups, times : array-like of shape (n_samples,), default=None
            Which rows of this call are alike, as in :meth:`fit`.
        columns_from : array-like, frame or sparse matrix, default=None
            In the first call, rows to learn the columns from in place of those of ``X``.

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
        """
        metadata_of = self._metadata_of(y, groups, times)
        beside = {"sample_weight": sample_weight, "groups": groups, "times": times}
        with followed(self, X, y, **beside):
            in_one_step(
                self, lambda fresh: fresh._partial_fit(X, sample_weight, metadata_of, columns_from)
            )
        self._warn_of_collapse()
        return self

    def _warn_of_collapse(self):
        if self._model.extras.collapsed:
            warnings.warn(
                f"The codes collapsed: {self._model.extras.collapsed}. Try another objective "
                "(NTXent and VICReg keep codes apart), a lower lr, a larger batch_size, or a "
                "weaker augmentation.",
                ConvergenceWarning,
                stacklevel=5,  # behind the wrappers of fit
            )

    def _metadata_of(self, y, groups, times):
        """A function from the number of rows to what stands beside them."""

        def metadata_of(n):
            labels = None
            if getattr(self.objective, "uses_labels", False):
                labels = class_numbers(y, n)
                if groups is not None or times is not None:
                    raise ValueError(
                        f"{type(self.objective).__name__} takes from y which rows are alike: leave "
                        "groups and times out, or take another objective."
                    )
            return RowMetadata(
                labels, group_numbers(groups, n), time_numbers(times, n), self.n_time_neighbors
            )

        return metadata_of

    def info_nce_bits(self, X: TableLike) -> float:
        r"""How well a view finds the row it came from, in bits against chance.

        :math:`\log_2 N - \mathrm{InfoNCE} / \ln 2` for N candidates, between views of the rows, in
        the space of the codes: 0 is chance, :math:`\log_2 N` is perfect. It is measured on codes,
        not behind the projector, in groups of about 256 rows whatever the batch size of the
        training, at the temperature that is best for these rows; so it is defined for every
        objective and compares between objectives, batch sizes and values of ``latent_dim``.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            At least two rows. The order of the rows does not matter.

        Returns
        -------
        float
            Bits. The views are drawn from a generator fixed at fit, so the result repeats.

        Raises
        ------
        ValueError
            If there is one row only.

        References
        ----------
        van den Oord et al. (2018), *Representation learning with contrastive predictive coding*.
        """
        table = self._table(X)
        if len(table) < 2:
            raise ValueError(
                "info_nce_bits compares a row with others and needs at least 2 rows; got 1."
            )
        multiset = canonical(table, np.ones(len(table)))
        order = np.random.RandomState(self._model.seed).permutation(multiset.n_draws)
        table = multiset.values(multiset.draws()[order])
        left, right = self._codes_of_views(table)
        return info_nce_bits(left, right, n_candidates=_CANDIDATES)

    def _codes_of_views(self, table):
        """Codes of two views of each row, drawn within groups of rows."""
        inference, model = self._applied(), self._model
        network, device = inference.network, inference.device
        generator = new_generator(model.seed, device)
        views = self._chosen(model.extras.augmentation, model.rows)
        parts = [*model.parts, *self._users_parts(model.rows), *views]
        with (
            isolated(parts, model.seed, device, gradients=False),
            few_threads(inference.n_weights, device),
        ):
            rows = model.scaler.limit(model.scaler.scale(table))
            if network.inputs is None:
                rows = np.nan_to_num(rows)
            rows = torch.as_tensor(rows, dtype=inference.dtype, device=device)
            parts = rows.tensor_split(max(1, round(len(rows) / _CANDIDATES)))
            return [
                torch.cat([network.encode(view(make, part, generator)) for part in parts])
                .double()
                .cpu()
                .numpy()
                for make in self._bound(views, model.rows, model.scaler)
            ]

    _network = Autoencoder
    _sees_scores = True

    def _check(self, rows, scaler):
        if self.isometric:
            check_isometric(rows)

    def _objective_of(self, rows):
        return repr(self._contrast(rows))

    def _objective(self, rows, n_updates):
        weight = self.reconstruction_weight
        if isinstance(weight, str):
            weight = rows.reconstruction_weight if self.objective is None else 0.0
        return WithDecoder(self._contrast(rows), rows.n_decoded, weight)

    def _contrast(self, rows):
        if self.objective is None:
            return rows.objective()
        check_network_of(self.objective, type(self).__name__, posterior=False)
        return self.objective

    def _views(self, rows, scaler):
        return self._bound(self._chosen(self.augmentation, rows), rows, scaler)

    def _users_parts(self, rows):
        views = self._chosen(self.augmentation, rows)
        return [*super()._users_parts(rows), self._contrast(rows), *views]

    def _bound(self, augmentations, rows, scaler):
        """Makers of the two views, of scaled cells."""
        left, right = augmentations
        bound = rows.bound(left, scaler)
        return bound, (bound if right is left else rows.bound(right, scaler))

    def _chosen(self, augmentation, rows):
        if augmentation is None:
            augmentation = rows.augmentation()
        if not isinstance(augmentation, tuple):
            return augmentation, augmentation
        if len(augmentation) != 2 or not all(map(AUGMENTATION.is_satisfied_by, augmentation)):
            raise ValueError(
                "augmentation must be a callable, or a tuple of two callables, one for each "
                f"view; got {augmentation!r}."
            )
        return augmentation

    def _finish(self, network, train_rows, model):
        collapsed = collapse(network, train_rows)
        (isometric_codes if self.isometric else standardize_codes)(network, train_rows)
        spread = spread_of_codes(network, train_rows, model)
        return _Learned(self.augmentation, collapsed, spread)

    @property
    def _spread_of_codes(self):
        return self._model.extras.spread


@dataclass(frozen=True)
class _Learned:
    """The augmentation of fit, how the codes collapsed, or None, and their spread."""

    augmentation: object
    collapsed: str | None
    spread: SpreadOfCodes | None
