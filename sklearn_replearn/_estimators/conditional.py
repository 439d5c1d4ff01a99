"""Rows drawn given conditions on their cells."""

import numpy as np
import torch

from .._runtime.randomness import draw_integer, new_generator

_MOST_CANDIDATES = 2**14
_POINTS = 32  # at which the likelihood of a range, or of a large set, is looked at
_ROUNDS = 16


class Conditional:
    """Draws from a model given conditions.

    Codes are drawn without the conditions, and then by how likely these are for each (importance
    resampling). Cells that do not meet a condition are drawn again from the same code, and after
    some rounds from points that do.

    Parameters
    ----------
    conditions : list of Condition
        Of different columns.
    scaler : Scaler
    inference : Inference
    schema : Schema

    Raises
    ------
    ValueError
        If nothing that fit has seen meets a condition.
    """

    def __init__(self, conditions, scaler, inference, schema):
        self.scaler, self.inference, self.schema = scaler, inference, schema
        self.exact = [condition for condition in conditions if condition.exact]
        self.loose = [condition for condition in conditions if not condition.exact]
        row = np.full((1, len(scaler.low)), np.nan)
        for condition in self.exact:
            row[0, condition.column] = condition.low
        scaler.check_counts(row)
        self.cells = torch.from_numpy(scaler.scale(row))
        self.points = [self._points(condition) for condition in self.loose]
        # Each in a row of its own.
        self.scaled = [
            torch.from_numpy(self._alone(condition.column, points))
            for condition, points in zip(self.loose, self.points, strict=True)
        ]

    def _alone(self, j, values):
        rows = np.full((len(values), len(self.scaler.low)), np.nan)
        rows[:, j] = values
        self.scaler.check_counts(rows)
        return self.scaler.scale(rows)

    def _points(self, condition):
        """Values that meet a condition, at most so many, evenly spaced as the network sees them."""
        values = condition.values if condition.values is not None else self._within(condition)
        kept = np.linspace(0, len(values) - 1, min(len(values), _POINTS)).round().astype(np.intp)
        return values[kept]

    def _within(self, condition):
        """Values of a column that are within a range."""
        j, scaler = condition.column, self.scaler
        least, most = scaler.original(np.stack([scaler.low, scaler.high]))[:, j]
        least = max(least, 1.0) if not scaler.numbers[j] else least
        ends = np.array([max(condition.low, least), min(condition.high, most)])
        if ends[0] > ends[1]:
            shown = " to ".join(self.schema.shown(j, end) for end in (least, most))
            raise ValueError(
                f"{self.schema.label(j)}: the given range holds nothing of the column, which goes "
                f"from {shown} in fit."
            )
        low, high = self._alone(j, ends)[:, j]
        cells = np.zeros((_POINTS, len(scaler.low)))
        cells[:, j] = np.linspace(low, high, _POINTS)
        values = scaler.original(cells)[:, j]
        values = values if scaler.numbers[j] else np.rint(values)
        values = np.unique(values[condition.holds(values)])
        if not len(values):
            raise ValueError(
                f"{self.schema.label(j)}: the given range holds no value of the column, whose "
                f"values are {scaler.grain.step[j]:.6g} apart."
            )
        return values

    def codes(self, generation, n_samples, latent_dim, generator):
        """Codes drawn by how likely the conditions are for them."""
        candidates = generation.codes(max(_MOST_CANDIDATES, 4 * n_samples), latent_dim, generator)
        weights = self.inference.of_codes(self._log_likelihood, candidates)[:, 0]
        ends = np.cumsum(np.exp(weights - weights.max()))
        uniform = torch.rand(n_samples, generator=generator, dtype=torch.float64, device="cpu")
        places = np.searchsorted(ends, uniform.numpy() * ends[-1])
        return candidates[places.clip(0, len(candidates) - 1)]

    def _log_likelihood(self, network, codes):
        output = network.output(codes).double()
        cells = self.cells.to(output.device).expand(len(output), -1)
        total = network.likelihood.log_prob(cells, output).sum(1)
        for condition, rows in zip(self.loose, self.scaled, strict=True):
            total = total + self._of_points(network, output, condition, rows).logsumexp(1)
        return total[:, None].expand(-1, self.cells.shape[1])

    def _of_points(self, network, output, condition, rows):
        """Log-probability of each point of a condition, by the likelihood of its column alone."""
        part, columns, output = network.likelihood.of_column(condition.column, output)
        cells, place = rows[:, columns].to(output.device), columns.index(condition.column)
        each = [part.log_prob(row.expand(len(output), -1), output)[:, place] for row in cells]
        return torch.stack(each, dim=1)

    def met(self, values, codes, draw, generator):
        """Drawn values in original units, changed where they do not meet the conditions.

        Parameters
        ----------
        values : ndarray of shape (n_samples, n_features)
        codes : ndarray of shape (n_samples, latent_dim)
            From which they were drawn.
        draw : callable
            Draws values from codes.
        generator : torch.Generator
        """
        for condition in self.exact:
            values[:, condition.column] = condition.low
        for number, condition in enumerate(self.loose):
            j = condition.column
            for _ in range(_ROUNDS):
                wrong = np.flatnonzero(~condition.holds(values[:, j]))
                if not len(wrong):
                    break
                values[wrong, j] = draw(codes[wrong])[:, j]
            wrong = np.flatnonzero(~condition.holds(values[:, j]))
            if len(wrong):
                values[wrong, j] = self._from_points(number, codes[wrong], generator)
        return values

    def _from_points(self, number, codes, generator):
        """Points of a condition, drawn by how likely each is for the code."""
        condition, points, rows = self.loose[number], self.points[number], self.scaled[number]
        noise = new_generator(draw_integer(generator), self.inference.device)

        def chosen(network, codes):
            output = network.output(codes).double()
            weights = self._of_points(network, output, condition, rows).softmax(1)
            place = torch.multinomial(weights, 1, generator=noise)
            return place.double().expand(-1, self.cells.shape[1])

        places = self.inference.of_codes(chosen, codes)[:, 0].astype(np.intp)
        return points[places]
