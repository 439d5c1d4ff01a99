"""What every likelihood is."""

import torch
from torch import nn

# Adam moves every parameter by about the learning rate; a log-scale has further to go than a
# weight, so the parameter is kept in units of ten.
UNIT = 10.0


class Likelihood(nn.Module):
    """What is the same for all: cells that are missing, columns that were constant.

    Errors are twice the nats up to constants, as the squared error is for a normal of variance 1.

    Subclasses define ``_error`` and ``_log_prob`` of cells that are there, ``mean`` and ``sample``.

    Parameters
    ----------
    n_features : int
    n_outputs : int, default=None
        Numbers that a decoder gives for a row; None is one for each column.
    """

    def __init__(self, n_features, n_outputs=None):
        super().__init__()
        self.n_features = n_features
        self.n_outputs = n_features if n_outputs is None else n_outputs
        self.register_buffer("constant", torch.zeros(n_features, dtype=torch.bool))

    def error(self, x, output):
        """What an autoencoder minimises, per cell; 0 where a cell is missing."""
        known = ~x.isnan()
        return torch.where(known, self._error(torch.where(known, x, 0.0), output), 0.0)

    def log_prob(self, x, output):
        """Log-density or log-probability per cell, in nats; 0 where a cell is missing.

        A column that was constant in training has no density: it counts 0 where it has its value,
        and minus half the squared distance from it elsewhere.
        """
        known = ~x.isnan()
        x = torch.where(known, x, 0.0)
        log_prob = torch.where(self.constant, -0.5 * x.square(), self._log_prob(x, output))
        return torch.where(known, log_prob, 0.0)

    #: Errors for a nat.
    _per_nat = 2.0

    def _error(self, x, output):
        return -self._per_nat * self._log_prob(x, output)

    def set_constant(self, constant):
        """Say which columns were constant in training, Tensor of shape (n_features,), bool."""
        self.constant.copy_(constant)

    def average(self, output, weights):
        """Expected value or likeliest level of each cell under a mixture of outputs.

        Parameters
        ----------
        output : Tensor of shape (n, n_draws, n_outputs)
        weights : Tensor of shape (n, n_draws)
            Of sum 1 over the draws.
        """
        means = self.mean(output.flatten(0, 1)).view(*weights.shape, -1)
        return (weights[:, :, None] * means).sum(1)

    def parts(self):
        """Pairs of a likelihood and the numbers of its columns: itself and all columns."""
        return [(self, list(range(self.n_features)))]


def uniform_like(like, generator):
    return torch.rand(like.shape, generator=generator, device=like.device, dtype=like.dtype)


def by_scipy(function, parameter, uniform):
    """Deviates by the inverse of their distribution, which torch does not have."""
    uniform = uniform.cpu().double().clamp(1e-9, 1 - 1e-9)
    values = function(parameter.detach().cpu().double().numpy(), uniform.numpy())
    return torch.from_numpy(values).to(parameter.device)
