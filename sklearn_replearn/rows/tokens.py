"""Rows of token ids, such as short texts."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from .._dataset.multiset import Multiset
from .._runtime.arrays import slices
from .._runtime.parameters import is_whole
from .._scaling.latent_semantics import latent_semantics
from .._scaling.profile import Profile
from .._scaling.scaler import Scaler
from .._scaling.token_ids import TokenIds as UnscaledIds
from .._tables.schema import Schema
from ..augmentations import Compose, CropTokens, MaskTokens, TokenDropout
from ..augmentations._binding import OnTokens
from ..likelihoods import Gaussian
from ..likelihoods import Tokens as TokensLikelihood
from ..likelihoods.base import Likelihood
from ..likelihoods.names import name_of
from ..modules import TokenDecoder, TokenEncoder, TokenIds
from ..modules.foreign import own_copy
from ..objectives import NTXent
from ..objectives.base import Objective
from .base import Rows, reject_hiding, reject_other_than_numbers

_LR = 2e-3
_DECODED = 64
_CELLS = 2**20
_CELLS_LOOKED_AT = 2**24
_LOGITS = 2**14  # of a row: more take seconds a step


class Tokens(Rows):
    """Rows of token ids: whole numbers below the size of the vocabulary, 0 for padding.

    Networks are those of tokens (:class:`~sklearn_replearn.modules.TokenEncoder`). Augmentations
    and a given ``encoder`` see ids (int64). The id ``vocabulary_size`` itself stands for a masked
    token: an encoder must know it, too.

    Embeddings start at latent semantic analysis of the training rows and are trained on.

    Parameters
    ----------
    vocabulary_size : int
        Ids are below it.

    Examples
    --------
    >>> from sklearn_replearn import AutoencoderTransformer
    >>> from sklearn_replearn.rows import Tokens
    >>> texts = [[3, 1, 0], [2, 2, 4], [1, 0, 0], [4, 3, 1]]
    >>> encoder = AutoencoderTransformer(latent_dim=2, rows=Tokens(5), max_epochs=2)
    >>> encoder.fit_transform(texts).shape
    (4, 2)
    """

    hidden_layer_sizes = None
    tabular = False
    n_decoded = _DECODED

    def __init__(self, vocabulary_size: int) -> None:
        self.vocabulary_size = vocabulary_size

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        given = tags.input_tags
        given.sparse = given.string = given.categorical = False
        return tags

    @property
    def _size(self):
        """The size of the vocabulary, checked."""
        size = self.vocabulary_size
        if not is_whole(size) or not 2 <= size < 2**31:
            raise ValueError(
                "Tokens: vocabulary_size must be a whole number of at least 2, one more than the "
                f"largest id; got {self.vocabulary_size!r}."
            )
        return int(self.vocabulary_size)

    def check(self, table: Any, schema: Schema) -> None:
        """Refuse what is no id of the vocabulary."""
        reject_other_than_numbers(table, schema, "Tokens")
        size = self._size
        for part in slices(len(table), max(1, _CELLS // table.shape[1])):
            ids = table[part]
            low, high = ids.min(), ids.max()
            if low < 0 or high >= size:
                raise ValueError(
                    f"Tokens({size}) takes token ids from 0 (padding) to {size - 1}; the table "
                    f"has {low if low < 0 else high:.6g}."
                )
            if (ids != np.rint(ids)).any():
                raise ValueError(
                    f"In Tokens({size}) cells are token ids, whole numbers; the table has "
                    f"{ids[ids != np.rint(ids)][0]:.6g}."
                )

    def likelihoods(
        self,
        profile: Profile,
        asked: Sequence[type[Likelihood] | None],
        binary: type[Likelihood],
        names: NDArray[Any] | None,
    ) -> list[type[Likelihood]]:
        """A softmax over the tokens, whatever the errors of numbers are."""
        others = {kind for kind in asked if kind not in (None, Gaussian)}
        if others:
            given = ", ".join(sorted(map(name_of, others)))
            raise ValueError(
                "Token ids are names, not numbers: leave the loss or likelihood as it is by "
                f"default; got {given}."
            )
        return [TokensLikelihood] * len(asked)

    def scaler(
        self,
        profile: Profile,
        multiset: Multiset,
        likelihoods: Sequence[type[Likelihood]],
        asked: Sequence[type[Likelihood] | None],
        names: NDArray[Any] | None,
        seed: int,
    ) -> Scaler:
        """Ids are not scaled."""
        return UnscaledIds(self._size, multiset, names, seed, profile=profile)

    def encoding(self, scaler: Scaler, hides: bool) -> nn.Module | None:
        """Cells to whole numbers."""
        reject_hiding(hides, "tokens")
        return TokenIds(len(scaler.low))

    def likelihood(
        self,
        likelihoods: Sequence[type[Likelihood]],
        scaler: Scaler,
        scale: float | None,
        for_errors: bool,
    ) -> Likelihood:
        """See :class:`~sklearn_replearn.likelihoods.Tokens`."""
        length = len(scaler.low)
        n_states = self._n_states(length)
        return TokensLikelihood(length, scaler.frequencies, scaler.filled, n_states)

    def _n_states(self, length):
        """States of a decoder: one for each position only where the vocabulary is small."""
        return max(1, min(length, _LOGITS // self._size))

    def encoder(self, plan: Any, n_out: int, generator: torch.Generator) -> nn.Module:
        """Embeddings and their mean."""
        return TokenEncoder(self._size, n_out, generator, activation=plan.activation)

    def start(self, network: nn.Module, train_rows: Any) -> None:
        """Embeddings of which the mean is a row's place in latent semantic analysis."""
        encoder, multiset = network.encoder, train_rows.multiset
        if type(encoder) is TokenEncoder:
            rows = multiset.sample(max(1, _CELLS_LOOKED_AT // multiset.width))
            drawn = encoder.embeddings.cpu().double()
            encoder.embeddings.copy_(
                latent_semantics(multiset.values(rows).astype(np.int64), drawn)
            )

    def decoder(self, plan: Any, generator: torch.Generator) -> nn.Module:
        """States of the positions of a row."""
        length = plan.n_features
        n_states = self._n_states(length)
        return TokenDecoder(
            plan.latent_dim, length, generator, n_states, activation=plan.activation
        )

    def given_encoder(self, plan: Any, n_out: int) -> nn.Module:
        """A user's encoder, tried with the largest id, that of a masked token."""
        ids = torch.full((2, plan.n_inputs), self._size, dtype=torch.int64, device="cpu")
        return own_copy(plan.encoder, plan.n_inputs, n_out, ids)

    def bound(self, augmentation: Any, scaler: Scaler) -> Any:
        """An augmentation of ids as one of rows of numbers."""
        return OnTokens(augmentation, self._size)

    def corruption(self, scaler: Scaler) -> Any:
        """Some tokens masked."""
        return MaskTokens(self._size)

    def augmentation(self) -> Any:
        """Spans, with some tokens dropped."""
        return Compose([CropTokens((0.3, 1.0)), TokenDropout(0.5)])

    def objective(self) -> Objective:
        """At a temperature of 0.3, behind a wider projector."""
        return NTXent(temperature=0.3, projector_sizes=(256, 128))

    def lr(self, plan: Any, scaler: Scaler) -> float:
        """Lower than for tables."""
        return _LR
