"""Tables of normal rows, by what is difficult for p-values; see p_values.py."""

import numpy as np
import pandas as pd

LOADINGS = np.random.RandomState(99).normal(size=(4, 2))
WIDE_LOADINGS = np.random.RandomState(98).normal(size=(150, 5))
FAR = 8.0


def continuous(n, random):
    """Correlated columns: the control."""
    return random.normal(size=(n, 2)) @ LOADINGS.T + 0.5 * random.normal(size=(n, 4))


def constant(n, random):
    return np.ones((n, 2))


def flag(n, random):
    return (random.uniform(size=(n, 1)) < 0.01).astype(float)


def flags(n, random):
    return (random.uniform(size=(n, 6)) < 0.01).astype(float)


def counts(n, random):
    rate = random.gamma(2.0, size=(n, 1))
    return random.poisson(rate * [1.0, 2.0, 0.5]).astype(float)


def answer(n, random):
    return random.choice(5, p=[0.1, 0.2, 0.4, 0.2, 0.1], size=(n, 1)) + 1.0


def answers(n, random):
    mood = random.normal(size=(n, 1))
    return np.clip(np.rint(3 + mood + 0.7 * random.normal(size=(n, 3))), 1, 5)


def category(n, random):
    return pd.DataFrame({"kind": random.choice(["a", "b", "c"], size=n)})


def error_counters(n, random):
    return random.poisson([0.06, 0.05, 0.03, 0.02], size=(n, 4)).astype(float)


def zero_inflated(n, random):
    return np.where(random.uniform(size=(n, 3)) < 0.6, 0.0, random.lognormal(size=(n, 3)))


def rare_levels(n, random):
    levels = np.minimum(random.zipf(1.5, size=(n, 2)), 500)
    return pd.DataFrame({name: [f"level {k}" for k in levels[:, j]] for j, name in enumerate("ab")})


def even_levels(n, random):
    return pd.DataFrame({"shop": [f"shop {k}" for k in random.randint(60, size=n)]})


def rounded(n, random):
    return np.round(continuous(n, random)[:, :2], 1)


def wide(n, random):
    return random.normal(size=(n, 5)) @ WIDE_LOADINGS.T + random.normal(size=(n, 150))


def hundred(n, random):
    return wide(n, random)[:, :100]


def mixed_with_missing(n, random):
    kind = random.choice(["a", "b", "c"], p=[0.6, 0.3, 0.1], size=n)
    size = np.where(kind == "a", 1.0, 10.0) * np.exp(0.2 * random.normal(size=n))
    frame = pd.DataFrame(
        {
            "kind": kind,
            "size": size,
            "count": random.poisson(3, size=n),
            "day": pd.Timestamp("2024-01-01") + pd.to_timedelta(random.randint(90, size=n), "D"),
        }
    )
    frame.loc[random.uniform(size=n) < 0.2, "size"] = None
    frame.loc[random.uniform(size=n) < 0.1, "kind"] = None
    return frame


def copied(share):
    """A table of which this share of the rows is copies of others, and later rows without any."""

    def training(n, random):
        rows = continuous(n, random)
        n_copies = int(share * n)
        rows[:n_copies] = rows[random.randint(n_copies, n, size=n_copies)]
        return rows[random.permutation(n)]

    return training, continuous


def copied_category(n, random):
    """Mixed rows, half of them copies of others."""
    frame = mixed_with_missing(n, random)
    numbers = np.arange(n)
    numbers[: n // 2] = random.randint(n // 2, n, size=n // 2)
    return frame.iloc[numbers].reset_index(drop=True)


def drifting(by):
    """Rows whose mean moves, by so many deviations from the first that trains to the last later."""
    deviations = np.sqrt(np.square(LOADINGS).sum(axis=1) + 0.25)

    def moved(start, end):
        def drawn(n, random):
            return continuous(n, random) + np.linspace(start, end, n)[:, None] * deviations

        return drawn

    return moved(0.0, by / 2), moved(by / 2, by)


def made_anomalous(rows, random):
    """Rows that are far off in each column: by eight deviations, or a level that nobody saw."""
    if isinstance(rows, np.ndarray):
        sides = random.choice([-1.0, 1.0], size=rows.shape)
        return rows + sides * (1.0 + FAR * rows.std(axis=0))
    rows = rows.copy()
    for name, column in rows.items():
        if pd.api.types.is_datetime64_dtype(column):
            rows[name] = column + pd.to_timedelta(FAR * 90, "D")
        elif pd.api.types.is_numeric_dtype(column):
            rows[name] = column + np.ceil(1.0 + FAR * column.std())
        else:
            rows[name] = "unheard of"
    return rows


# Name: number of training rows, how to draw them, how to draw later ones.
TABLES = {
    "continuous": (300, continuous, continuous),
    "continuous, n = 200": (200, continuous, continuous),
    "continuous, n = 60": (60, continuous, continuous),
    "constant": (300, constant, constant),
    "one flag at 1 %": (300, flag, flag),
    "six flags at 1 %": (300, flags, flags),
    "counts": (300, counts, counts),
    "one answer 1-5": (300, answer, answer),
    "three answers 1-5": (300, answers, answers),
    "one category of three levels": (300, category, category),
    "60 levels, equally many": (300, even_levels, even_levels),
    "rare levels": (300, rare_levels, rare_levels),
    "four error counters": (300, error_counters, error_counters),
    "error counters, n = 60": (60, error_counters, error_counters),
    "zero-inflated": (300, zero_inflated, zero_inflated),
    "rounded": (300, rounded, rounded),
    "wide": (100, wide, wide),
    "hundred columns": (300, hundred, hundred),
    "mixed, with missing": (300, mixed_with_missing, mixed_with_missing),
    "mixed, with missing, n = 200": (200, mixed_with_missing, mixed_with_missing),
    "mixed, with missing, n = 60": (60, mixed_with_missing, mixed_with_missing),
    "copies, 10 %": (300, *copied(0.10)),
    "copies, 20 %": (300, *copied(0.20)),
    "copies, 35 %": (300, *copied(0.35)),
    "copies, 50 %": (300, *copied(0.50)),
    "copies, 50 %, n = 60": (60, *copied(0.50)),
    "mixed, copies, 50 %": (300, copied_category, mixed_with_missing),
    "drift by half a deviation": (300, *drifting(0.5)),
    "drift by a deviation": (300, *drifting(1.0)),
    "drift by two deviations": (300, *drifting(2.0)),
}
