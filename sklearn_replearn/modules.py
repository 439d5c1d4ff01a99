"""Small networks, with weights drawn from the generator they are given."""

import copy
import math
from itertools import pairwise

import numpy as np
import torch
from torch import nn

from ._kinds import digits_of

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


class Shortcut(nn.Module):
    """Layers with a linear map from their input to their output beside them.

    Parameters
    ----------
    deep : torch.nn.Sequential
        Begins and ends with a linear layer.
    direct : torch.nn.Linear
        Of the same widths.

    References
    ----------
    He et al. (2016), *Deep residual learning for image recognition*, equation 2.

    Examples
    --------
    >>> import torch
    >>> from sklearn_replearn.modules import Shortcut, linear, mlp
    >>> generator = torch.Generator().manual_seed(0)
    >>> deep, direct = mlp((3, 8, 2), "relu", generator), linear(3, 2, generator)
    >>> Shortcut(deep, direct)(torch.zeros(5, 3)).shape
    torch.Size([5, 2])
    """

    def __init__(self, deep, direct):
        super().__init__()
        self.deep = deep
        self.direct = direct

    def forward(self, x):
        """Return the sum of both, Tensor of shape (n, n_out)."""
        return self.deep(x) + self.direct(x)


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


class Inputs(nn.Module):
    """Scaled cells to what an encoder takes: numbers, levels one-hot, and which cells are missing.

    A missing number counts as 0, which is the mean of its column, a missing or unseen level as the
    average of the levels of its column. For each column that had missing cells in training one more
    input says whether the cell is missing.

    Parameters
    ----------
    n_levels : sequence of int
        Levels of each column; 0 for numbers.
    missing : sequence of bool
        Columns that had missing cells.
    shares : sequence of float
        Share of the rows that have each of the levels (or digits, see below), column by column.
    rarity : array-like of shape (n_features,), default=None
        Weights of counts; those of a row then have length 1, as in tf-idf. 0 for other columns.

    Attributes
    ----------
    width : int

    Notes
    -----
    A column of more than 256 levels is two groups of inputs, one for each digit of the number of
    its level; see :class:`~sklearn_replearn.likelihoods.Categorical`. Cells that are between two
    levels, as noise makes them, count as the nearest.

    Examples
    --------
    >>> import torch
    >>> from sklearn_replearn.modules import Inputs
    >>> inputs = Inputs([0, 2], missing=[True, False], shares=[0.25, 0.75])
    >>> inputs(torch.tensor([[0.5, 2.0], [float("nan"), 0.0]]))
    tensor([[0.5000, 0.0000, 1.0000, 0.0000],
            [0.0000, 0.2500, 0.7500, 1.0000]])
    """

    def __init__(self, n_levels, missing, shares, rarity=None):
        super().__init__()
        numbers = [j for j, count in enumerate(n_levels) if count == 0]
        start = len(numbers)
        digits, slots = [], []
        for j, count in enumerate(n_levels):
            for divisor, size in digits_of(count):
                digits.append((j, count, divisor, size, start))
                slots += [len(digits) - 1] * size
                start += size
        gone = [j for j, flag in enumerate(missing) if flag]
        self.width = start + len(gone)
        self.n_numbers, self.n_slots = len(numbers), len(slots)
        for name, values in (
            ("numbers", numbers),
            ("digits", list(zip(*digits, strict=True)) if digits else torch.empty((5, 0))),
            ("slots", slots),
            ("gone", gone),
        ):
            self.register_buffer(name, torch.as_tensor(values).long(), persistent=False)
        self.weighted = rarity is not None
        if self.weighted:
            rarity = torch.tensor(rarity, dtype=torch.float32, device="cpu")[numbers]
            self.register_buffer("rarity", rarity, persistent=False)
        shares = torch.tensor(np.asarray(shares), dtype=torch.float32, device="cpu")
        self.register_buffer("shares", shares, persistent=False)

    def forward(self, cells):
        """Return inputs, Tensor of shape (n, width)."""
        missing = cells.isnan()
        filled = torch.where(missing, 0.0, cells)
        inputs = cells.new_zeros((len(cells), self.width))
        end = self.n_numbers + self.n_slots
        numbers = filled.index_select(1, self.numbers) if self.n_slots else filled
        inputs[:, : self.n_numbers] = self._weighted(numbers) if self.weighted else numbers
        if self.n_slots:
            column, count, divisor, size, start = self.digits
            codes = torch.minimum(filled.index_select(1, column).round().long(), count)
            known = codes >= 1
            places = (codes - 1).clamp_min(0) // divisor % size + start
            inputs.scatter_(1, places, known.to(cells.dtype))
            if not known.all():
                unknown = (~known).index_select(1, self.slots)
                levels = inputs[:, self.n_numbers : end]
                levels += unknown * self.shares.to(cells.dtype)
        inputs[:, end:] = missing.index_select(1, self.gone)
        return inputs

    def _weighted(self, numbers):
        counts = numbers * self.rarity
        length = torch.linalg.vector_norm(counts, dim=1, keepdim=True).clamp_min(1e-6)
        return torch.where(self.rarity > 0, counts / length, numbers)


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
    inputs : torch.nn.Module, default=None
        What the encoder takes, from scaled cells: :class:`Inputs`. None takes them as they are.

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

    def __init__(self, encoder, decoder, likelihood, latent_dim, activation=None, inputs=None):
        super().__init__()
        self.inputs = inputs
        self.encoder = encoder
        self.decoder = decoder
        self.likelihood = likelihood
        self.latent_dim = latent_dim
        self.activation = activation
        self.register_buffer("code_mean", torch.zeros(latent_dim, dtype=torch.float32))
        self.register_buffer("code_scale", torch.ones(latent_dim, dtype=torch.float32))

    def code(self, rows):
        """Rows to codes as the encoder gives them."""
        code = self.encoder(rows if self.inputs is None else self.inputs(rows))
        return code if self.activation is None else self.activation(code)

    def output(self, code):
        """Codes of :meth:`code` to what the likelihood takes."""
        output, width = self.decoder(code), self.likelihood.n_outputs
        return output if output.shape[1] == width else output[:, :width]

    def encode(self, rows):
        """Rows to standardised codes."""
        return (self.code(rows) - self.code_mean) / self.code_scale

    def decoded(self, codes):
        """Standardised codes to what the likelihood takes."""
        return self.output(codes * self.code_scale + self.code_mean)

    def decode(self, codes):
        """Standardised codes to expected cells."""
        return self.likelihood.mean(self.decoded(codes))

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
    inputs : torch.nn.Module, default=None
        What the encoder takes, from scaled cells: :class:`Inputs`. None takes them as they are.

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

    def __init__(self, encoder, decoder, likelihood, latent_dim, inputs=None):
        super().__init__()
        self.inputs = inputs
        self.encoder = encoder
        self.decoder = decoder
        self.likelihood = likelihood
        self.latent_dim = latent_dim

    def posterior(self, rows):
        """Mean and log-variance of the code of each row, two Tensors of shape (n, latent_dim)."""
        inputs = rows if self.inputs is None else self.inputs(rows)
        mean, log_variance = self.encoder(inputs).chunk(2, dim=1)
        return mean, log_variance.clamp(*_LOG_VARIANCE_RANGE)

    def output(self, code):
        """Codes to what the likelihood takes."""
        output, width = self.decoder(code), self.likelihood.n_outputs
        return output if output.shape[1] == width else output[:, :width]

    def encode(self, rows):
        """Rows to posterior means."""
        return self.posterior(rows)[0]

    def decoded(self, codes):
        """Codes to what the likelihood takes."""
        return self.output(codes)

    def decode(self, codes):
        """Codes to expected cells."""
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
