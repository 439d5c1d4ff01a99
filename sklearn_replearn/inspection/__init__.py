"""Displays: what fitted estimators look like, drawn with matplotlib (extra ``plot``)."""

from .code_dependence import CodeDependenceDisplay, code_dependence

__all__ = ["CodeDependenceDisplay", "code_dependence"]
