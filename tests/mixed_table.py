"""A small table of all kinds of columns, some cells missing."""

import numpy as np
import pandas as pd


def mixed(n_rows=40, seed=0):
    """Numbers, whole numbers, truths, strings, an ordered category and dates."""
    draw = np.random.RandomState(seed)
    frame = pd.DataFrame(
        {
            "size": draw.normal(5, 2, n_rows).round(2),
            "count": draw.poisson(3, n_rows),
            "new": draw.rand(n_rows) < 0.4,
            "colour": draw.choice(["red", "blue", "green"], n_rows),
            "grade": pd.Categorical(
                draw.choice(["low", "high"], n_rows), ["low", "high"], ordered=True
            ),
            "day": pd.Timestamp("2024-01-01") + pd.to_timedelta(draw.randint(0, 90, n_rows), "D"),
        }
    )
    frame.loc[::7, "size"] = np.nan
    frame.loc[3::9, "colour"] = None
    return frame
