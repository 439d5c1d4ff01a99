"""Displays: what fitted estimators look like, drawn with matplotlib (extra ``plot``)."""

__all__: list[str] = []
