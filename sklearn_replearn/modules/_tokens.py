"""Networks for rows of token ids; 0 is padding, and the number of tokens is the mask."""

import math

import torch
from torch import nn
from torch.nn import functional as F

from ._layers import ACTIVATIONS, linear


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

    def __init__(self, length):
        super().__init__()
        self.width = length

    def forward(self, rows):
        """Return ids, Tensor of shape (n, length), int64."""
        return rows.nan_to_num().long()


class TokenEncoder(nn.Module):
    """Embeddings, a convolution along the row beside them, their mean, and a linear map.

    Padding counts nowhere: neither for its neighbours nor in the mean.

    Parameters
    ----------
    vocabulary_size : int
        Ids are below it; the id ``vocabulary_size`` itself stands for a masked token.
    n_out : int
    generator : torch.Generator, on the CPU
    width : int, default=64
        Of an embedding.
    activation : {"relu", "gelu", "silu", "elu", "tanh"}, default="silu"

    Examples
    --------
    >>> import torch
    >>> from sklearn_replearn.modules import TokenEncoder
    >>> encoder = TokenEncoder(10, 4, torch.Generator().manual_seed(0))
    >>> encoder(torch.tensor([[3, 9, 0], [5, 0, 0]])).shape
    torch.Size([2, 4])
    """

    def __init__(self, vocabulary_size, n_out, generator, width=64, activation="silu"):
        super().__init__()
        embeddings = torch.empty((vocabulary_size + 1, width), dtype=torch.float32, device="cpu")
        self.embeddings = nn.Parameter(embeddings.normal_(generator=generator))
        self.before = linear(width, width, generator)
        self.here = linear(width, width, generator)
        self.after = linear(width, width, generator)
        self.activation = ACTIVATIONS[activation]()
        self.code = linear(width, n_out, generator)

    def forward(self, ids):
        """Return codes, Tensor of shape (n, n_out)."""
        there = (ids > 0)[:, :, None]
        tokens = F.embedding(ids, self.embeddings) * there
        left = F.pad(tokens, (0, 0, 1, -1))
        right = F.pad(tokens, (0, 0, -1, 1))
        mixed = self.before(left) + self.here(tokens) + self.after(right)
        tokens = (tokens + self.activation(mixed)) * there
        return self.code(tokens.sum(1) / there.sum(1).clamp_min(1))


class TokenDecoder(nn.Module):
    """Codes to a state for each position of a row, and whether a token is there.

    What the states say of tokens is up to :class:`~sklearn_replearn.likelihoods.Tokens`.

    Parameters
    ----------
    n_in : int
        Width of a code.
    length : int
        Of a row.
    generator : torch.Generator, on the CPU
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

    def __init__(self, n_in, length, generator, width=64, activation="silu"):
        super().__init__()
        self.topic = linear(n_in, width, generator)
        places = torch.empty((length, width), dtype=torch.float32, device="cpu")
        places.normal_(std=1 / math.sqrt(width), generator=generator)
        self.places = nn.Parameter(places)
        self.activation = ACTIVATIONS[activation]()
        self.state = linear(width, width, generator)
        self.there = linear(n_in, length, generator)

    def forward(self, codes):
        """Return states and then log-odds, Tensor of shape (n, length * width + length)."""
        topics = self.topic(codes)
        states = self.state(self.activation(topics[:, None] + self.places))
        return torch.cat([(states + topics[:, None]).flatten(1), self.there(codes)], dim=1)
