"""The joint likelihood of columns of several kinds."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from .base import Likelihood
from .categorical import Categorical, Ordinal
from .continuous import Bernoulli, Gaussian, PointMasses, StudentT
from .counts import NegativeBinomial, Poisson

# In this order a decoder gives numbers for columns; kinds of a user's come behind.
_ORDER = (
    Gaussian,
    PointMasses,
    StudentT,
    Bernoulli,
    Poisson,
    NegativeBinomial,
    Categorical,
    Ordinal,
)


class Joint(Likelihood):
    """Joint likelihood of columns of several kinds, independent given the code: a row has the sum.

    Parameters
    ----------
    parts : sequence of tuple of likelihood and list of int
        Likelihoods, and the numbers of the columns that each has; each column is in one part.

    Examples
    --------
    >>> import torch
    >>> from sklearn_replearn.likelihoods import Categorical, Gaussian, Joint
    >>> mixed = Joint([(Gaussian(1, scale=1.0), [1]), (Categorical([2]), [0])])
    >>> mixed.log_prob(torch.tensor([[2.0, 0.0]]), torch.zeros(1, 3))
    tensor([[-0.6931, -0.9189]])
    """

    _heaviest = None  # of the weights beside columns that vary, once it has been asked for

    def __init__(self, parts: Sequence[tuple[Likelihood, Sequence[int]]]) -> None:
        _check_parts(parts)
        columns = [j for _, those in parts for j in those]
        super().__init__(len(columns), sum(part.n_outputs for part, _ in parts))
        self.of_columns = nn.ModuleList([part for part, _ in parts])
        self.columns = [list(those) for _, those in parts]
        order = torch.tensor(columns)
        self.register_buffer("order", order, persistent=False)
        self.register_buffer("back", order.argsort(), persistent=False)

    @property
    def draws_alike(self) -> bool:
        """Whether ``sample`` takes as many random numbers whatever the output says."""
        return all(part.draws_alike for part in self.of_columns)

    def parts(self) -> list[tuple["Likelihood", list[int]]]:
        """Pairs of a likelihood and the numbers of its columns."""
        return list(zip(self.of_columns, self.columns, strict=True))

    def of_column(
        self, j: int, output: torch.Tensor
    ) -> tuple["Likelihood", list[int], torch.Tensor]:
        """The likelihood that a column has, the columns that this has, and what is said of them."""
        number = next(i for i, columns in enumerate(self.columns) if j in columns)
        return self.of_columns[number], self.columns[number], self._split(output)[number]

    def _split(self, output):
        return output[:, : self.n_outputs].split([part.n_outputs for part in self.of_columns], 1)

    def _together(self, function, outputs, x=None):
        if x is None:
            cells = [function(*pair) for pair in zip(self.of_columns, outputs, strict=True)]
        else:
            xs = x.index_select(1, self.order).split(
                [part.n_features for part in self.of_columns], 1
            )
            cells = [function(*three) for three in zip(self.of_columns, xs, outputs, strict=True)]
        return torch.cat(cells, dim=1).index_select(1, self.back)

    def set_constant(self, constant: torch.Tensor) -> None:
        """Say which columns were constant in training, Tensor of shape (n_features,), bool."""
        super().set_constant(constant)
        self._heaviest = None
        for part, columns in self.parts():
            part.set_constant(constant[columns])

    def _load_from_state_dict(self, *args: Any, **kwargs: Any) -> None:
        super()._load_from_state_dict(*args, **kwargs)
        self._heaviest = None

    def cell_error(self, x: torch.Tensor, output: torch.Tensor) -> torch.Tensor:
        """What an autoencoder minimises, per cell that is there."""
        if self._heaviest is None:
            # Beside columns that never vary there is nothing to leave room for.
            varying = (part._weight_beside for part in self.of_columns if not part.constant.all())
            self._heaviest = max(varying, default=1.0)
        heaviest = self._heaviest

        def error(part, x, output):
            weight = min(part._weight_beside / heaviest, 1.0)
            return weight * self._per_nat / part._per_nat * part.cell_error(x, output)

        return self._together(error, self._split(output), x)

    def cell_log_prob(self, x: torch.Tensor, output: torch.Tensor) -> torch.Tensor:
        """Log-density or log-probability of cells that are there, in nats."""
        return self._together(lambda part, x, o: part.cell_log_prob(x, o), self._split(output), x)

    def log_measure(
        self, x: torch.Tensor, lower: torch.Tensor, upper: torch.Tensor, output: torch.Tensor
    ) -> torch.Tensor:
        """See :meth:`Likelihood.log_measure`."""
        cells = [
            part.log_measure(x[:, columns], lower[:, columns], upper[:, columns], outputs)
            for (part, columns), outputs in zip(self.parts(), self._split(output), strict=True)
        ]
        return torch.cat(cells, dim=1).index_select(1, self.back)

    def mean(self, output: torch.Tensor) -> torch.Tensor:
        """Expected value or likeliest level of each cell."""
        return self._together(lambda part, o: part.mean(o), self._split(output))

    def average(self, output: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        """Expected value or likeliest level of each cell under a mixture of outputs."""
        outputs = output[:, :, : self.n_outputs].split(
            [part.n_outputs for part in self.of_columns], 2
        )
        return self._together(lambda part, o: part.average(o, weights), outputs)

    def sample(self, output: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """One draw of each cell."""
        return self._together(lambda part, o: part.sample(o, generator), self._split(output))


def _check_parts(parts):
    try:
        pairs = [(part, [int(j) for j in those]) for part, those in parts]
    except (TypeError, ValueError):
        pairs = None
    if not pairs or not all(
        isinstance(part, Likelihood) and part.n_features == len(those) for part, those in pairs
    ):
        raise ValueError(
            "parts must be pairs of a likelihood and the numbers of its columns, such as "
            f"(Gaussian(2), [0, 3]); got {parts!r}."
        )
    columns = sorted(j for _, those in pairs for j in those)
    if columns != list(range(len(columns))):
        raise ValueError(f"parts must name each column once, from 0 on; got columns {columns}.")


def grouped(kinds):
    """Columns of a kind together: pairs of a class and the numbers of its columns.

    Parameters
    ----------
    kinds : list of subclasses of Likelihood
        Of each column.
    """
    found = dict.fromkeys(kinds)
    ordered = [kind for kind in _ORDER if kind in found]
    ordered += [kind for kind in found if kind not in _ORDER]
    return [(kind, [j for j, other in enumerate(kinds) if other is kind]) for kind in ordered]


def joint_of(groups, scaler, scale, for_errors):
    """The likelihood of all columns; of one kind where all are of that kind.

    Parameters
    ----------
    groups : list of pairs
        See :func:`grouped`.
    scaler, scale, for_errors
        See :meth:`Likelihood.for_columns`.
    """
    parts = [
        (kind.for_columns(columns, scaler, scale, for_errors), columns) for kind, columns in groups
    ]
    return parts[0][0] if len(parts) == 1 else Joint(parts)
