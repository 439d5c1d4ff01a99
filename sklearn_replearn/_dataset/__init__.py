"""Rows in training: a multiset in canonical order, what stands beside its rows, and its batches."""
