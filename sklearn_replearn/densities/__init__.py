"""Densities of tables: what the columns of a row are like together."""

from .autoregressive import Autoregressive

__all__ = ["Autoregressive"]
