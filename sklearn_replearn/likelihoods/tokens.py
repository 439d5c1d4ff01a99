"""Rows of token ids."""

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional as F

from .._runtime.arrays import at_hand
from .._runtime.parameters import WIDEST, Each, Number, Whole, validated
from .._scaling.support import LEVELS
from .base import Likelihood, uniform_like

_RAREST = 1e-3  # share of rows


class Tokens(Likelihood):
    r"""Positions of a row that hold a token or padding, independent given the output.

    :math:`p(x_t) = p_t\,\mathrm{softmax}(V s + b)_{x_t}` for a token, :math:`1 - p_t` for padding,
    with states :math:`s` and log-odds of :math:`p_t` from the decoder. Each state stands for
    as many neighbouring positions as any other, and a single one for the whole row: then it is a
    model of which tokens a row has, and not of their order.

    Parameters
    ----------
    n_features : int
        Positions in a row.
    frequencies : sequence of float
        Share of each id among the tokens, from which the softmax starts; that of padding, id 0,
        does not count.
    shares : sequence of float
        Share of the rows that have a token at each position, from which its log-odds start.
    n_states : int, default=None
        At most ``n_features``, which None stands for.
    width : int, default=64
        Of a state.

    Examples
    --------
    >>> import torch
    >>> from sklearn_replearn.likelihoods import Tokens
    >>> tokens = Tokens(1, frequencies=[0.0, 0.5, 0.25, 0.25], shares=[0.5], width=2)
    >>> tokens.log_prob(torch.tensor([[2.0]]), torch.zeros(1, 3)).exp().item()
    0.125
    """

    support = LEVELS

    @validated(
        {
            "n_features": [Whole()],
            "frequencies": [Each(Number(0, 1, closed="both"), least=2)],
            "shares": [Each(Number(0, 1, closed="both"))],
            "n_states": [Whole(), None],
            "width": [Whole(1, WIDEST)],
        }
    )
    def __init__(
        self,
        n_features: int,
        frequencies: Sequence[float],
        shares: Sequence[float],
        n_states: int | None = None,
        width: int = 64,
    ) -> None:
        if n_states is not None and n_states > n_features:
            raise ValueError(f"n_states must be at most n_features={n_features}; got {n_states!r}.")
        if len(shares) != n_features:
            raise ValueError(f"shares must have n_features={n_features} values; got {len(shares)}.")
        self.n_states = n_features if n_states is None else n_states
        super().__init__(n_features, self.n_states * width + n_features)
        frequencies = torch.tensor(frequencies, dtype=torch.float32, device="cpu")[1:]
        smallest = 0.5 * frequencies[frequencies > 0].min() if frequencies.any() else 1.0
        self.bias = nn.Parameter(frequencies.clamp_min(smallest).log())
        shares = torch.tensor(shares, dtype=torch.float32, device="cpu")
        self.odds = nn.Parameter(torch.logit(shares, eps=_RAREST))
        # Zeros: that states differ is enough to start from.
        self.embeddings = nn.Parameter(
            torch.zeros((len(frequencies), width), dtype=torch.float32, device="cpu")
        )
        numbers = torch.arange(n_features, device="cpu")
        self.register_buffer("state_of", numbers * self.n_states // n_features, persistent=False)

    def _split(self, output):
        """Log-probabilities of the tokens by state, (n, n_states, n_tokens), and log-odds."""
        states = output[:, : -self.n_features].unflatten(1, (self.n_states, -1))
        logits = F.linear(states, self.embeddings, self.bias)
        return logits.log_softmax(2), output[:, -self.n_features :] + self.odds

    def cell_log_prob(self, x: torch.Tensor, output: torch.Tensor) -> torch.Tensor:
        """Log-density or log-probability of cells that are there, in nats."""
        log_tokens, odds = self._split(output)
        there, n_tokens = x > 0, log_tokens.shape[2]
        tokens = (x.long() - 1).clamp(0, n_tokens - 1)
        if at_hand(x):
            log_token = log_tokens.flatten(1).gather(1, self.state_of * n_tokens + tokens)
        else:  # its gradient sorts what it adds up
            rows = torch.arange(len(x), device=x.device)[:, None]
            log_token = log_tokens[rows, self.state_of, tokens]
        log_there = F.logsigmoid(torch.where(there, odds, -odds))
        return log_there + torch.where(there, log_token, 0.0)

    def mean(self, output: torch.Tensor) -> torch.Tensor:
        """The likeliest token of each position; 0 where padding is likelier than a token."""
        log_tokens, odds = self._split(output)
        tokens = log_tokens.argmax(2).index_select(1, self.state_of) + 1
        return tokens.to(odds.dtype) * (odds > 0)

    def sample(self, output: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """One draw of each position."""
        log_tokens, odds = self._split(output)
        counts = self.state_of.bincount(minlength=self.n_states)
        drawn = torch.multinomial(
            log_tokens.exp().flatten(0, 1), int(counts.max()), replacement=True, generator=generator
        ).unflatten(0, (-1, self.n_states))
        first = counts.cumsum(0) - counts
        numbers = torch.arange(self.n_features, device=odds.device)
        tokens = drawn[:, self.state_of, numbers - first[self.state_of]] + 1
        there = uniform_like(odds, generator) < torch.sigmoid(odds)
        return tokens.to(odds.dtype) * there

    def average(self, output: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        """The likeliest tokens of the output that weighs most."""
        heaviest = weights.argmax(1)
        return self.mean(output[torch.arange(len(output), device=output.device), heaviest])
