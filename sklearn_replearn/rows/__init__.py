"""What a row is: a row of a table, an array, an image, tokens, or a kind of your own.

Estimators are given one of these as ``rows=``. To add a kind, see :class:`Rows`.
"""

from .arrays import Arrays
from .base import Rows
from .images import Images
from .table import Table
from .tokens import Tokens

__all__ = ["Arrays", "Images", "Rows", "Table", "Tokens"]
