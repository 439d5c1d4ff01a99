"""Which rows of a table are anomalous, why, and how sure that is."""

from .detector import OutlierDetector
from .evidence import Evidence
from .judges.base import Judge
from .judges.bulk import FarFromBulk
from .judges.density import LowDensity
from .judges.estimator import EstimatorScore, TrimmedEstimatorScore
from .judges.nearest import NearestDistance
from .judges.pairs import CellSurprise
from .judges.reconstruction import ReconstructionError
from .observations import Observations

__all__ = [
    "CellSurprise",
    "EstimatorScore",
    "Evidence",
    "FarFromBulk",
    "Judge",
    "LowDensity",
    "NearestDistance",
    "Observations",
    "OutlierDetector",
    "ReconstructionError",
    "TrimmedEstimatorScore",
]
