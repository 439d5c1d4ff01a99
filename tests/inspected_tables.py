"""Tables that displays are tried on."""

import numpy as np
import pandas as pd


def mixed_table(n, seed=0):
    """Numbers, a category, a date and a boolean, with missing cells where there is room."""
    random = np.random.RandomState(seed)
    x = random.normal(size=n)
    frame = pd.DataFrame(
        {
            "size": x,
            "twice": 2 * x + 0.1 * random.normal(size=n),
            "kind": pd.Categorical(np.where(x > 0, "large", "small"), ["small", "large"]),
            "day": pd.Timestamp("2024-01-01") + pd.to_timedelta((10 * x).round(), unit="D"),
            "sold": x > 0.5,
        }
    )
    frame["day"] = frame["day"].astype("datetime64[ns]")
    if n > 10:
        frame.loc[::7, "size"] = np.nan
        frame.loc[3::11, "kind"] = np.nan
    return frame
