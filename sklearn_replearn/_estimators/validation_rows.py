"""Rows of a user's own that judge the epochs of a fit, and take no part in it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .._dataset.columns import row_weights
from .._dataset.metadata import RowMetadata
from .._dataset.multiset import canonical
from .._dataset.sparse import SparseTable
from .._tables.parts import reject_parts
from .._tables.readers import as_read
from .._tables.validation import read_table
from ..rows.base import table_of


@dataclass(frozen=True)
class ValidationRows:
    """What a user gives as ``X_val``, and what stands beside these rows.

    Attributes
    ----------
    X : array-like, frame or sparse matrix of shape (n_samples, n_features)
    sample_weight : array-like of shape (n_samples,) or None
    metadata_of : callable or None
        Takes the number of rows and gives their :class:`RowMetadata`.
    beside : dict
        By name, what else was given beside these rows.
    """

    X: Any
    sample_weight: Any = None
    metadata_of: Callable[[int], RowMetadata] | None = None
    beside: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def given(cls, X_val, sample_weight_val, metadata_of=None, **beside):
        """Those that were given to ``fit``, or None.

        Parameters
        ----------
        X_val, sample_weight_val
            As given to ``fit``.
        metadata_of : callable, default=None
        **beside
            By name, what else stands beside rows of ``X_val``.

        Raises
        ------
        ValueError
            If something stands beside rows that there are none of.
        """
        if X_val is not None:
            return cls(X_val, sample_weight_val, metadata_of, beside)
        for name, values in {"sample_weight_val": sample_weight_val, **beside}.items():
            if values is not None:
                raise ValueError(
                    f"{name} belongs to rows of X_val, and X_val is None. Give X_val, or leave "
                    f"{name} out."
                )
        return None

    def shown(self):
        """X, y and metadata of these rows, as a fit to them would be given them."""
        beside = {name.removesuffix("_val"): values for name, values in self.beside.items()}
        return self.X, beside.pop("y", None), {"sample_weight": self.sample_weight, **beside}

    def read(self, estimator, rows, schema, scaler):
        """The rows in canonical order, and what stands beside those of the table.

        They are read as rows after fit are: by the schema of fit, of which they change nothing.

        Returns
        -------
        multiset : Multiset
        metadata : RowMetadata or None

        Raises
        ------
        ValueError
            If they are no rows like those of ``X``.
        """
        try:
            if not isinstance(self.X, str):  # a text is no table here, also if it is a path
                reject_parts(self.X, "X_val")
            table, _ = read_table(estimator, table_of(rows, as_read(self.X)), schema=schema)
            rows.check(table, schema)
            scaler.check_counts(table)
            estimator._check_later(table, schema, scaler)
        except (TypeError, ValueError) as problem:
            raise ValueError(f"X_val must hold rows like those of X: {problem}") from problem
        try:
            weights = row_weights(self.sample_weight, table)
            metadata = None if self.metadata_of is None else self.metadata_of(len(table))
        except ValueError as problem:
            raise ValueError(f"Beside the rows of X_val: {problem}") from problem
        if not isinstance(table, SparseTable):
            table = np.ascontiguousarray(table)
        if metadata is not None:
            metadata = metadata.of_counting(weights > 0)
        return canonical(
            table, weights, None if metadata is None else metadata.as_columns()
        ), metadata
