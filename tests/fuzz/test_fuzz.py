"""Tables of every type, transformers of any parameters: more than thirty properties hold.

What a seed finds is kept: the seed goes to ``FOUND``, with what it was.
"""

import warnings

import numpy as np
import pytest
from properties import POLARS, PROPERTIES, Case
from tables_at_random import COLUMNS, NUMBERS, frame_at_random
from transformers_at_random import transformer_at_random

N_SEEDS = 60
KINDS = [tuple(COLUMNS), tuple(COLUMNS), NUMBERS, POLARS]
FOUND = {
    10: "a far code decodes to a date of a year before 1, which datetime.date has not",
    28: "terms of the bound add up to more than the bound",
    198: "terms of the bound add up to more than the bound",
    203: "terms of the bound add up to more than the bound",
}


def _case(seed):
    rng = np.random.RandomState(seed)
    n_rows = rng.choice([3, 4, 10, 25])
    transformer = transformer_at_random(rng)
    X = frame_at_random(rng, n_rows, KINDS[rng.randint(len(KINDS))])
    try:
        return Case(transformer, X, rng)
    except ValueError as error:
        # A refusal says what to do, and that is enough.
        if "early_stopping=False" not in str(error):
            raise
        return Case(transformer.set_params(early_stopping=False), X, rng)


@pytest.mark.parametrize("seed", sorted({*range(N_SEEDS), *FOUND}))
def test_properties(seed):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # what fit says of such tables
        case = _case(seed)
        broken = {}
        for holds in PROPERTIES:
            try:
                holds(case)
            except Exception as error:
                broken[holds.__name__] = f"{type(error).__name__}: {str(error)[:500]}"
    assert not broken, (case.unfitted, dict(case.X.dtypes), broken)


def test_thirty_properties():
    assert len(PROPERTIES) >= 30
