"""AutoencoderTransformer: plain, denoising and sparse autoencoders."""

from sklearn.base import clone

from .._runtime.sklearn import HasMethods, StrOptions
from ..augmentations import Identity
from ..modules import Autoencoder
from ..objectives import Reconstruction
from .base import RepresentationTransformer
from .code_statistics import standardize_codes
from .documentation import documented


@documented
class AutoencoderTransformer(RepresentationTransformer):
    """Codes from which an autoencoder reconstructs the rows.

    Codes have mean 0 and standard deviation 1 over the training rows (over 65,536 of them, if there
    are more; with ``sparsity`` codes are what the sparse layer gives), so that estimators behind
    this one need no scaler.

    Parameters
    ----------
    latent_dim : int, default=32
        Number of columns of the code; it may exceed that of the table.
    hidden_layer_sizes : int or sequence of int, default=(256,)
        Widths of the encoder's hidden layers; the decoder has them in reverse. () is a linear map.
    activation : {"relu", "gelu", "silu", "elu", "tanh"}, default="silu"
        Between layers.
    encoder, decoder : torch.nn.Module or callable, default=None
        Networks to use instead: modules that turn (n, n_features) into (n, latent_dim) and back, or
        callables that build one from the two widths ``(n_in, n_out)``, which for tables of other
        than numbers are those behind the encoding of categories. Modules are copied. Fits
        with such parts draw from torch's global generator, seeded and restored, one at a time.
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
    {training}

    Attributes
    ----------
    {attributes}

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

    _parameter_constraints = {
        **RepresentationTransformer._parameter_constraints,
        "loss": [StrOptions({"auto", "mse", "bce", "poisson"})],
        "corruption": [callable, StrOptions({"auto"}), None],
        "sparsity": [HasMethods(["activation", "penalties"]), None],
    }

    def __init__(
        self,
        latent_dim=32,
        *,
        hidden_layer_sizes=(256,),
        activation="silu",
        encoder=None,
        decoder=None,
        image_shape=None,
        vocabulary_size=None,
        categorical_features="from_dtype",
        loss="auto",
        corruption="auto",
        sparsity=None,
        scaling="auto",
        max_epochs="auto",
        batch_size=256,
        lr="auto",
        lr_schedule="cosine",
        optimizer="adamw",
        optimizer_params=None,
        weight_decay=0.0,
        gradient_clip=None,
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change="auto",
        tol=1e-4,
        warm_start=False,
        callbacks=None,
        device="auto",
        random_state=0,
        verbose=0,
    ):
        self.latent_dim = latent_dim
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.encoder = encoder
        self.decoder = decoder
        self.image_shape = image_shape
        self.vocabulary_size = vocabulary_size
        self.categorical_features = categorical_features
        self.loss = loss
        self.corruption = corruption
        self.sparsity = sparsity
        self.scaling = scaling
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.lr = lr
        self.lr_schedule = lr_schedule
        self.optimizer = optimizer
        self.optimizer_params = optimizer_params
        self.weight_decay = weight_decay
        self.gradient_clip = gradient_clip
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.warm_start = warm_start
        self.callbacks = callbacks
        self.device = device
        self.random_state = random_state
        self.verbose = verbose

    def _scaling(self):
        scaled = self._domain.within_unit_interval
        if self.scaling == "auto" and self.loss == "bce" and not scaled:
            return None
        return super()._scaling()

    def _likelihoods(self):
        likelihood = {"bce": "bernoulli", "poisson": "poisson"}.get(self.loss, "gaussian")
        if self.loss == "auto" and self._schema.sparse is not None:
            likelihood = "error"
        return [likelihood] * self.n_features_in_

    def _check_columns(self):
        if self.loss == "bce":
            self._columns.check_unit_interval('loss="bce"', 'loss="mse"')

    def _blueprint(self):
        sparsity = None if self.sparsity is None else clone(self.sparsity, safe=False)
        return {**super()._blueprint(), "loss": self.loss, "sparsity": sparsity}

    def _build(self, plan, generator):
        latent, sparsity = plan["latent_dim"], plan["sparsity"]
        encoder, decoder = self._coders(plan, generator)
        inputs, likelihood = self._ends(plan, scale=1.0)
        activation = None if sparsity is None else sparsity.activation(latent)
        return Autoencoder(encoder, decoder, likelihood, latent, activation, inputs)

    def _objective(self, n_updates):
        return Reconstruction(self.sparsity)

    def _views(self):
        corruption = self.corruption
        if isinstance(corruption, str):
            corruption = self._domain.corruption(self._columns)
        left = self._domain.bound(corruption or Identity(), self._columns)
        return left, Identity()

    def _users_parts(self):
        return [*super()._users_parts(), self.corruption, self.sparsity]

    def _finish(self, network, train_rows):
        if self.sparsity is None:
            standardize_codes(network, train_rows)
