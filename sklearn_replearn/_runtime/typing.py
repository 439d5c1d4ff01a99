"""What public signatures take and give, for type checkers: tables and seeds."""

from collections.abc import Callable
from os import PathLike
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import ArrayLike


class HasShape(Protocol):
    """Frames of any kind, sparse matrices, tensors."""

    @property
    def shape(self) -> Any: ...


class HasArrowStream(Protocol):
    """What gives a table by Arrow's interface, such as relations and readers."""

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any: ...


#: Rows of a user's.
TableLike = ArrayLike | HasShape | HasArrowStream

#: What draws start from.
Seed = int | np.random.RandomState | None

#: Where files are written.
Folder = str | PathLike[str]

#: A function that a decorator gives back with the same signature.
Function = TypeVar("Function", bound=Callable[..., Any])
