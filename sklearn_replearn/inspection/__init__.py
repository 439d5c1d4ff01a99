"""Displays: what fitted estimators look like, drawn with matplotlib (extra ``plot``)."""

from .code_dependence import CodeDependenceDisplay, code_dependence
from .history import HistoryDisplay
from .latent_dim import LatentDimDisplay
from .latent_map import LatentMapDisplay
from .p_values import PValueDisplay
from .real_and_drawn import SampleDisplay
from .reasons import ReasonsDisplay
from .reconstructions import ReconstructionDisplay
from .traversal import TraversalDisplay, code_traversal

__all__ = [
    "CodeDependenceDisplay",
    "HistoryDisplay",
    "LatentDimDisplay",
    "LatentMapDisplay",
    "PValueDisplay",
    "ReasonsDisplay",
    "ReconstructionDisplay",
    "SampleDisplay",
    "TraversalDisplay",
    "code_dependence",
    "code_traversal",
]
