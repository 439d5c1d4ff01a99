"""AutoencoderTransformer: plain, denoising and sparse autoencoders."""

from collections.abc import Callable, Sequence
from typing import Any, Literal

import torch
from sklearn.base import clone
from torch import nn

from .._runtime.sklearn import StrOptions
from .._runtime.typing import Folder, Seed
from ..augmentations import Identity
from ..augmentations._calling import AUGMENTATION
from ..augmentations.composition import ToDecode
from ..likelihoods import Bernoulli, Gaussian, Poisson
from ..modules import Autoencoder
from ..objectives import Reconstruction
from ..objectives.sparsity import SPARSITY, Sparsity
from ..rows.base import Rows
from .base import RepresentationTransformer
from .code_geometry import check_isometric, isometric_codes
from .code_statistics import standardize_codes
from .completion import spread_of_codes
from .names_elsewhere import AUTOENCODER


class AutoencoderTransformer(RepresentationTransformer):
    """Codes from which an autoencoder reconstructs the rows.

    Codes have mean 0 and standard deviation 1 over the training rows (over 65,536 of them, if there
    are more; with ``sparsity`` codes are what the sparse layer gives), so that estimators behind
    this one need no scaler.

    Parameters
    ----------
    latent_dim : int, default=32
        Number of columns of the code; it may exceed that of the table.
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
    loss : {"auto", "mse", "bce", "poisson"}, default="auto"
        Squared error, binary cross-entropy for columns within [0, 1], or twice minus the Poisson
        log-likelihood of counts, up to a constant. "auto" is "poisson" for the counts of a sparse
        matrix and else "mse". Categories have a cross-entropy.
    corruption : callable, "auto" or None, default="auto"
        Makes it a denoising autoencoder: an augmentation such as
        :class:`~sklearn_replearn.augmentations.SwapNoise`, applied to the cells that are encoded.
        "auto" is ``SwapNoise(0.3)`` for tables with categories,
        :class:`~sklearn_replearn.augmentations.MaskTokens` for tokens, and none for numbers and
        images.
    sparsity : L1Sparsity, KLSparsity or TopKSparsity, default=None
        Makes it a sparse autoencoder; see :mod:`sklearn_replearn.objectives`.
    isometric : bool, default=False
        Whether codes of a table are turned and stretched until their distances are about those of
        rows, for clusters and neighbours; columns have standard deviation 1 all the same. Linear
        models of few labels do better without: they make more of the small directions then.
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
        each epoch. It is minus ``valid_loss`` where all columns are numbers, none of them scaled by
        its ranks, no cell is missing, and there is neither ``corruption`` nor ``sparsity``;
        otherwise the loss has other units. A stored model keeps at most 2000 numbers of the
        history, evenly spaced, and no seconds.
    loss_curve_ : list of float
        ``history_["train_loss"]``.
    network_ : torch.nn.Module
        A copy of the trained network, on the CPU.

    See Also
    --------
    VAETransformer : Has a likelihood, and samples.
    ContrastiveTransformer : Learns from views instead of from reconstruction.

    References
    ----------
    Hinton and Salakhutdinov (2006), *Reducing the dimensionality of data with neural networks*.
    Vincent et al. (2010), *Stacked denoising autoencoders*.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from sklearn_replearn import AutoencoderTransformer
    >>> X = load_wine().data
    >>> encoder = AutoencoderTransformer(latent_dim=4, max_epochs=20).fit(X)
    >>> encoder.transform(X).shape
    (178, 4)
    >>> encoder.inverse_transform(encoder.transform(X)).shape
    (178, 13)
    """

    _other_names = AUTOENCODER

    _parameter_constraints = {
        **RepresentationTransformer._parameter_constraints,
        "loss": [StrOptions({"auto", "mse", "bce", "poisson"})],
        "corruption": [StrOptions({"auto"}), AUGMENTATION, None],
        "sparsity": [SPARSITY, None],
        "isometric": ["boolean"],
    }

    def __init__(
        self,
        latent_dim: int = 32,
        *,
        hidden_layer_sizes: int | Sequence[int] | Literal["auto"] = "auto",
        activation: Literal["auto", "relu", "gelu", "silu", "elu", "tanh"] = "auto",
        encoder: nn.Module | Callable[[int, int], nn.Module] | None = None,
        decoder: nn.Module | Callable[[int, int], nn.Module] | None = None,
        rows: Rows | None = None,
        loss: Literal["auto", "mse", "bce", "poisson"] = "auto",
        corruption: Literal["auto"] | Callable[..., torch.Tensor] | None = "auto",
        sparsity: Sparsity | None = None,
        isometric: bool = False,
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
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.encoder = encoder
        self.decoder = decoder
        self.rows = rows
        self.loss = loss
        self.corruption = corruption
        self.sparsity = sparsity
        self.isometric = isometric
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

    _network = Autoencoder
    _objective_parameter = "loss"
    _for_counts = 'loss="poisson"'

    def _asked_likelihoods(self, schema):
        likelihood = {"bce": Bernoulli, "poisson": Poisson}.get(self.loss, Gaussian)
        if self.loss == "auto" and schema.sparse is not None:
            likelihood = None
        return [likelihood] * self.n_features_in_

    def _check(self, rows, scaler):
        if self.isometric:
            check_isometric(rows)
            if self.sparsity is not None:
                raise ValueError(
                    "isometric=True turns codes, which are sparse along their own axes only; set "
                    f"it to False, or sparsity to None; got sparsity={self.sparsity!r}."
                )
        if self.loss == "bce":
            scaler.check_unit_interval('loss="bce"', 'loss="mse"')

    def _sparsity(self):
        return None if self.sparsity is None else clone(self.sparsity, safe=False)

    def _objective(self, rows, n_updates):
        return Reconstruction(self.sparsity)

    def _views(self, rows, scaler):
        corruption = self.corruption
        if isinstance(corruption, str):
            corruption = rows.corruption(scaler)
        return rows.bound(corruption or Identity(), scaler), ToDecode()

    def _users_parts(self, rows):
        return [*super()._users_parts(rows), self.corruption, self.sparsity]

    def _finish(self, network, train_rows, model):
        if self.isometric:
            isometric_codes(network, train_rows)
        elif self.sparsity is None:
            standardize_codes(network, train_rows)
        return spread_of_codes(network, train_rows, model)

    @property
    def _spread_of_codes(self):
        return self._model.extras
