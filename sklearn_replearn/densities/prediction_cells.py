"""Cells of a table as a predicting network sees and tells them: numbers, and levels one-hot."""

from dataclasses import dataclass

import numpy as np
import torch

from .._tables.levels import digits_of

_FARTHEST = 8.0  # deviations from the mean, as the network sees them
_FEWEST = 1e-12


@dataclass(frozen=True)
class Cells:
    """Some rows.

    Attributes
    ----------
    numbers : Tensor of shape (n, n_numbers), float64
        Of each column of numbers, and again as it is scaled where that is no linear map.
    known : Tensor of shape (n, n_numbers), bool
    symbols : Tensor of shape (n, n_digits), int64
        Of each digit of each category; -1 where none is known.
    """

    numbers: torch.Tensor
    known: torch.Tensor
    symbols: torch.Tensor

    def __len__(self):
        return len(self.numbers)

    def take(self, rows):
        """These rows."""
        return Cells(self.numbers[rows], self.known[rows], self.symbols[rows])


class CellCoding:
    """Scaled cells to :class:`Cells` and back.

    Columns that held one value only are left out.

    Parameters
    ----------
    scaled : ndarray of shape (n, n_features), float64
        Training rows.
    scaler : Scaler

    Attributes
    ----------
    columns : ndarray of int
        Columns of numbers.
    curved : ndarray of int
        Places among these of columns whose scaling is no linear map: their means are in original
        units, and what is drawn is in scaled ones.
    categories : ndarray of int
        Columns of categories.
    digits : list of (int, int, int)
        Place among the categories, divisor and size of each digit.
    """

    def __init__(self, scaled, scaler):
        self.scaler = scaler
        told = ~scaler.constant & ~scaler.idle
        self.columns = np.flatnonzero(told & scaler.numbers)
        self.categories = np.flatnonzero(~scaler.numbers)
        bent = np.zeros(len(told), dtype=bool)
        bent[list(scaler.ranked)] = True
        if scaler.counted is not None:
            bent |= scaler.counted
        self.curved = np.flatnonzero(bent[self.columns])
        sizes = scaler.levels.sizes[self.categories].tolist()
        self.digits = [
            (place, divisor, size)
            for place, n_levels in enumerate(sizes)
            for divisor, size in digits_of(n_levels)
        ]
        self.centre, self.unit = np.zeros(self.n_numbers), np.ones(self.n_numbers)
        numbers = self._numbers(scaled)
        there = ~np.isnan(numbers)
        count = np.maximum(there.sum(axis=0), 1)
        self.centre = np.where(there, numbers, 0.0).sum(axis=0) / count
        squares = np.square(np.where(there, numbers - self.centre, 0.0)).sum(axis=0)
        self.unit = np.sqrt(np.maximum(squares / count, 0.0))
        self.unit[self.unit <= _FEWEST * np.abs(self.centre)] = 1.0

    @property
    def n_numbers(self):
        """Of each row."""
        return len(self.columns) + len(self.curved)

    @property
    def sizes(self):
        """Of the digits."""
        return [size for _, _, size in self.digits]

    @property
    def n_symbols(self):
        """Of all digits together."""
        return sum(self.sizes)

    @property
    def drawn(self):
        """Places among the numbers of those that are drawn, one for each column."""
        places = np.arange(len(self.columns))
        places[self.curved] = len(self.columns) + np.arange(len(self.curved))
        return places

    @property
    def column_of_number(self):
        """Places among the columns of numbers of all numbers of a row."""
        return np.concatenate([np.arange(len(self.columns)), self.curved])

    def _numbers(self, scaled):
        limited, plain = self.scaler.limit(scaled), scaled
        if len(self.curved):
            plain = self.scaler.unscale(self.scaler.inside(scaled))
        linear = limited[:, self.columns]
        scores = linear[:, self.curved]
        linear[:, self.curved] = plain[:, self.columns[self.curved]]
        return (np.concatenate([linear, scores], axis=1) - self.centre) / self.unit

    def encoded(self, scaled):
        """The :class:`Cells` of scaled rows."""
        numbers = torch.from_numpy(self._numbers(scaled))
        known = ~torch.isnan(numbers)
        levels = scaled[:, self.categories]
        # A level that fit has not seen tells nothing.
        levels = np.where(np.isnan(levels), 0, levels).astype(np.int64) - 1
        symbols = np.full((len(scaled), len(self.digits)), -1)
        for k, (place, divisor, size) in enumerate(self.digits):
            level = levels[:, place]
            symbols[:, k] = np.where(level < 0, -1, level // divisor % size)
        return Cells(torch.nan_to_num(numbers), known, torch.from_numpy(symbols))

    def one_hot(self, symbols, dtype):
        """Known symbols, Tensor of shape (n, n_symbols)."""
        sizes = torch.tensor(self.sizes, dtype=torch.int64, device="cpu")
        starts = sizes.cumsum(0) - sizes
        result = torch.zeros((len(symbols), self.n_symbols), dtype=dtype, device=symbols.device)
        places = symbols.clamp_min(0) + starts.to(symbols.device)
        return result.scatter_(1, places, (symbols >= 0).to(dtype))

    def limited(self, numbers):
        """Numbers as a network sees them."""
        return numbers.clamp(-_FARTHEST, _FARTHEST)

    def means(self, numbers):
        """Scaled cells of the means of all columns of numbers, ndarray."""
        n = len(self.columns)
        values = numbers * self.unit[:n] + self.centre[:n]
        if not len(self.curved):
            return values
        rows = np.full((len(values), len(self.scaler.low)), np.nan)
        columns = self.columns[self.curved]
        rows[:, columns] = values[:, self.curved]
        ends = self.scaler.unscale(np.stack([self.scaler.low, self.scaler.high]).astype(float))
        rows = np.clip(rows, ends[0], ends[1])
        values[:, self.curved] = self.scaler.scale(rows)[:, columns]
        return values

    def levels(self, symbols):
        """Numbers of levels from the symbols of all digits, ndarray."""
        levels = np.ones((len(symbols), len(self.categories)))
        for k, (place, divisor, _) in enumerate(self.digits):
            levels[:, place] += divisor * symbols[:, k]
        return np.minimum(levels, self.scaler.levels.sizes[self.categories])
