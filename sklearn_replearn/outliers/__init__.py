"""Which rows of a table are anomalous, why, and how sure that is."""

from .detector import OutlierDetector

__all__ = ["OutlierDetector"]
