"""Networks for rows of token ids, of which 0 is padding."""

import math
from typing import Literal

import torch
from torch import nn
from torch.nn import functional as F

from .._runtime.arrays import at_hand
from .._runtime.parameters import Whole, validated
from .layers import ACTIVATION, ACTIVATIONS, GENERATOR, WIDTH, linear

_SMALL = 0.02  # deviation of embeddings to start from


class TokenIds(nn.Module):
    """Cells of rows of tokens to whole numbers.

    Parameters
    ----------
    length : int
        Of a row.

    Attributes
    ----------
    width : int

    Examples
    --------
    >>> import torch
    >>> from sklearn_replearn.modules import TokenIds
    >>> TokenIds(2)(torch.tensor([[3.0, 0.0]]))
    tensor([[3, 0]])
    """

    @validated({"length": [Whole()]})
    def __init__(self, length: int) -> None:
        super().__init__()
        self.width = length

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """Return ids, Tensor of shape (n, length), int64."""
        return rows.nan_to_num().long()


class TokenEncoder(nn.Module):
    """Embeddings, a convolution along the row added to them, their mean, and a linear map.

    Padding counts nowhere: neither as a neighbour nor in the mean. The map also sees the logarithm
    of the number of tokens.

    Parameters
    ----------
    vocabulary_size : int
        Ids are below it; the id ``vocabulary_size`` itself stands for a masked token.
    n_out : int
    generator : torch.Generator, on the CPU
    width : int, default=64
        Of an embedding.
    activation : {"relu", "gelu", "silu", "elu", "tanh"}, default="silu"

    Notes
    -----
    The convolution is over three tokens and for each number of an embedding by itself, which costs
    little beside the embeddings.

    Examples
    --------
    >>> import torch
    >>> from sklearn_replearn.modules import TokenEncoder
    >>> encoder = TokenEncoder(10, 4, torch.Generator().manual_seed(0))
    >>> encoder(torch.tensor([[3, 9, 0], [5, 0, 0]])).shape
    torch.Size([2, 4])
    """

    @validated(
        {
            "vocabulary_size": [Whole()],
            "n_out": WIDTH,
            "generator": GENERATOR,
            "width": WIDTH,
            "activation": ACTIVATION,
        }
    )
    def __init__(
        self,
        vocabulary_size: int,
        n_out: int,
        generator: torch.Generator,
        width: int = 64,
        activation: Literal["relu", "gelu", "silu", "elu", "tanh"] = "silu",
    ) -> None:
        super().__init__()
        for name, shape in (
            ("embeddings", (vocabulary_size + 1, width)),
            ("before", (width,)),
            ("after", (width,)),
        ):
            values = torch.empty(shape, dtype=torch.float32, device="cpu")
            setattr(self, name, nn.Parameter(values.normal_(std=_SMALL, generator=generator)))
        self.activation = ACTIVATIONS[activation]()
        self.norm = nn.LayerNorm(width, device="cpu", dtype=torch.float32)
        self.code = linear(width + 1, n_out, generator)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """Return codes, Tensor of shape (n, n_out)."""
        if not at_hand(ids):
            return self.as_expression(ids)
        there = ids > 0
        # The tokens of all rows one after the other: most cells of most rows are padding.
        (row, _), tokens = there.nonzero(as_tuple=True), F.embedding(ids[there], self.embeddings)
        neighbors = (row[1:] == row[:-1])[:, None]
        beside = F.pad(tokens[:-1] * neighbors * self.before, (0, 0, 1, 0))
        beside = beside + F.pad(tokens[1:] * neighbors * self.after, (0, 0, 0, 1))
        tokens = tokens + self.activation(beside)
        sums = tokens.new_zeros((len(ids), tokens.shape[1])).index_add(0, row, tokens)
        return self._of_sums(sums, there)

    def as_expression(self, ids: torch.Tensor) -> torch.Tensor:
        """The same with padding computed, too: for what traces, or maps rows."""
        places = torch.arange(ids.shape[1], device=ids.device)
        first = (places + (ids <= 0) * ids.shape[1]).argsort(dim=1)  # tokens before padding
        ids = ids.gather(1, first)
        there = ids > 0
        tokens = F.embedding(ids, self.embeddings) * there[:, :, None]
        nothing = torch.zeros_like(tokens[:, :1])
        before = torch.cat([nothing, tokens[:, :-1]], dim=1) * self.before
        after = torch.cat([tokens[:, 1:], nothing], dim=1) * self.after
        tokens = (tokens + self.activation(before + after)) * there[:, :, None]
        return self._of_sums(tokens.sum(1), there)

    def _of_sums(self, sums, there):
        counts = there.sum(1, keepdim=True).to(sums.dtype)
        means = self.norm(sums / counts.clamp_min(1))
        return self.code(torch.cat([means, counts.log1p()], dim=1))


class TokenDecoder(nn.Module):
    """Codes to states of the positions of a row, and whether a token is there.

    What the states say of tokens is up to :class:`~sklearn_replearn.likelihoods.Tokens`.

    Parameters
    ----------
    n_in : int
        Width of a code.
    length : int
        Of a row.
    generator : torch.Generator, on the CPU
    n_states : int, default=None
        At most ``length``, which None stands for.
    width : int, default=64
        Of a state.
    activation : {"relu", "gelu", "silu", "elu", "tanh"}, default="silu"

    Examples
    --------
    >>> import torch
    >>> from sklearn_replearn.modules import TokenDecoder
    >>> decoder = TokenDecoder(4, 3, torch.Generator().manual_seed(0), width=8)
    >>> decoder(torch.zeros(2, 4)).shape
    torch.Size([2, 27])
    """

    @validated(
        {
            "n_in": WIDTH,
            "length": [Whole()],
            "generator": GENERATOR,
            "n_states": [Whole(), None],
            "width": WIDTH,
            "activation": ACTIVATION,
        }
    )
    def __init__(
        self,
        n_in: int,
        length: int,
        generator: torch.Generator,
        n_states: int | None = None,
        width: int = 64,
        activation: Literal["relu", "gelu", "silu", "elu", "tanh"] = "silu",
    ) -> None:
        super().__init__()
        if n_states is not None and n_states > length:
            raise ValueError(f"n_states must be at most length={length}; got {n_states!r}.")
        self.topic = linear(n_in, width, generator)
        shape = length if n_states is None else n_states, width
        places = torch.empty(shape, dtype=torch.float32, device="cpu")
        places.normal_(std=1 / math.sqrt(width), generator=generator)
        self.places = nn.Parameter(places)
        self.activation = ACTIVATIONS[activation]()
        self.state = linear(width, width, generator)
        self.there = linear(n_in, length, generator)

    def forward(self, codes: torch.Tensor) -> torch.Tensor:
        """Return states and then log-odds, Tensor of shape (n, n_states * width + length)."""
        topics = self.topic(codes)[:, None]
        states = topics + self.state(self.activation(topics + self.places))
        return torch.cat([states.flatten(1), self.there(codes)], dim=1)
