"""VAETransformer: variational autoencoders and β-VAE."""

import math
from numbers import Integral, Real

import numpy as np
import pandas as pd
import torch
from sklearn.utils.validation import check_is_fitted
from torch.nn import functional as F

from ._codes import moments
from ._documentation import documented
from ._inference import rounded
from ._random import draw_integer, draw_seed, new_generator
from ._representation import RepresentationTransformer
from ._sklearn import Interval, StrOptions
from ._tables import check_unit_interval, names_of
from .likelihoods import Bernoulli, Gaussian
from .modules import VariationalAutoencoder
from .objectives import ELBO

_BERNOULLI = 'likelihood="bernoulli"', 'likelihood="gaussian"'


@documented
class VAETransformer(RepresentationTransformer):
    """Codes from a variational autoencoder: posterior means, a likelihood, and samples.

    Parameters
    ----------
    latent_dim : int, default=32
        Number of columns of the code; it may exceed that of the table. Columns that the data do not
        need stay near 0.
    beta : float, default=1.0
        Weight of the divergence from the prior; above 1 a β-VAE.
    likelihood : {"gaussian", "bernoulli"}, default="gaussian"
        Of the cells given a code. "gaussian" for columns of any unit, "bernoulli" for columns
        within [0, 1].
    scale : float or None, default=None
        Standard deviation of the Gaussian in units of the scaled columns. None learns one per
        column (σ-VAE).
    kl_warmup : float, default=0.1
        Share of the updates over which the weight of the divergence rises to ``beta``.
    n_importance_samples : int, default=64
        Draws per row in :meth:`score_samples`, also when changed after fit. More give a tighter
        bound, in proportion to time.
    hidden_layer_sizes : int or sequence of int, default=(256,)
        Widths of the encoder's hidden layers; the decoder has them in reverse. () is a linear map.
    activation : {"relu", "gelu", "silu", "elu", "tanh"}, default="silu"
        Between layers.
    encoder, decoder : torch.nn.Module or callable, default=None
        Networks to use instead: an encoder turns (n, n_features) into (n, 2 * latent_dim), mean and
        log-variance side by side, a decoder turns (n, latent_dim) into (n, n_features); or
        callables that build one from the two widths ``(n_in, n_out)``. Modules are copied. Fits
        with such parts draw from torch's global generator, seeded and restored, one at a time.
    {training}

    Attributes
    ----------
    {attributes}

    See Also
    --------
    AutoencoderTransformer : Without a likelihood.

    References
    ----------
    Kingma and Welling (2014), *Auto-encoding variational Bayes*.
    Higgins et al. (2017), *beta-VAE*.
    Rybkin et al. (2021), *Simple and effective VAE training with calibrated decoders*.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from sklearn_replearn import VAETransformer
    >>> X = load_wine().data
    >>> vae = VAETransformer(latent_dim=4, max_epochs=20).fit(X)
    >>> vae.transform(X).shape
    (178, 4)
    >>> vae.sample(3, random_state=0).shape
    (3, 13)
    """

    _parameter_constraints = {
        **RepresentationTransformer._parameter_constraints,
        "beta": [Interval(Real, 0, None, closed="left")],
        "likelihood": [StrOptions({"gaussian", "bernoulli"})],
        "scale": [Interval(Real, 0, None, closed="neither"), None],
        "kl_warmup": [Interval(Real, 0, 1, closed="both")],
        "n_importance_samples": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self,
        latent_dim=32,
        *,
        beta=1.0,
        likelihood="gaussian",
        scale=None,
        kl_warmup=0.1,
        n_importance_samples=64,
        hidden_layer_sizes=(256,),
        activation="silu",
        encoder=None,
        decoder=None,
        scaling="auto",
        max_epochs="auto",
        batch_size=256,
        lr="auto",
        lr_schedule="cosine",
        optimizer="adamw",
        optimizer_params=None,
        weight_decay=0.0,
        gradient_clip=10.0,
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
        self.beta = beta
        self.likelihood = likelihood
        self.scale = scale
        self.kl_warmup = kl_warmup
        self.n_importance_samples = n_importance_samples
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.encoder = encoder
        self.decoder = decoder
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

    def posterior(self, X):
        """Mean and standard deviation of the code of each row.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        mean, std : ndarray of shape (n_samples, latent_dim)
            In the dtype of :meth:`transform`, whose codes the means are.
        """
        table = self._table(X)

        width = self._n_features_out

        def mean_and_std(network, part):
            mean, log_variance = network.posterior(part.seen)
            return torch.cat([mean[:, :width], (0.5 * log_variance).exp()[:, :width]], dim=1)

        both = self._applied().of_table(mean_and_std, table, 2 * width, table.dtype)
        return both[:, :width].copy(), both[:, width:].copy()

    def score_samples(self, X):
        r"""Lower bound of each row's log-likelihood, in nats, in the original units of ``X``.

        :math:`\log\frac1K\sum_k \frac{p(x|z_k)\,p(z_k)}{q(z_k|x)}` with :math:`z_k` drawn from the
        posterior (Burda et al. 2016), plus the logarithm of the derivative of the scaling. It does
        not depend on ``beta`` and compares with ``score_samples`` of scikit-learn's
        ``FactorAnalysis`` and ``GaussianMixture``; higher is more normal.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,), float64
            The draws are fixed at fit and the same for every row, so the result repeats. A column
            that was constant in fit adds nothing for a row that has its value. With the likelihood
            "bernoulli" it is a log-probability of the scaled columns.
        """
        table = self._table(X)
        if self._plan["likelihood"] == "bernoulli" and self._columns.unscaled:
            low, high = table.min(axis=0), table.max(axis=0)
            check_unit_interval(low, high, low, high, names_of(self), *_BERNOULLI)
        n_draws, latent = self.n_importance_samples, self._n_features_out
        generator = new_generator(self._score_seed)
        shape = (math.ceil(n_draws / 2), latent)
        half = torch.randn(shape, generator=generator, dtype=torch.float64, device="cpu")
        # Pairs of opposite draws: their errors of odd order cancel.
        noise = torch.cat([half, -half])[:n_draws]
        bound = self._applied().of_table(
            lambda network, part: _importance_bound(network, part, noise),
            table,
            1,
            np.float64,
            n_each=n_draws,
        )[:, 0]
        if self._plan["likelihood"] == "gaussian":
            bound += self._columns.log_density_of_scale(table)
        return rounded(bound)

    def sample(self, n_samples=1, random_state=None):
        """Draw rows: codes from the prior, then cells from the likelihood.

        Parameters
        ----------
        n_samples : int, default=1
        random_state : int, RandomState instance or None, default=None
            None draws other rows each time.

        Returns
        -------
        ndarray of shape (n_samples, n_features), float64
            In original units.
        """
        check_is_fitted(self)
        if not isinstance(n_samples, Integral) or n_samples < 1:
            raise ValueError(f"n_samples must be a whole number of at least 1; got {n_samples!r}.")
        generator = new_generator(draw_seed(random_state))
        shape = (n_samples, self._n_features_out)
        codes = torch.randn(shape, generator=generator, dtype=torch.float64, device="cpu").numpy()
        inference = self._applied()
        noise = new_generator(draw_integer(generator), inference.device)

        def drawn(network, codes):
            return network.likelihood.sample(network.output(codes), noise)

        return self._columns.unscale(inference.of_codes(drawn, codes))

    def interpolate(self, x_a, x_b, n_steps=10):
        """Rows decoded along the straight line between the codes of two rows.

        Parameters
        ----------
        x_a, x_b : array-like of shape (n_features,) or (1, n_features)
        n_steps : int, default=10
            Rows returned, at least 2: the first decodes the code of ``x_a``, the last that of
            ``x_b``.

        Returns
        -------
        ndarray of shape (n_steps, n_features), float64
            In original units.
        """
        check_is_fitted(self)
        if not isinstance(n_steps, Integral) or n_steps < 2:
            raise ValueError(f"n_steps must be a whole number of at least 2; got {n_steps!r}.")
        first, last = (self._code_of(x, name) for x, name in ((x_a, "x_a"), (x_b, "x_b")))
        share = np.linspace(0, 1, n_steps)[:, None]
        return self.inverse_transform((1 - share) * first + share * last)

    def _code_of(self, x, name):
        if isinstance(x, pd.Series):
            x = x.to_frame().T
        elif np.ndim(x) == 1:
            x = np.reshape(x, (1, -1))
            names = names_of(self)
            if names is not None and x.shape[1] == len(names):
                x = pd.DataFrame(x, columns=names)
        mean, _ = self.posterior(x)
        if len(mean) != 1:
            raise ValueError(f"{name} must be one row; got {len(mean)} rows.")
        return mean.astype(np.float64)

    _code_parts = 2  # mean and log-variance

    def _scaling(self):
        if self.scaling == "auto" and self.likelihood == "bernoulli":
            return None
        return super()._scaling()

    def _check_columns(self):
        if self.likelihood == "bernoulli":
            self._columns.check_unit_interval(*_BERNOULLI)

    def _blueprint(self):
        return {**super()._blueprint(), "likelihood": self.likelihood, "scale": self.scale}

    def _build(self, plan, generator):
        latent, n = plan["latent_dim"], plan["n_features"]
        encoder, decoder = self._coders(plan, generator)
        gaussian = plan["likelihood"] == "gaussian"
        likelihood = Gaussian(n, plan["scale"]) if gaussian else Bernoulli(n)
        return VariationalAutoencoder(encoder, decoder, likelihood, latent)

    def _objective(self, n_updates):
        return ELBO(self.beta, warmup_steps=math.floor(self.kl_warmup * n_updates))

    def _finish(self, network, train_rows):
        if self.likelihood != "gaussian" or self.scale is not None:
            return
        generator = new_generator(self._score_seed, train_rows.device)

        def squared_error(rows):
            mean, log_variance = network.posterior(rows)
            noise = torch.randn(
                mean.shape, generator=generator, device=rows.device, dtype=rows.dtype
            )
            output = network.output(mean + noise * (0.5 * log_variance).exp())
            return network.likelihood.error(rows, output)

        # Given the weights, the likeliest variance is the mean squared error: no need to wait for
        # gradient steps to get there.
        mean, _ = moments(squared_error, train_rows)
        network.likelihood.set_variance(mean)


def _importance_bound(network, part, noise):
    """Log of the mean importance weight of each row, Tensor of shape (n, 1), float64."""
    rows, seen = part.rows, part.seen
    (n, n_features), (n_draws, latent) = seen.shape, noise.shape
    mean, log_variance = (moment.double() for moment in network.posterior(seen))
    # The network may be wider than the rows and the code: what is not there is zero.
    noise = F.pad(noise, (0, mean.shape[1] - latent)).to(rows.device)
    codes = mean[:, None] + (0.5 * log_variance).exp()[:, None] * noise
    output = network.output(codes.reshape(n * n_draws, -1).to(seen.dtype)).reshape(n, n_draws, -1)
    rows = F.pad(rows, (0, output.shape[2] - n_features, 0, n - len(rows)))
    rows = rows[:, None].expand_as(output)
    log_x = network.likelihood.log_prob(rows, output.double()).sum(2)
    log_prior = -0.5 * codes.square().sum(2)
    log_posterior = -0.5 * (noise.square().sum(1) + log_variance.sum(1, keepdim=True))
    return torch.logsumexp(log_x + log_prior - log_posterior, 1, keepdim=True) - math.log(n_draws)
