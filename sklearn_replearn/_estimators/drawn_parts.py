"""Tables drawn in parts, of more rows than memory has room for."""

from collections.abc import Mapping
from typing import Any, Literal

from sklearn.utils.validation import check_is_fitted

from .._runtime.parameters import SEED, Whole, validated
from .._runtime.randomness import draw_integer, draw_seed, new_generator
from .._runtime.sklearn import StrOptions
from .._runtime.transaction import as_it_is
from .._runtime.typing import Seed
from .._tables.parts import Parts, rows_at_once


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
        n_samples: int,
        random_state: Seed = None,
        *,
        given: Mapping[Any, Any] | None = None,
        missing: Literal["as_fit"] | None = None,
    ) -> Parts:
        """Draw a table of any number of rows, part by part as it is read.

        Parameters
        ----------
        n_samples : int
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

        def drawn():
            generator = new_generator(seed)
            for start in range(0, n_samples, at_once):
                n = min(at_once, n_samples - start)
                yield fitted.sample(n, draw_integer(generator), given=given, missing=missing)

        return Parts(drawn)
