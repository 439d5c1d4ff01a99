"""What every likelihood is."""

from collections.abc import Sequence
from typing import Self

import torch
from torch import nn

from .._runtime.parameters import Whole, validated
from .._scaling.scaler import Scaler
from .._scaling.support import REAL

# Adam moves every parameter by about the learning rate; a log-scale has further to go than a
# weight, so the parameter is kept in units of ten.
UNIT = 10.0

#: How many columns there may be.
FEATURES = [Whole()]


class Likelihood(nn.Module):
    """What every likelihood is: the log-probability of each cell, given what a decoder says of it.

    A likelihood of one's own is a subclass with ``cell_log_prob``, ``mean`` and ``sample``, and
    ``VAETransformer(likelihood={"column": MyLikelihood})`` takes the class. Missing cells and
    columns that were constant are dealt with here. Errors, which autoencoders minimise, are twice
    the nats up to constants, as the squared error is for a normal of variance 1.

    Parameters
    ----------
    n_features : int
        Columns that have this likelihood.
    n_outputs : int, default=None
        Numbers that a decoder gives for a row; None is one for each column.

    Attributes
    ----------
    support : Support
        Which columns it takes: :data:`REAL` numbers (the default), the :data:`UNIT_INTERVAL`,
        :data:`COUNTS` or :data:`LEVELS`. It says whether cells have a density, to which the
        derivative of the scaling is then added, and whether they are scaled.

    Examples
    --------
    A Laplace distribution of fixed scale:

    >>> import math
    >>> import torch
    >>> from sklearn_replearn import VAETransformer
    >>> from sklearn_replearn.likelihoods import Likelihood
    >>> class Laplace(Likelihood):
    ...     def cell_log_prob(self, x, output):
    ...         return -(x - output).abs() / 0.5 - math.log(2 * 0.5)
    ...     def mean(self, output):
    ...         return output
    ...     def sample(self, output, generator):
    ...         u = torch.rand(output.shape, generator=generator, dtype=output.dtype) - 0.5
    ...         return output - 0.5 * u.sign() * torch.log1p(-2 * u.abs())
    >>> X = [[0.0, 1.0], [1.0, 3.0], [2.0, 0.0]]
    >>> vae = VAETransformer(latent_dim=1, likelihood={1: Laplace}, max_epochs=2).fit(X)
    >>> vae.score_samples(X).shape
    (3,)
    """

    support = REAL

    #: The likelihood of columns that are scaled by their ranks and have values that many rows
    #: share. None: columns of this likelihood are not scaled by ranks unless asked.
    with_atoms = None

    #: Whether its columns are always scaled by their ranks.
    by_ranks = False

    #: Whether ``sample`` takes as many random numbers whatever the output says. If so, a draw does
    #: not depend on the outputs of other rows, and multiple imputation leaves those of complete
    #: rows out.
    draws_alike = False

    @classmethod
    def for_columns(
        cls,
        columns: Sequence[int],
        scaler: Scaler,
        scale: float | None = None,
        for_errors: bool = False,
    ) -> Self:
        """The likelihood of some columns of a table.

        Parameters
        ----------
        columns : list of int
        scaler : Scaler
            Has learned the columns: their levels, rates, ranks.
        scale : float, default=None
            Of normal columns; None learns it.
        for_errors : bool, default=False
            Whether only its errors count, as for an autoencoder.
        """
        return cls(len(columns))

    @validated({"n_features": FEATURES, "n_outputs": [Whole(), None]})
    def __init__(self, n_features: int, n_outputs: int | None = None) -> None:
        super().__init__()
        self.n_features = n_features
        self.n_outputs = n_features if n_outputs is None else n_outputs
        self.register_buffer("constant", torch.zeros(n_features, dtype=torch.bool))

    def error(self, x: torch.Tensor, output: torch.Tensor) -> torch.Tensor:
        """What an autoencoder minimises, per cell; 0 where a cell is missing."""
        known = ~x.isnan()
        return torch.where(known, self.cell_error(torch.where(known, x, 0.0), output), 0.0)

    def log_prob(self, x: torch.Tensor, output: torch.Tensor) -> torch.Tensor:
        """Log-density or log-probability per cell, in nats; 0 where a cell is missing.

        A column that was constant in training has no density: it counts 0 where it has its value,
        and minus half the squared distance from it elsewhere.
        """
        known = ~x.isnan()
        x = torch.where(known, x, 0.0)
        log_prob = torch.where(self.constant, -0.5 * x.square(), self.cell_log_prob(x, output))
        return torch.where(known, log_prob, 0.0)

    def log_measure(
        self, x: torch.Tensor, lower: torch.Tensor, upper: torch.Tensor, output: torch.Tensor
    ) -> torch.Tensor:
        """As :meth:`log_prob`, but the log-probability of an interval for cells that stand for one.

        Parameters
        ----------
        x : Tensor of shape (n, n_features), float64
        lower, upper : Tensor of shape (n, n_features), float64
            Ends of the interval of each cell, which may be infinite; NaN for a cell by itself.
        output : Tensor of shape (n, n_outputs), float64
        """
        between = ~(lower.isnan() | x.isnan() | self.constant)
        if between.all():
            return self.cell_log_mass(lower, upper, output)
        log_prob = self.log_prob(x, output)
        if not between.any():
            return log_prob
        # Others are given some interval, which does not count.
        lower, upper = (torch.where(between, end, e) for end, e in ((lower, 0.0), (upper, 1.0)))
        return torch.where(between, self.cell_log_mass(lower, upper, output), log_prob)

    def cell_log_mass(
        self, lower: torch.Tensor, upper: torch.Tensor, output: torch.Tensor
    ) -> torch.Tensor:
        """Log-probability of intervals; here the density in their middle times their width.

        A subclass that knows its distribution function overrides it.
        """
        lower, upper = (
            torch.where(lower.isinf(), upper - 1, lower),
            torch.where(upper.isinf(), lower + 1, upper),
        )
        return self.cell_log_prob(0.5 * (lower + upper), output) + torch.log(upper - lower)

    #: Errors for a nat.
    _per_nat = 2.0

    #: What errors count beside those of columns of other likelihoods.
    _weight_beside = 1.0

    def cell_error(self, x: torch.Tensor, output: torch.Tensor) -> torch.Tensor:
        """What an autoencoder minimises, per cell that is there."""
        return -self._per_nat * self.cell_log_prob(x, output)

    def cell_log_prob(self, x: torch.Tensor, output: torch.Tensor) -> torch.Tensor:
        """Log-density or log-probability of cells that are there; a subclass defines it."""
        raise TypeError(f"{type(self).__name__} does not define cell_log_prob(): see Likelihood.")

    def set_constant(self, constant: torch.Tensor) -> None:
        """Say which columns were constant in training, Tensor of shape (n_features,), bool."""
        self.constant.copy_(constant)

    def average(self, output: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        """Expected value or likeliest level of each cell under a mixture of outputs.

        Parameters
        ----------
        output : Tensor of shape (n, n_draws, n_outputs)
        weights : Tensor of shape (n, n_draws)
            Of sum 1 over the draws.
        """
        means = self.mean(output.flatten(0, 1)).view(*weights.shape, -1)
        return (weights[:, :, None] * means).sum(1)

    def of_column(
        self, j: int, output: torch.Tensor
    ) -> tuple["Likelihood", list[int], torch.Tensor]:
        """The likelihood that a column has, the columns that this has, and what is said of them."""
        return self, list(range(self.n_features)), output

    def parts(self) -> list[tuple["Likelihood", list[int]]]:
        """Pairs of a likelihood and the numbers of its columns: itself and all columns."""
        return [(self, list(range(self.n_features)))]


def check_cells(likelihood):
    """Refuse a likelihood of a user's that does not give one number a cell.

    Raises
    ------
    ValueError
        Names the method, and says what is wanted and what came.
    """
    name, wanted = type(likelihood).__name__, (2, likelihood.n_features)
    for dtype in (torch.float32, torch.float64):  # of training, of scores
        x = torch.zeros(wanted, dtype=dtype)
        output = torch.zeros((2, likelihood.n_outputs), dtype=dtype)
        generator = torch.Generator().manual_seed(0)
        calls = {"cell_log_prob": (x, output), "mean": (output,), "sample": (output, generator)}
        for method, given in calls.items():
            if not hasattr(likelihood, method):
                raise ValueError(f"{name} does not define {method}(): see Likelihood.")
            with torch.no_grad():
                cells = getattr(likelihood, method)(*given)
            if not isinstance(cells, torch.Tensor):
                raise ValueError(
                    f"{name}.{method} must give a Tensor of a number for each cell; it gave "
                    f"{type(cells).__name__}."
                )
            if cells.shape != wanted:
                raise ValueError(
                    f"{name}.{method} must give a number for each cell, a Tensor of shape "
                    f"(n, n_features); for shape {wanted} it gave {tuple(cells.shape)}."
                )


def uniform_like(like, generator):
    return torch.rand(like.shape, generator=generator, device=like.device, dtype=like.dtype)


def by_scipy(function, parameter, uniform):
    """Deviates by the inverse of their distribution, which torch does not have."""
    uniform = uniform.cpu().double().clamp(1e-9, 1 - 1e-9)
    values = function(parameter.detach().cpu().double().numpy(), uniform.numpy())
    return torch.from_numpy(values).to(parameter.device)
