"""Which rows of a table are anomalous, why, and how sure that is."""

from .detector import OutlierDetector
from .judges.base import Judge
from .judges.density import LowDensity
from .judges.estimator import EstimatorScore
from .judges.nearest import NearestDistance
from .judges.pairs import PairDensity
from .judges.trimmed import Trimmed
from .observations import Observations

__all__ = [
    "EstimatorScore",
    "Judge",
    "LowDensity",
    "NearestDistance",
    "Observations",
    "OutlierDetector",
    "PairDensity",
    "Trimmed",
]
