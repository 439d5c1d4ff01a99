"""log p(x | decoder output), one value per cell. MSE and BCE are two of the cases."""

import math

import torch
from torch import nn
from torch.nn import functional as F

# Adam moves every parameter by about the learning rate; a log-scale has further to go than a
# weight, so the parameter is kept in units of ten.
_UNIT = 10.0
# A column of a standardised table that is predicted to 1 % is as good as known; without a floor
# one such column outweighs all others.
_SMALLEST_VARIANCE = 1e-4


class Gaussian(nn.Module):
    r"""Independent normal columns: :math:`x_j \sim N(\mathrm{output}_j, \sigma_j^2)`.

    With a fixed scale, minus the log-likelihood is the squared error up to constants.

    Parameters
    ----------
    n_features : int
    scale : float, default=None
        Standard deviation of every column. ``None`` learns one per column (Rybkin et al. 2021,
        *Simple and effective VAE training with calibrated decoders*).

    Notes
    -----
    The paper shares one variance among all columns; here each column has its own, because columns
    of a table differ in how well they can be predicted.

    Examples
    --------
    >>> import torch
    >>> from sklearn_replearn.likelihoods import Gaussian
    >>> Gaussian(n_features=1, scale=1.0).log_prob(torch.zeros(1, 1), torch.zeros(1, 1))
    tensor([[-0.9189]])
    """

    def __init__(self, n_features, scale=None):
        super().__init__()
        self.register_buffer("constant", torch.zeros(n_features, dtype=torch.bool))
        if scale is None:
            self.log_scale = nn.Parameter(torch.zeros(n_features, dtype=torch.float32))
        else:
            self.log_scale = None
            variance = torch.full((n_features,), scale**2, dtype=torch.float32)
            self.register_buffer("fixed_variance", variance, persistent=False)

    @property
    def variance(self):
        """Variance of each column, Tensor of shape (n_features,)."""
        if self.log_scale is None:
            return self.fixed_variance
        return torch.exp(2 * _UNIT * self.log_scale) + _SMALLEST_VARIANCE

    def set_variance(self, variance):
        """Take over these variances, Tensor of shape (n_features,)."""
        above = (variance - _SMALLEST_VARIANCE).clamp_min(1e-3 * _SMALLEST_VARIANCE)
        self.log_scale.copy_(above.log() / (2 * _UNIT))

    def error(self, x, output):
        """Squared error per cell."""
        return (x - output).square()

    def log_prob(self, x, output):
        """Log-density per cell, in nats.

        A column that was constant in training has no density: it counts 0 where it has its value,
        and minus half the squared distance from it elsewhere.
        """
        variance = self.variance
        density = -0.5 * (self.error(x, output) / variance + torch.log(2 * math.pi * variance))
        return torch.where(self.constant, -0.5 * x.square(), density)

    def mean(self, output):
        """Expected value of each cell."""
        return output

    def sample(self, output, generator):
        """One draw of each cell."""
        noise = torch.randn(
            output.shape, generator=generator, device=output.device, dtype=output.dtype
        )
        return output + noise * self.variance.sqrt() * ~self.constant


class Bernoulli(nn.Module):
    r"""Independent cells between 0 and 1, given by their log-odds.

    Minus the log-likelihood is the binary cross-entropy.

    Parameters
    ----------
    n_features : int

    Examples
    --------
    >>> import torch
    >>> from sklearn_replearn.likelihoods import Bernoulli
    >>> Bernoulli(n_features=1).log_prob(torch.ones(1, 1), torch.zeros(1, 1))
    tensor([[-0.6931]])
    """

    def __init__(self, n_features):
        super().__init__()
        self.register_buffer("constant", torch.zeros(n_features, dtype=torch.bool))

    def error(self, x, output):
        """Binary cross-entropy per cell, in nats."""
        return F.binary_cross_entropy_with_logits(output, x, reduction="none")

    def log_prob(self, x, output):
        """Log-probability per cell, in nats; cells beyond 0 and 1 count as 0 and 1.

        Columns that were constant in training count as in :meth:`Gaussian.log_prob`.
        """
        log_probability = -self.error(x.clamp(0, 1), output)
        return torch.where(self.constant, -0.5 * x.square(), log_probability)

    def mean(self, output):
        """Expected value of each cell."""
        return torch.sigmoid(output)

    def sample(self, output, generator):
        """One draw of each cell, 0 or 1."""
        uniform = torch.rand(
            output.shape, generator=generator, device=output.device, dtype=output.dtype
        )
        return (uniform < torch.sigmoid(output)).to(output.dtype)
