"""Displays: what fitted estimators look like, drawn with matplotlib (extra ``plot``)."""

from .history import HistoryDisplay
from .latent_map import LatentMapDisplay
from .reconstructions import ReconstructionDisplay

__all__ = ["HistoryDisplay", "LatentMapDisplay", "ReconstructionDisplay"]
