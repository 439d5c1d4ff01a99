"""Augmentations of tokens: Tensor of shape (n, length) of ids; 0 is padding."""

from collections.abc import Sequence

import torch

from .._runtime.parameters import is_whole
from .._runtime.sklearn import BaseEstimator
from ._ranges import check_generator, check_probability, check_tensor, check_whole, checked_range


class MaskTokens(BaseEstimator):
    """Replace a random subset of the tokens by one that stands for any.

    Parameters
    ----------
    mask_id : int
        Id of that token.
    p : float, default=0.15
        Probability that a token is replaced.
    special_ids : sequence of int, default=()
        Ids that are never replaced, such as that of a token for the start.

    References
    ----------
    Devlin et al. (2019), *BERT: pre-training of deep bidirectional transformers for language
    understanding*.

    Notes
    -----
    The paper replaces some of the drawn tokens by random ones and leaves some; here all are masked.

    Examples
    --------
    >>> import torch
    >>> from sklearn_replearn.augmentations import MaskTokens
    >>> mask = MaskTokens(mask_id=9, p=1.0, special_ids=[1])
    >>> mask(torch.tensor([[1, 4, 7, 0]]), torch.Generator())
    tensor([[1, 9, 9, 0]])
    """

    def __init__(self, mask_id: int, p: float = 0.15, special_ids: Sequence[int] = ()) -> None:
        self.mask_id = mask_id
        self.p = p
        self.special_ids = special_ids

    def __call__(self, tokens: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Return tokens, some of them masked, Tensor of shape (n, length)."""
        check_whole("mask_id", self.mask_id, "an integer of at least 1", 1)
        check_probability(self.p)
        _, ordinary = _kinds(tokens, self.special_ids, generator)
        drawn = _uniform(tokens, generator, tokens.shape) < self.p
        return tokens.masked_fill(drawn & ordinary, self.mask_id)


class TokenDropout(BaseEstimator):
    """Delete a random subset of the tokens; those behind them move up.

    Parameters
    ----------
    p : float, default=0.1
        Probability that a token is deleted. One token of each row always stays, beside special
        ones.
    special_ids : sequence of int, default=()
        Ids that are never deleted, such as that of a token for the start.

    References
    ----------
    Wei and Zou (2019), *EDA: easy data augmentation techniques for boosting performance on text
    classification tasks*.

    Examples
    --------
    >>> import torch
    >>> from sklearn_replearn.augmentations import TokenDropout
    >>> tokens = torch.tensor([[1, 4, 7, 5, 8, 0]])
    >>> TokenDropout(0.5, special_ids=[1])(tokens, torch.Generator().manual_seed(0))
    tensor([[1, 4, 0, 0, 0, 0]])
    """

    def __init__(self, p: float = 0.1, special_ids: Sequence[int] = ()) -> None:
        self.p = p
        self.special_ids = special_ids

    def __call__(self, tokens: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Return the tokens left, padding behind them, Tensor of shape (n, length)."""
        check_probability(self.p)
        real, ordinary = _kinds(tokens, self.special_ids, generator)
        drawn = _uniform(tokens, generator, tokens.shape)
        # The last to be deleted is not.
        last = drawn.masked_fill(~ordinary, -1.0).argmax(1, keepdim=True)
        deleted = (ordinary & (drawn < self.p)).scatter_(1, last, False)
        return _compacted(tokens, real & ~deleted)


class CropTokens(BaseEstimator):
    """Keep a random span of the tokens of each row, moved to its front.

    Parameters
    ----------
    scale : pair of float, default=(0.5, 1.0)
        Smallest and largest share of a row's tokens in the span, between 0 and 1; at least one
        token is kept. Shares are drawn uniformly, and so are the places of spans.
    special_ids : sequence of int, default=()
        Ids that are kept wherever they are and not counted, such as that of a token for the start.

    References
    ----------
    Giorgi et al. (2021), *DeCLUTR: deep contrastive learning for unsupervised textual
    representations*.

    Notes
    -----
    The paper draws the lengths of spans from a beta distribution.

    Examples
    --------
    >>> import torch
    >>> from sklearn_replearn.augmentations import CropTokens
    >>> tokens = torch.tensor([[1, 4, 7, 5, 8, 0]])
    >>> CropTokens((0.5, 0.5), special_ids=[1])(tokens, torch.Generator().manual_seed(0))
    tensor([[1, 5, 8, 0, 0, 0]])
    """

    def __init__(
        self, scale: tuple[float, float] = (0.5, 1.0), special_ids: Sequence[int] = ()
    ) -> None:
        self.scale = scale
        self.special_ids = special_ids

    def __call__(self, tokens: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Return spans, padding behind them, Tensor of shape (n, length)."""
        low, high = checked_range("scale", self.scale, 0, 1)
        real, ordinary = _kinds(tokens, self.special_ids, generator)
        share, place = _uniform(tokens, generator, (2, len(tokens), 1))
        number = ordinary.cumsum(1)  # from 1
        count = number[:, -1:]
        length = ((low + (high - low) * share) * count).round().clamp_min(1)
        start = (place * (count - length + 1)).floor()
        inside = (number > start) & (number <= start + length)
        return _compacted(tokens, real & (inside | ~ordinary))


def _kinds(tokens, special_ids, generator):
    """Which tokens are no padding, and which of them may change, both of the shape of ``tokens``.

    Raises
    ------
    ValueError
        If these are no ids, or no rows of ids.
    """
    check_generator(generator)
    check_tensor("tokens", tokens)
    if tokens.ndim != 2 or tokens.is_floating_point() or tokens.is_complex():
        raise ValueError(
            f"tokens must be an integer tensor of shape (n, length); got {tokens.dtype} of shape "
            f"{tuple(tokens.shape)}. Rows of numbers become tokens with rows.long()."
        )
    try:
        good = all(is_whole(token) for token in special_ids)
        good = good and not isinstance(special_ids, bytes)
    except TypeError:
        good = False
    if not good:
        raise ValueError(f"special_ids is a sequence of integers; got {special_ids!r}.")
    real = tokens != 0
    ordinary = real
    for token in special_ids:
        ordinary = ordinary & (tokens != token)
    return real, ordinary


def _uniform(tokens, generator, shape):
    return torch.rand(shape, generator=generator, device=tokens.device, dtype=torch.float32)


def _compacted(tokens, kept):
    """Tokens that are kept, in order, at the front of their rows; behind them padding."""
    last = tokens.shape[1] - 1
    # Where a token goes, the last place of its row is left: zeros may be written there.
    places = torch.where(kept, kept.cumsum(1) - 1, last)
    return torch.zeros_like(tokens).scatter_(1, places, tokens * kept)
