"""
Have the data drifted since fit?
================================

Of rows like those of fit, a detector calls a share of ``alpha`` anomalous. Where the
share of a week's rows is larger than chance allows, the rows are no longer like those
of fit: the sensor is to be mended, or the model fitted again.
"""

# %%
# A plant, week by week
# ---------------------
# Pressure follows temperature. After week 12 its sensor shows too much, by a little
# more each week until week 20. Then it stays so.

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from scipy.stats import betabinom

from sklearn_replearn import OutlierDetector

random = np.random.default_rng(0)
n_weeks, n_rows, alpha = 30, 150, 0.05


def rows_of(week):
    heat, load = random.normal(size=(2, n_rows))
    shift = 0.12 * np.clip(week - 12, 0, 8)
    columns = {
        "temperature": 80 + 5 * heat,
        "pressure": 2 + 0.3 * (heat + shift + 0.3 * random.normal(size=n_rows)),
        "flow": 10 + load,
        "power": 3 + 0.5 * load + 0.2 * heat + 0.1 * random.normal(size=n_rows),
        "product": random.choice(["A", "B", "C"], n_rows),
    }
    return pd.DataFrame(columns).round(3)


weeks = [rows_of(week) for week in range(n_weeks)]
first = OutlierDetector().fit(pd.concat(weeks[:6]))

# %%
# The share of each week
# ----------------------
# Chance has its part in 150 rows of a week, and in those of fit: of normal rows, the
# number of p-values up to ``alpha`` has a beta-binomial distribution, whose middle 99
# % are the grey band. Drift leaves the band in week 15, two weeks after it began, and
# the detector is fitted again when it has come to an end.

again = OutlierDetector().fit(pd.concat(weeks[20:26]))
n_fit = first.n_calibration_
n_least = int(alpha * (n_fit + 1))  # so many rows of fit have a p-value up to alpha
band = betabinom(n_rows, n_least, n_fit + 1 - n_least).interval(0.99)

figure, ax = plt.subplots(figsize=(7, 4), layout="constrained")
ax.axhspan(*np.divide(band, n_rows), color="0.9", label="99 % of weeks without drift")
ax.axhline(alpha, color="0.5", linewidth=1)
for detector, marker, begin, end in ((first, "o-", 0, 5), (again, "s-", 20, 25)):
    later = range(end + 1, n_weeks)
    share = [np.mean(detector.p_values(weeks[week]) <= alpha) for week in later]
    ax.plot(later, share, marker, label=f"fitted to weeks {begin} to {end}")
ax.set(xlabel="week", ylabel=f"share with a p-value up to {alpha}", ylim=(0, None))
ax.legend()

# %%
# Which columns it is
# -------------------
# What each column adds to the surprise at a row, on average over a week: pressure and
# temperature no longer go together. Which of the two sensors is wrong, the table does
# not say.

later = range(6, n_weeks)
reasons = pd.DataFrame([first.explain(weeks[week]).mean() for week in later], later)
figure, ax = plt.subplots(figsize=(7, 4), layout="constrained")
reasons.plot(ax=ax, style=["-", "-", "--", ":", "-."])
ax.set(xlabel="week", ylabel="nats a row")

# %%
# When not: a share within the band is no proof that nothing has changed, as weeks 13
# and 14 show. Rows that are copies of each other, or follow each other closely in
# time, are fewer than they seem, and the band is too narrow for them. And do not fit
# again to rows that are wrong: first find out whether the plant has changed or a
# sensor.
