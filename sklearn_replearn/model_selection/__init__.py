"""Searches for parameters."""

from .stacked_search import StackedSearchCV

__all__ = ["StackedSearchCV"]
