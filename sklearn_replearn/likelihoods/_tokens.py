"""Rows of token ids."""

import torch
from torch import nn
from torch.nn import functional as F

from ._base import Likelihood, uniform_like

_LOGITS_AT_ONCE = 2**22


class Tokens(Likelihood):
    r"""Positions of a row that hold a token or padding, independent given the output.

    :math:`p(x_t) = p_t\,\mathrm{softmax}(V s_t + b)_{x_t}` for a token, :math:`1 - p_t` for
    padding, with a state :math:`s_t` and log-odds of :math:`p_t` from the decoder.

    Parameters
    ----------
    n_features : int
        Positions in a row.
    frequencies : sequence of float
        Share of each id among the tokens, from which the softmax starts; that of padding, id 0,
        does not count.
    width : int, default=64
        Of a state.

    Examples
    --------
    >>> import torch
    >>> from sklearn_replearn.likelihoods import Tokens
    >>> tokens = Tokens(1, frequencies=[0.0, 0.5, 0.25, 0.25], width=2)
    >>> tokens.log_prob(torch.tensor([[2.0]]), torch.zeros(1, 3)).exp()
    tensor([[0.1250]], grad_fn=<ExpBackward0>)
    """

    def __init__(self, n_features, frequencies, width=64):
        super().__init__(n_features, n_features * (width + 1))
        frequencies = torch.tensor(frequencies, dtype=torch.float32, device="cpu")[1:]
        smallest = 0.5 * frequencies[frequencies > 0].min() if frequencies.any() else 1.0
        self.bias = nn.Parameter(frequencies.clamp_min(smallest).log())
        # Zeros: that states differ is enough to start from.
        self.embeddings = nn.Parameter(
            torch.zeros((len(frequencies), width), dtype=torch.float32, device="cpu")
        )

    def _split(self, output):
        n_states = self.n_features * self.embeddings.shape[1]
        states = output[:, :n_states].unflatten(1, (self.n_features, -1))
        return states, output[:, n_states:]

    def _logits(self, states):
        """Logits of all tokens for some states, a part at a time."""
        at_once = max(1, _LOGITS_AT_ONCE // len(self.bias))
        for part in states.split(at_once):
            yield F.linear(part, self.embeddings, self.bias)

    def _log_prob(self, x, output):
        states, odds = self._split(output)
        there = x > 0
        log_prob = F.logsigmoid(torch.where(there, odds, -odds))
        if not there.any():
            return log_prob
        tokens = (x[there].long() - 1).clamp_max(len(self.bias) - 1)
        logits = self._logits(states[there])
        parts = zip(logits, tokens.split(max(1, _LOGITS_AT_ONCE // len(self.bias))), strict=True)
        nats = torch.cat([F.cross_entropy(*part, reduction="none") for part in parts])
        return log_prob.masked_scatter(there, log_prob[there] - nats)

    def mean(self, output):
        """The likeliest token of each position; 0 where padding is likelier than a token."""
        return self._chosen(output, lambda logits: logits, lambda odds: odds > 0)

    def sample(self, output, generator):
        """One draw of each position."""

        def noisy(logits):
            uniform = uniform_like(logits, generator).clamp(1e-12, 1 - 1e-7)
            # The largest with Gumbel noise is a draw from the softmax.
            return logits - torch.log(-torch.log(uniform))

        return self._chosen(
            output, noisy, lambda odds: uniform_like(odds, generator) < torch.sigmoid(odds)
        )

    def _chosen(self, output, of_logits, of_odds):
        states, odds = self._split(output)
        there = of_odds(odds)
        ids = torch.zeros_like(odds)
        if there.any():
            chosen = [of_logits(logits).argmax(1) + 1 for logits in self._logits(states[there])]
            ids[there] = torch.cat(chosen).to(ids.dtype)
        return ids

    def average(self, output, weights):
        """The likeliest tokens of the output that weighs most."""
        heaviest = weights.argmax(1)
        return self.mean(output[torch.arange(len(output), device=output.device), heaviest])
