"""Whole networks: what a user keeps after training."""

import torch
from torch import nn

from .._runtime.parameters import validated
from ..losses import gaussian_log_density, mixture_log_density
from .layers import WIDTH

_PARTS = {
    "encoder": [nn.Module],
    "decoder": [nn.Module],
    "likelihood": [nn.Module],
    "latent_dim": WIDTH,
    "inputs": [nn.Module, None],
}
LOG_VARIANCE_RANGE = (-14.0, 14.0)


class Autoencoder(nn.Module):
    """Encoder and decoder, and the axes that codes are reported along.

    ``code`` and ``output`` are what training works with. ``encode`` and ``decode`` are what a user
    sees: codes of mean 0 and standard deviation 1 (once :meth:`report` was called), and rows.

    Parameters
    ----------
    encoder : torch.nn.Module
        What ``inputs`` gives to codes, (n, n_inputs) to (n, latent_dim).
    decoder : torch.nn.Module
        Codes to what the likelihood takes, (n, latent_dim) to (n, n_outputs).
    likelihood : torch.nn.Module
        See :mod:`sklearn_replearn.likelihoods`.
    latent_dim : int
    activation : torch.nn.Module, default=None
        Applied to the code, such as :class:`TopK`.
    inputs : torch.nn.Module, default=None
        Scaled cells to what the encoder takes: :class:`ColumnEncoding`. None takes cells as they
        are.

    Examples
    --------
    >>> import torch
    >>> from sklearn_replearn.likelihoods import Gaussian
    >>> from sklearn_replearn.modules import Autoencoder, linear
    >>> generator = torch.Generator().manual_seed(0)
    >>> network = Autoencoder(
    ...     linear(3, 2, generator), linear(2, 3, generator), Gaussian(3, scale=1.0), latent_dim=2)
    >>> network.decode(network.encode(torch.zeros(4, 3))).shape
    torch.Size([4, 3])
    """

    #: Numbers that the encoder gives for each column of a code.
    numbers_per_code = 1

    @validated({**_PARTS, "activation": [nn.Module, None]})
    def __init__(
        self,
        encoder: nn.Module,
        decoder: nn.Module,
        likelihood: nn.Module,
        latent_dim: int,
        activation: nn.Module | None = None,
        inputs: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.inputs = inputs
        self.encoder = encoder
        self.decoder = decoder
        self.likelihood = likelihood
        self.latent_dim = latent_dim
        self.activation = activation
        self.register_buffer("code_mean", torch.zeros(latent_dim, dtype=torch.float32))
        for name in ("code_axes", "code_inverse"):
            eye = torch.eye(latent_dim, dtype=torch.float32)
            self.register_buffer(name, eye)

    def code(self, rows: torch.Tensor) -> torch.Tensor:
        """Rows to codes as the encoder gives them."""
        code = self.encoder(rows if self.inputs is None else self.inputs(rows))
        return code if self.activation is None else self.activation(code)

    def output(self, code: torch.Tensor) -> torch.Tensor:
        """Codes of :meth:`code` to what the likelihood takes."""
        output, width = self.decoder(code), self.likelihood.n_outputs
        return output if output.shape[1] == width else output[:, :width]

    def encode(self, rows: torch.Tensor) -> torch.Tensor:
        """Rows to codes as they are reported."""
        return (self.code(rows) - self.code_mean) @ self.code_axes

    def decoded(self, codes: torch.Tensor) -> torch.Tensor:
        """Codes as they are reported to what the likelihood takes."""
        return self.output(codes @ self.code_inverse + self.code_mean)

    def decode(self, codes: torch.Tensor) -> torch.Tensor:
        """Codes as they are reported to expected cells."""
        return self.likelihood.mean(self.decoded(codes))

    def report(self, mean: torch.Tensor, axes: torch.Tensor) -> None:
        """Report codes as they are seen from ``mean`` along ``axes``.

        Parameters
        ----------
        mean : Tensor of shape (latent_dim,)
        axes : Tensor of shape (latent_dim, latent_dim)
            Of full rank. Codes, less their mean, are multiplied by it.
        """
        self.code_mean.copy_(mean)
        self.code_axes.copy_(axes)
        self.code_inverse.copy_(torch.linalg.inv(axes.cpu().double()))


class VariationalAutoencoder(nn.Module):
    """An encoder of a Gaussian posterior, a decoder and a likelihood.

    Parameters
    ----------
    encoder : torch.nn.Module
        What ``inputs`` gives to mean and log-variance side by side, (n, n_inputs) to
        (n, 2 * latent_dim).
    decoder : torch.nn.Module
        Codes to what the likelihood takes, (n, latent_dim) to (n, n_outputs).
    likelihood : torch.nn.Module
        See :mod:`sklearn_replearn.likelihoods`.
    latent_dim : int
    inputs : torch.nn.Module, default=None
        Scaled cells to what the encoder takes: :class:`ColumnEncoding`. None takes cells as they
        are.
    prior : torch.nn.Module, default=None
        Of the codes: a module of :mod:`sklearn_replearn.priors`. None is the standard normal.

    Examples
    --------
    >>> import torch
    >>> from sklearn_replearn.likelihoods import Gaussian
    >>> from sklearn_replearn.modules import VariationalAutoencoder, linear
    >>> generator = torch.Generator().manual_seed(0)
    >>> network = VariationalAutoencoder(
    ...     linear(3, 4, generator), linear(2, 3, generator), Gaussian(3), latent_dim=2)
    >>> mean, log_variance = network.posterior(torch.zeros(5, 3))
    >>> mean.shape, log_variance.shape
    (torch.Size([5, 2]), torch.Size([5, 2]))
    """

    #: Numbers that the encoder gives for each column of a code: mean and log-variance.
    numbers_per_code = 2

    @validated({**_PARTS, "prior": [nn.Module, None]})
    def __init__(
        self,
        encoder: nn.Module,
        decoder: nn.Module,
        likelihood: nn.Module,
        latent_dim: int,
        inputs: nn.Module | None = None,
        prior: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.inputs = inputs
        self.encoder = encoder
        self.decoder = decoder
        self.likelihood = likelihood
        self.latent_dim = latent_dim
        self.prior = prior

    def posterior(self, rows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean and log-variance of the code of each row, two Tensors of shape (n, latent_dim)."""
        return self.moments(rows if self.inputs is None else self.inputs(rows))

    def moments(self, inputs: nn.Module | None) -> tuple[torch.Tensor, torch.Tensor]:
        """Those of :meth:`posterior`, from what the encoder takes."""
        mean, log_variance = self.encoder(inputs).chunk(2, dim=1)
        return mean, log_variance.clamp(*LOG_VARIANCE_RANGE)

    def log_prior(self, code: torch.Tensor) -> torch.Tensor:
        """Log-density of codes by the prior, Tensor of shape (n,)."""
        if self.prior is None:
            zeros = torch.zeros_like(code)
            return gaussian_log_density(code, zeros, zeros)
        return mixture_log_density(code, *self.prior.components(self))

    def output(self, code: torch.Tensor) -> torch.Tensor:
        """Codes to what the likelihood takes."""
        output, width = self.decoder(code), self.likelihood.n_outputs
        return output if output.shape[1] == width else output[:, :width]

    def encode(self, rows: torch.Tensor) -> torch.Tensor:
        """Rows to posterior means."""
        return self.posterior(rows)[0]

    def decoded(self, codes: torch.Tensor) -> torch.Tensor:
        """Codes to what the likelihood takes."""
        return self.output(codes)

    def decode(self, codes: torch.Tensor) -> torch.Tensor:
        """Codes to expected cells."""
        return self.likelihood.mean(self.output(codes))
