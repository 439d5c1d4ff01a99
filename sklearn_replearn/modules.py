"""Small networks, with weights drawn from the generator they are given."""

import copy
import math
from itertools import pairwise

import torch
from torch import nn

ACTIVATIONS = {
    "relu": nn.ReLU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "elu": nn.ELU,
    "tanh": nn.Tanh,
}
_LOG_VARIANCE_RANGE = (-14.0, 14.0)


def linear(n_in, n_out, generator):
    """A linear layer with torch's usual initial weights, drawn from ``generator``.

    Parameters
    ----------
    n_in, n_out : int
    generator : torch.Generator, on the CPU

    Returns
    -------
    torch.nn.Linear

    Examples
    --------
    >>> import torch
    >>> from sklearn_replearn.modules import linear
    >>> linear(3, 2, torch.Generator().manual_seed(0))
    Linear(in_features=3, out_features=2, bias=True)
    """
    bound = 1 / math.sqrt(n_in)
    # Without its __init__, which draws from the global generator. torch's skip_init does that too,
    # and imports a computer algebra system for it.
    layer = nn.Linear.__new__(nn.Linear)
    nn.Module.__init__(layer)
    layer.in_features, layer.out_features = n_in, n_out
    for name, shape in (("weight", (n_out, n_in)), ("bias", (n_out,))):
        values = torch.empty(shape, dtype=torch.float32, device="cpu")
        values.uniform_(-bound, bound, generator=generator)
        setattr(layer, name, nn.Parameter(values))
    return layer


def mlp(sizes, activation, generator, batch_norm=False):
    """Linear layers with an activation between them and none after the last.

    Parameters
    ----------
    sizes : sequence of int
        Widths from input to output, at least two.
    activation : {"relu", "gelu", "silu", "elu", "tanh"}
    generator : torch.Generator, on the CPU
    batch_norm : bool, default=False
        Whether to normalise over the batch before each activation.

    Returns
    -------
    torch.nn.Sequential

    Examples
    --------
    >>> import torch
    >>> from sklearn_replearn.modules import mlp
    >>> mlp((3, 8, 2), "relu", torch.Generator().manual_seed(0))(torch.zeros(5, 3)).shape
    torch.Size([5, 2])
    """
    layers = []
    for n_in, n_out in pairwise(sizes):
        layers.append(linear(n_in, n_out, generator))
        if batch_norm:
            layers.append(nn.BatchNorm1d(n_out, device="cpu", dtype=torch.float32))
        layers.append(ACTIVATIONS[activation]())
    return nn.Sequential(*layers[: -2 if batch_norm else -1])


class TopK(nn.Module):
    """Keep the k values of largest magnitude in each row and set the others to zero.

    Parameters
    ----------
    k : int

    References
    ----------
    Makhzani and Frey (2014), *k-sparse autoencoders*.

    Notes
    -----
    The paper keeps the k largest values; here the sign does not matter.

    Examples
    --------
    >>> import torch
    >>> from sklearn_replearn.modules import TopK
    >>> TopK(1)(torch.tensor([[1.0, -3.0, 2.0]]))
    tensor([[ 0., -3.,  0.]])
    """

    def __init__(self, k):
        super().__init__()
        self.k = k

    def forward(self, code):
        """Return codes with k values kept, Tensor of shape (n, latent_dim)."""
        kept = code.abs().topk(self.k, dim=1).indices
        return torch.zeros_like(code).scatter(1, kept, code.gather(1, kept))


class Autoencoder(nn.Module):
    """Encoder and decoder, and the scale that codes are reported in.

    ``code`` and ``output`` are what training works with. ``encode`` and ``decode`` are what a user
    sees: codes of mean 0 and standard deviation 1 (once :meth:`standardize` was called), and rows.

    Parameters
    ----------
    encoder : torch.nn.Module
        Rows to codes, (n, n_features) to (n, latent_dim).
    decoder : torch.nn.Module
        Codes to what the likelihood takes, (n, latent_dim) to (n, n_features).
    likelihood : torch.nn.Module
        See :mod:`sklearn_replearn.likelihoods`.
    latent_dim : int
    activation : torch.nn.Module, default=None
        Applied to the code, such as :class:`TopK`.

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

    def __init__(self, encoder, decoder, likelihood, latent_dim, activation=None):
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder
        self.likelihood = likelihood
        self.latent_dim = latent_dim
        self.activation = activation
        self.register_buffer("code_mean", torch.zeros(latent_dim, dtype=torch.float32))
        self.register_buffer("code_scale", torch.ones(latent_dim, dtype=torch.float32))

    def code(self, rows):
        """Rows to codes as the encoder gives them."""
        code = self.encoder(rows)
        return code if self.activation is None else self.activation(code)

    def output(self, code):
        """Codes of :meth:`code` to what the likelihood takes."""
        return self.decoder(code)

    def encode(self, rows):
        """Rows to standardised codes."""
        return (self.code(rows) - self.code_mean) / self.code_scale

    def decode(self, codes):
        """Standardised codes to expected rows."""
        return self.likelihood.mean(self.output(codes * self.code_scale + self.code_mean))

    def standardize(self, mean, scale):
        """Report codes in units of ``scale`` from ``mean``, both Tensor of shape (latent_dim,)."""
        self.code_mean.copy_(mean)
        self.code_scale.copy_(scale)


class VariationalAutoencoder(nn.Module):
    """An encoder of a Gaussian posterior, a decoder and a likelihood.

    Parameters
    ----------
    encoder : torch.nn.Module
        Rows to mean and log-variance side by side, (n, n_features) to (n, 2 * latent_dim).
    decoder : torch.nn.Module
        Codes to what the likelihood takes, (n, latent_dim) to (n, n_features).
    likelihood : torch.nn.Module
        See :mod:`sklearn_replearn.likelihoods`.
    latent_dim : int

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

    def __init__(self, encoder, decoder, likelihood, latent_dim):
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder
        self.likelihood = likelihood
        self.latent_dim = latent_dim

    def posterior(self, rows):
        """Mean and log-variance of the code of each row, two Tensors of shape (n, latent_dim)."""
        mean, log_variance = self.encoder(rows).chunk(2, dim=1)
        return mean, log_variance.clamp(*_LOG_VARIANCE_RANGE)

    def output(self, code):
        """Codes to what the likelihood takes."""
        return self.decoder(code)

    def encode(self, rows):
        """Rows to posterior means."""
        return self.posterior(rows)[0]

    def decode(self, codes):
        """Codes to expected rows."""
        return self.likelihood.mean(self.output(codes))


def own_copy(module, n_in, n_out):
    """A module of a user's, copied or built, and checked for its shape.

    Parameters
    ----------
    module : torch.nn.Module or callable
        A module is copied, never changed; a callable is called with ``(n_in, n_out)``.
    n_in, n_out : int
        Widths wanted.

    Returns
    -------
    torch.nn.Module, float32, on the CPU

    Raises
    ------
    TypeError
        If the callable returns something else than a module.
    ValueError
        If the callable fails, or rows of width ``n_in`` do not become rows of width ``n_out``.

    Examples
    --------
    >>> from torch import nn
    >>> from sklearn_replearn.modules import own_copy
    >>> own_copy(nn.Linear, 3, 2)
    Linear(in_features=3, out_features=2, bias=True)
    """
    if isinstance(module, nn.Module):
        built = copy.deepcopy(module)
    else:
        try:
            built = module(n_in, n_out)
        except Exception as error:
            raise ValueError(
                f"{module!r}, called with the widths ({n_in}, {n_out}), raised: {error}"
            ) from error
    if not isinstance(built, nn.Module):
        raise TypeError(
            f"{module!r} must return a torch.nn.Module when called with the widths "
            f"({n_in}, {n_out}); it returned {type(built).__name__}."
        )
    built = built.to(device="cpu", dtype=torch.float32)
    name = type(built).__name__
    wanted = f"{name} must turn rows of shape (n, {n_in}) into rows of shape (n, {n_out})"
    for dtype in (torch.float32, torch.float64):  # of training, of inference on the CPU
        probe = torch.zeros((2, n_in), dtype=dtype, device="cpu")
        # The module itself first: a lazy one learns its sizes by that.
        probed = built if dtype == torch.float32 else copy.deepcopy(built).to(dtype)
        try:
            with torch.no_grad():
                shape = tuple(probed.eval()(probe).shape)
        except Exception as error:
            raise ValueError(
                f"{wanted}; on {dtype} zeros of shape (2, {n_in}) it raised: {error}"
            ) from error
        if shape != (2, n_out):
            raise ValueError(f"{wanted}; zeros of shape (2, {n_in}) became shape {shape}.")
    return built.train()
