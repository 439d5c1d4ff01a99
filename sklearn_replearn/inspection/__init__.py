"""Displays: what fitted estimators look like, drawn with matplotlib (extra ``plot``)."""

from .history import HistoryDisplay
from .latent_map import LatentMapDisplay
from .real_and_drawn import SampleDisplay
from .reconstructions import ReconstructionDisplay

__all__ = ["HistoryDisplay", "LatentMapDisplay", "ReconstructionDisplay", "SampleDisplay"]
