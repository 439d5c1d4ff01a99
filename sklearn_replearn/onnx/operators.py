"""What nodes torch functions are, by their names."""

from .elementwise import ELEMENTWISE
from .indexing import INDEXING
from .layers import LAYERS

#: Of all functions that networks may call.
OPERATORS = {**ELEMENTWISE, **INDEXING, **LAYERS}
