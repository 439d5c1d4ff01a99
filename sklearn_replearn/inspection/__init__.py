"""Displays: what fitted estimators look like, drawn with matplotlib (extra ``plot``)."""

from .history import HistoryDisplay

__all__ = ["HistoryDisplay"]
