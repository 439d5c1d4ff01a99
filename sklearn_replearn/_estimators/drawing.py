"""Rows drawn from a fitted VAE."""

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import torch
from sklearn.utils.validation import check_is_fitted

from .._runtime.isolation import isolated
from .._runtime.parameters import SEED, Whole, validated
from .._runtime.randomness import draw_integer, draw_seed, new_generator
from .._runtime.sklearn import StrOptions
from .._runtime.transaction import as_it_is
from .._runtime.typing import Seed
from .._tables.conditions import conditions_of
from .._tables.parts import Parts, rows_at_once
from ..densities.sampling import rows_of
from .conditional import Conditional


class Drawing:
    """Draws rows from a model.

    Parameters
    ----------
    model : Model
        Its extras are a :class:`Generation`.
    inference : Inference
    latent_dim : int
    """

    def __init__(self, model, inference, latent_dim):
        self.model, self.inference, self.latent_dim = model, inference, latent_dim

    def rows(self, n_samples, generator, conditions, as_fit):
        """Rows in original units, ndarray of shape (n_samples, n_features), float64.

        Parameters
        ----------
        n_samples : int
        generator : torch.Generator
        conditions : list of Condition or None
            That they meet.
        as_fit : bool
            Whether cells are missing as they were in fit, but for those with a condition.
        """
        model, generation = self.model, self.model.extras
        if generation.density is not None:
            return self._of_density(n_samples, generator, conditions or (), as_fit)
        if conditions is None:
            codes = generation.codes(n_samples, self.latent_dim, generator)
        else:
            conditional = Conditional(conditions, model.scaler, self.inference, model.schema)
            codes = conditional.codes(generation, n_samples, self.latent_dim, generator)
        noise = new_generator(draw_integer(generator), self.inference.device)

        def drawn(codes):
            cells = self.inference.of_codes(
                lambda network, codes: network.likelihood.sample(
                    network.output(codes).double(), noise
                ),
                codes,
            )
            return model.schema.within_range(generation.shown(cells, model.scaler))

        values = drawn(codes)
        if conditions is not None:
            values = conditional.met(values, codes, drawn, generator)
        missing = generation.missing(values.shape, as_fit, generator)
        missing[:, [condition.column for condition in conditions or ()]] = False
        return np.where(missing, np.nan, values)

    def _of_density(self, n_samples, generator, conditions, as_fit):
        """The same, by a density that needs no codes."""
        model, generation = self.model, self.model.extras
        device = self.inference.device
        network = generation.density.network(device)
        noise = new_generator(draw_integer(generator), device)
        if conditions:
            # Refuses those that nothing can meet.
            Conditional(conditions, model.scaler, self.inference, model.schema)
        of_columns = {condition.column: condition for condition in conditions}
        with isolated((), 0, device, gradients=False):
            values = rows_of(
                generation.density, network, model.scaler, n_samples, noise, of_columns, as_fit
            )
        inside = np.where(np.isnan(values), values, model.schema.within_range(values))
        # What a user asks for may be beyond the range of fit.
        given = list(of_columns)
        inside[:, given] = values[:, given]
        values = inside
        fixed = np.flatnonzero(model.scaler.constant | model.scaler.idle)
        values[:, fixed] = model.scaler.original(np.zeros((1, values.shape[1])))[:, fixed]
        for j in np.intersect1d(fixed, list(of_columns)):
            wanted = of_columns[j]
            cells = [wanted.low] if wanted.values is None else wanted.values
            if wanted.exact or wanted.values is not None:
                chosen = torch.randint(len(cells), (n_samples,), generator=generator, device="cpu")
                values[:, j] = np.asarray(cells)[chosen.numpy()]
        ids = np.setdiff1d(generation.ids, list(of_columns))
        values[:, ids] = np.nan
        return values


class DrawsInParts:
    """A mixin: what has ``sample`` draws large tables in parts."""

    @validated(
        {
            "n_samples": [Whole()],
            "random_state": SEED,
            "given": [object],
            "missing": [StrOptions({"as_fit"}), None],
        }
    )
    def sample_in_parts(
        self,
        n_samples: int = 1,
        random_state: Seed = None,
        *,
        given: Mapping[Any, Any] | None = None,
        missing: Literal["as_fit"] | None = None,
    ) -> Parts:
        """Draw a table of any number of rows, part by part as it is read.

        Parameters
        ----------
        n_samples : int, default=1
            Of all parts together. Each has up to 65,536 rows, and 4 million cells.
        random_state : int, RandomState instance or None, default=None
            None draws other rows in each call. The parts are the same each time they are read.
            They are other rows than those of :meth:`sample`, from the same distribution.
        given, missing
            As in :meth:`sample`.

        Returns
        -------
        Parts
            Tables like that of fit; ``to_parquet`` writes them to a folder.
        """
        check_is_fitted(self)
        fitted, seed = as_it_is(self), draw_seed(random_state)
        at_once = rows_at_once(fitted.n_features_in_)
        if given is not None:
            conditions_of(
                given, fitted._model.schema, fitted.n_features_in_
            )  # refuses what is none

        def drawn():
            generator = new_generator(seed)
            for start in range(0, n_samples, at_once):
                n = min(at_once, n_samples - start)
                yield fitted.sample(n, draw_integer(generator), given=given, missing=missing)

        return Parts(drawn)
