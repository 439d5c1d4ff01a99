"""What is asked of a kind of row, with the answers that suit rows of numbers."""

import copy
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from .._dataset.multiset import Multiset
from .._dataset.sparse import SparseTable
from .._runtime.parameters import Instance, check_parameters
from .._runtime.sklearn import BaseEstimator
from .._scaling.profile import Profile
from .._scaling.scaler import SCALINGS, Scaler
from .._scaling.score_curves import ScoreCurves
from .._tables.names import name_columns
from .._tables.schema import Schema
from ..augmentations import Identity, SwapNoise
from ..likelihoods import Categorical, Gaussian, Ordinal, Poisson
from ..likelihoods.base import Likelihood
from ..likelihoods.joint import grouped, joint_of
from ..likelihoods.names import name_of
from ..modules import mlp
from ..modules.foreign import own_copy
from ..objectives import NTXent
from ..objectives.base import Objective

# Large enough for a thousand updates; without hidden layers the weights have further to go.
_LR, _LR_LINEAR = 5e-3, 2e-2
# Weights of the first layer by default at most, and its width at least.
_MOST_WEIGHTS, _NARROWEST = 2**23, 32
#: Share of cells swapped, in views and in corruptions.
SWAPPED = 0.3

#: What ``rows=`` takes.
KIND_OF_ROWS = Instance(
    ["to_table", "scaler"],
    "a kind of row, such as Table(), Images(shape), Arrays(shape) or Tokens(vocabulary_size) of "
    "sklearn_replearn.rows",
)


class Rows(BaseEstimator):
    """What a row is: how rows are read, scaled, encoded, varied and decoded.

    Estimators are given one as ``rows=``. A kind of row of one's own is a subclass of this or of
    :class:`Arrays` and overrides what differs, most often :meth:`encoder`, :meth:`decoder` and
    :meth:`augmentation`; its parameters are those of a scikit-learn estimator, stored as they are.
    What is learned in fit belongs to the scaler and the networks, never to this object.

    Attributes
    ----------
    hidden_layer_sizes : tuple of int or None
        What ``hidden_layer_sizes="auto"`` stands for, see :meth:`hidden`. None: the networks of
        these rows have no such layers, and an estimator refuses others than "auto".
    activation : str
        What ``activation="auto"`` stands for.
    padded : tuple of str or None
        Numbers of a :class:`NetworkPlan` that may be rounded up to multiples of 16, so that these
        networks compute rows independently in float32. None: they compute in float64 after fit.
    dense : bool
        Whether the networks are linear layers one behind the other.
    tabular : bool
        Whether each column is a quantity of its own, which may be missing, has a step (decimals,
        days) and a distribution of its own. Not so where cells share a scale, as in images.
    n_decoded : int or None
        Rows of a batch that a decoder learns from beside a contrastive objective; None: all.
    reconstruction_weight : float
        Of the decoder's error in what an encoder learns beside the default contrastive objective.

    Examples
    --------
    Rows of numbers with views of their own:

    >>> from sklearn_replearn import ContrastiveTransformer
    >>> from sklearn_replearn.augmentations import GaussianNoise
    >>> from sklearn_replearn.rows import Rows
    >>> class Noisy(Rows):
    ...     def augmentation(self):
    ...         return GaussianNoise(0.2)
    >>> encoder = ContrastiveTransformer(latent_dim=2, rows=Noisy(), max_epochs=2)
    >>> encoder.fit_transform([[0.5, 1.0], [2.5, 2.0], [1.5, 3.0]]).shape
    (3, 2)
    """

    hidden_layer_sizes: tuple[int, ...] | None = (256,)
    activation = "silu"
    padded: tuple[str, ...] | None = None
    dense = False
    tabular = True
    n_decoded: int | None = None
    reconstruction_weight = 0.0
    scaling = "auto"
    categorical_features = None

    def __eq__(self, other):
        return same(self, other)

    __hash__ = None

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        given = tags.input_tags
        # Cells that are missing need an encoding that says so.
        given.sparse = given.string = given.categorical = True
        return tags

    def hidden(self, n_inputs: int) -> tuple[int, ...]:
        """Widths of an encoder's hidden layers by default: narrower beyond 32,768 inputs.

        Networks of hashed texts would else need more memory than there is.
        """
        most = max(_NARROWEST, _MOST_WEIGHTS // n_inputs)
        return tuple(min(size, most) for size in self.hidden_layer_sizes or ())

    # ---------------------------------------------------------------- the door

    def in_form_of(self, X: Any) -> Self:
        """A copy that gives back rows in the form of ``X``, the table of fit.

        A copy, because the parameters of an estimator may change after fit.
        """
        check_parameters(self)
        return copy.copy(self)

    def to_table(self, X: Any) -> Any:
        """What is validated as a table of shape (n_samples, n_features)."""
        return X

    def row_to_table(self, x: Any) -> Any:
        """A single row as a table of one, where its form alone tells that it is one."""
        return x

    def from_table(self, table: Any) -> Any:
        """A table of decoded rows in the form that the rows of fit had."""
        return table

    def check(self, table: Any, schema: Schema) -> None:
        """Refuse tables that are valid tables and none of these rows.

        Raises
        ------
        ValueError
            Says what is wanted and what came.
        """

    def parts(self) -> list[Any]:
        """Objects of a user's that may draw from the global generators."""
        return [self, self.scaling]

    # ---------------------------------------------------------------- columns

    def likelihoods(
        self,
        profile: Profile,
        asked: Sequence[type[Likelihood] | None],
        binary: type[Likelihood],
        names: NDArray[Any] | None,
    ) -> list[type[Likelihood]]:
        """The likelihood of each column.

        Parameters
        ----------
        profile : Profile
        asked : list of class or None
            Asked for, for each column; None leaves it to the column.
        binary : class
            For columns of 0 and 1 of which none is asked for.
        names : ndarray of str or None

        Returns
        -------
        list of subclasses of Likelihood

        Raises
        ------
        ValueError
            If one that is asked for does not take its column.
        """
        auto = np.where(profile.zero_one, binary, Gaussian)
        auto[profile.counts] = Poisson
        of_categories = np.where(profile.levels.ordered, Ordinal, Categorical)
        chosen = [
            of_categories[j] if not number else auto[j] if kind is None else kind
            for j, (number, kind) in enumerate(zip(profile.numbers, asked, strict=True))
        ]
        for kind in dict.fromkeys(chosen):
            if kind.support.as_given:  # is looked at when columns are scaled
                continue
            which = np.array([j for j, other in enumerate(chosen) if other is kind], dtype=np.intp)
            which = which[profile.numbers[which]]
            bad = profile.outside(which, kind.support)
            if len(bad):
                raise ValueError(
                    f"likelihood={name_of(kind)!r} is for {kind.support.words}; "
                    f"other numbers are in {name_columns(names, bad)}."
                )
        return chosen

    def scaler(
        self,
        profile: Profile,
        multiset: Multiset,
        likelihoods: Sequence[type[Likelihood]],
        asked: Sequence[type[Likelihood] | None],
        names: NDArray[Any] | None,
        seed: int,
    ) -> Scaler:
        """How columns are scaled, learned from the training rows; see :class:`Scaler`."""
        self._check_scaling()
        by_ranks = profile.by_ranks(np.array([kind is None for kind in asked]))
        by_ranks &= np.array([kind.with_atoms is not None for kind in likelihoods])
        by_value = np.array([kind.by_ranks for kind in likelihoods])
        return Scaler(
            self.scaling,
            multiset,
            names,
            seed,
            profile=profile,
            supports=[kind.support for kind in likelihoods],
            by_ranks=by_ranks | by_value,
            by_value=by_value,
            levels=profile.levels,
        )

    def _check_scaling(self):
        scaling = self.scaling
        named = isinstance(scaling, str) and scaling in SCALINGS
        if not (scaling is None or named or hasattr(scaling, "inverse_transform")):
            raise ValueError(
                f"{type(self).__name__}: scaling must be one of {', '.join(SCALINGS)}, None, or a "
                f"transformer with fit, transform and inverse_transform; got {scaling!r}."
            )

    def curves(self, scaler: Scaler, multiset: Multiset) -> ScoreCurves | None:
        """Normal scores that an encoder sees beside scaled cells, where it asks for any, or None.

        Parameters
        ----------
        scaler : Scaler
        multiset : Multiset
            The training rows.

        Returns
        -------
        ScoreCurves or None
        """
        return None

    def encoding(self, scaler: Scaler, hides: bool) -> nn.Module | None:
        """The first module of an encoder, or None where it takes scaled cells as they are.

        Parameters
        ----------
        scaler : Scaler
        hides : bool
            Whether augmentations make cells missing: then any column may have missing cells.
        """
        return None

    def likelihood(
        self,
        likelihoods: Sequence[type[Likelihood]],
        scaler: Scaler,
        scale: float | None,
        for_errors: bool,
    ) -> Likelihood:
        """What the decoder says of all columns together; see :meth:`Likelihood.for_columns`."""
        kinds = list(likelihoods)
        for j, scores in scaler.ranked.items():
            if kinds[j].with_atoms is not None and len(scores.intervals()[0]):
                kinds[j] = kinds[j].with_atoms
        return joint_of(grouped(kinds), scaler, scale, for_errors)

    # ---------------------------------------------------------------- networks

    def encoder(self, plan: Any, n_out: int, generator: torch.Generator) -> nn.Module:
        """Scaled (and encoded) cells, ``plan.n_inputs`` a row, to ``n_out`` numbers a row.

        Parameters
        ----------
        plan : NetworkPlan
        n_out : int
        generator : torch.Generator
            To draw initial weights from.

        Returns
        -------
        torch.nn.Module
        """
        return mlp((plan.n_inputs, *plan.hidden, n_out), plan.activation, generator)

    def decoder(self, plan: Any, generator: torch.Generator) -> nn.Module:
        """Codes, ``plan.latent_dim`` a row, to ``plan.n_outputs`` numbers for the likelihood."""
        sizes = (plan.latent_dim, *plan.hidden[::-1], plan.n_outputs)
        return mlp(sizes, plan.activation, generator)

    def start(self, network: nn.Module, train_rows: Any) -> None:
        """What a network of initial weights is told of the rows before it is trained: nothing."""

    def given_encoder(self, plan: Any, n_out: int) -> nn.Module:
        """A copy of the encoder that a user gives, or the one that is built by what is given."""
        return own_copy(plan.encoder, plan.n_inputs, n_out)

    def given_decoder(self, plan: Any) -> nn.Module:
        """A copy of the decoder that a user gives, or the one that is built by what is given."""
        return own_copy(plan.decoder, plan.latent_dim, plan.n_outputs)

    # ---------------------------------------------------------------- views and objectives

    def bound(self, augmentation: Any, scaler: Scaler) -> Any:
        """An augmentation of rows of this kind, as one of scaled cells."""
        return augmentation

    def corruption(self, scaler: Scaler) -> Any:
        """That of an autoencoder by default."""
        return Identity()

    def augmentation(self) -> Any:
        """The views of a contrastive objective by default."""
        return SwapNoise(SWAPPED)

    def objective(self) -> Objective:
        """What compares them by default."""
        return NTXent()

    def lr(self, plan: Any, scaler: Scaler) -> float:
        """The learning rate by default."""
        return _LR if plan.hidden else _LR_LINEAR


def same(a, b):
    """Whether two parameters say the same: small objects by their own parameters."""
    if a is b:
        return True
    if type(a) is not type(b):
        return False
    if hasattr(a, "get_params"):
        mine, others = a.get_params(deep=False), b.get_params(deep=False)
        return all(same(value, others[name]) for name, value in mine.items())
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    return np.array_equal(a, b) if hasattr(a, "shape") else bool(a == b)


def table_of(rows, X):
    """What ``rows`` make of ``X``, if it is a table with a row for each row of ``X``.

    Raises
    ------
    ValueError
        Says what is wanted and what came.
    """
    table = rows.to_table(X)
    if table is X:
        return X
    shape, n_rows = getattr(table, "shape", None), X.shape[0] if hasattr(X, "shape") else len(X)
    if shape is None or len(shape) != 2 or shape[0] != n_rows:
        came = type(table).__name__ if shape is None else f"shape {tuple(shape)}"
        raise ValueError(
            f"{type(rows).__name__}.to_table must return an array or frame of shape ({n_rows}, "
            f"n_features), a row for each row that it is given; it returned {came}."
        )
    return table


def reject_other_than_numbers(table, schema, rows):
    """Refuse sparse tables, categories and missing cells, for rows that are ``rows``."""
    leveled = schema.levels(table.shape[1]).any
    if isinstance(table, SparseTable) or leveled:
        kind = "a sparse matrix" if isinstance(table, SparseTable) else "text or categories"
        raise ValueError(f"{rows} are rows of an array of numbers; got {kind}.")
    gone = np.flatnonzero(np.isnan(table).any(axis=0)) if np.isnan(table.sum()) else ()
    if len(gone):
        raise ValueError(
            f"In {rows} no cell may be missing; NaN is in {name_columns(schema.names, gone)}. "
            "Fill or leave out these rows first."
        )


def reject_hiding(hides, rows):
    """Refuse augmentations that make cells missing, for rows that are ``rows``."""
    if hides:
        raise ValueError(
            f"MaskFeatures(value=nan) hides cells of tables; rows are {rows}. Use one of the "
            f"augmentations of {rows}."
        )
