"""Displays: what fitted estimators look like, drawn with matplotlib (extra ``plot``)."""

from .code_dependence import CodeDependenceDisplay, code_dependence
from .history import HistoryDisplay
from .latent_dim import LatentDimDisplay
from .latent_map import LatentMapDisplay
from .p_values import PValueDisplay
from .reasons import ReasonsDisplay
from .traversal import TraversalDisplay, code_traversal

__all__ = [
    "CodeDependenceDisplay",
    "HistoryDisplay",
    "LatentDimDisplay",
    "LatentMapDisplay",
    "PValueDisplay",
    "ReasonsDisplay",
    "TraversalDisplay",
    "code_dependence",
    "code_traversal",
]
