"""Time from a frame of numbers and categories to what a network takes."""

import time
import tracemalloc

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from sklearn_replearn import AutoencoderTransformer
from sklearn_replearn._tables.validation import read_table


def encoding():
    """Seconds from a frame of 500,000 rows to numbers: 20 columns of numbers, 10 of categories."""
    random, n = np.random.RandomState(0), 500_000
    numbers = {f"n{j}": random.normal(size=n) for j in range(20)}
    for dtype in ("category", "object"):
        levels = {}
        for j, count in enumerate((2, 3, 5, 8, 10, 12, 24, 42, 56, 80)):
            column = pd.Categorical.from_codes(
                random.randint(count, size=n), [f"level {k}" for k in range(count)]
            )
            levels[f"c{j}"] = pd.Series(column).astype(dtype)
        frame = pd.DataFrame({**numbers, **levels})
        rival = ColumnTransformer(
            [("n", StandardScaler(), list(numbers)), ("c", OneHotEncoder(), list(levels))]
        )
        seconds = {"ours": [], "ColumnTransformer": []}
        for _ in range(5):
            start = time.perf_counter()
            read_table(AutoencoderTransformer(), frame)
            middle = time.perf_counter()
            rival.fit_transform(frame)
            seconds["ours"].append(middle - start)
            seconds["ColumnTransformer"].append(time.perf_counter() - middle)
        tracemalloc.start()
        read_table(AutoencoderTransformer(), frame)
        peak = tracemalloc.get_traced_memory()[1] / 1e6
        tracemalloc.stop()
        ours, theirs = (float(np.median(times)) for times in seconds.values())
        yield {
            "dtype": dtype,
            "ours s": ours,
            "ColumnTransformer s (sparse)": theirs,
            "times as fast": theirs / ours,
            "peak MB": peak,
        }
