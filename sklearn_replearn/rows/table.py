"""Rows of a table, each column of a kind of its own."""

from typing import Any, Literal

import torch
from numpy.typing import ArrayLike
from sklearn.utils import get_tags
from torch import nn

from .._dataset.multiset import Multiset
from .._dataset.sparse import SparseTable
from .._runtime.parameters import Each
from .._runtime.sklearn import StrOptions
from .._scaling.scaler import Scaler
from .._scaling.score_curves import ScoreCurves, score_curves
from ..augmentations import Identity, SwapNoise
from ..augmentations._binding import OnTables
from ..modules import ColumnEncoding, LinearSkip, linear
from .base import SWAPPED, Rows

# Beside categories and for sparse counts.
_LR_MIXED = 2e-3
_DECODED = 128
# Beside 1, tried on a few tables: that keeps more small differences, less of what views teach.
_RECONSTRUCTION_WEIGHT = 0.3


class Table(Rows):
    """Rows of a table of numbers, booleans, dates, strings and categories.

    Parameters
    ----------
    categorical_features : "from_dtype", array-like of bool, int or str, or None, \
default="from_dtype"
        Columns of numbers that are categories, as a mask, by number or by name. Columns of strings
        and of a categorical dtype are categories anyway; "from_dtype" and None add none.
    scaling : {"auto", "standard", "robust", "quantile", "minmax"}, transformer or None, \
default="auto"
        How columns of numbers are scaled inside. "auto" is "standard" (mean 0, standard deviation
        1), "quantile" for heavy-tailed columns (and in VAETransformer beside categories), and None
        where the decoder takes columns within [0, 1]. "quantile" maps each column to a normal
        distribution by its ranks. A transformer of scikit-learn must have an
        ``inverse_transform``, keep the number of columns and scale each by itself. Counts of a
        sparse table are seen as log(1 + count) whatever the scaling.

    Examples
    --------
    >>> from sklearn_replearn import AutoencoderTransformer
    >>> from sklearn_replearn.rows import Table
    >>> rows = Table(categorical_features=[1], scaling="robust")
    >>> encoder = AutoencoderTransformer(latent_dim=2, rows=rows, max_epochs=2)
    >>> encoder.fit_transform([[0.5, 1], [2.5, 2], [1.5, 1]]).shape
    (3, 2)
    """

    n_decoded = _DECODED
    reconstruction_weight = _RECONSTRUCTION_WEIGHT
    padded = ("n_inputs", "n_outputs", "latent_dim")
    dense = True

    _parameter_constraints = {
        "categorical_features": [
            StrOptions({"from_dtype"}),
            Each(object, words="a list of names or numbers of columns, or a mask of them"),
            None,
        ],
    }

    def __init__(
        self,
        categorical_features: Literal["from_dtype"] | ArrayLike | None = "from_dtype",
        scaling: Any = "auto",
    ) -> None:
        self.categorical_features = categorical_features
        self.scaling = scaling

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags

    def curves(self, scaler: Scaler, multiset: Multiset) -> ScoreCurves | None:
        """Those of columns that are far from normal, with ``scaling="auto"``.

        In a sparse table all columns are far from it: they would be twice as many.
        """
        auto = isinstance(self.scaling, str) and self.scaling == "auto"
        if not auto or isinstance(multiset.table, SparseTable):
            return None
        return score_curves(scaler, multiset)

    def encoding(self, scaler: Scaler, hides: bool) -> nn.Module | None:
        """Levels one-hot, which cells are missing, and normal scores.

        None for complete tables of numbers that are nearly normal.
        """
        if scaler.plain and not hides and not scaler.curves:
            return None
        levels, missing = scaler.levels, scaler.missing | hides
        return ColumnEncoding(
            levels.sizes.tolist(), missing.tolist(), levels.shares, scaler.rarity, scaler.curves
        )

    def encoder(self, plan: Any, n_out: int, generator: torch.Generator) -> nn.Module:
        """Linear layers; a linear skip beside them where levels are one-hot."""
        encoder = super().encoder(plan, n_out, generator)
        if plan.hidden and not plan.plain:
            # Levels one-hot say much that is linear: measured on mixed tables, see benchmarks.
            return LinearSkip(encoder, linear(plan.n_inputs, n_out, generator))
        return encoder

    def bound(self, augmentation: Any, scaler: Scaler) -> Any:
        """An augmentation that is told which columns are categories."""
        if not scaler.mixed:
            return augmentation
        return OnTables(augmentation, torch.from_numpy(~scaler.numbers))

    def corruption(self, scaler: Scaler) -> Any:
        """None for numbers, :class:`SwapNoise` beside categories."""
        return SwapNoise(SWAPPED) if scaler.mixed else Identity()

    def augmentation(self) -> Any:
        """:class:`SwapNoise`."""
        return SwapNoise(SWAPPED)

    def lr(self, plan: Any, scaler: Scaler) -> float:
        """Lower beside categories and for sparse counts."""
        of_codes = scaler.mixed or scaler.rarity is not None
        return _LR_MIXED if plan.hidden and of_codes else super().lr(plan, scaler)


def input_tags(rows):
    """What an estimator takes by its ``rows``, in scikit-learn's words."""
    # Others than rows are refused by fit; whoever only asks for tags is not the one to be told.
    return get_tags(rows if isinstance(rows, Rows) else Table()).input_tags
