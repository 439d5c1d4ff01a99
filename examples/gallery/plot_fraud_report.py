"""
A report of suspicious payments
===============================

Which of this month's payments should be looked at, why, and how many of them in vain?
A detector learns from payments that were checked. It gives new ones a p-value, and
names the cells that speak against them.
"""

# %%
# A table of mixed columns
# ------------------------
# Last month's payments were checked by hand. Of this month's 1000 the first 45 are
# frauds: 15 when the shop is closed, 15 of an amount unusual for the shop, 15 abroad
# without a fee. Each of their cells is usual by itself.

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from sklearn_replearn import OutlierDetector
from sklearn_replearn.inspection import ReasonsDisplay

random = np.random.default_rng(0)
shops = pd.DataFrame(
    {"typical": [35, 60, 500, 12], "opens": [8, 5, 10, 9], "hours": [13, 18, 8, 14]},
    index=["grocery", "fuel", "electronics", "books"],
)


def payments(n):
    shop = random.choice(shops.index, n, p=[0.4, 0.3, 0.15, 0.15])
    typical, opens, hours = shops.loc[shop].to_numpy().T
    amount = np.round(typical * np.exp(random.normal(0, 0.5, n)), 2)
    is_abroad = random.random(n) < 0.15
    columns = {
        "shop": shop,
        "amount": amount,
        "hour": np.floor(opens + hours * random.beta(2, 2, n)),
        "country": np.where(is_abroad, random.choice(["FR", "US"], n), "DE"),
        "fee": np.where(is_abroad, np.round(0.02 * amount, 2), 0.0),
    }
    table = pd.DataFrame(columns)
    return table.mask(random.random((n, 5)) < 0.01)  # some cells are missing


checked, month = payments(3000), payments(1000)
month.loc[:14, "shop"] = "electronics"
month.loc[:14, "hour"] = random.choice([5, 6, 7, 20, 21], 15)
month.loc[15:29, "shop"] = "grocery"
month.loc[15:29, "amount"] = random.uniform(300, 1000, 15).round(2)
month.loc[30:44, "country"] = random.choice(["FR", "US"], 15)
month.loc[30:44, "fee"] = 0.0

# %%
# Which rows are listed
# ---------------------
# At a false positive rate, ``alpha`` is the share of *normal payments* that is
# listed. At a false discovery rate it is the share of the *list* that is normal, on
# average. Here the second list is shorter, and most of the unusual amounts are
# missing from it.

detector = OutlierDetector().fit(checked)
kinds = np.repeat(["closed", "amount", "no fee", "normal"], [15, 15, 15, 955])
alarms = {
    "of": np.ones(len(month), dtype=bool),
    "fpr 1 %": detector.predict_at(month, 0.01) == -1,
    "fdr 10 %": detector.predict_at(month, 0.1, control="fdr") == -1,
}
print(pd.DataFrame(alarms).groupby(kinds, sort=False).sum())

# %%
# The most suspicious payments, and why
# -------------------------------------

order = np.argsort(detector.score_samples(month))
report = detector.top_reasons(month.iloc[order[:5]], n=2)
for number, reasons in report.iterrows():
    print(f"payment {number}", *filter(None, reasons), sep="\n    ")

# %%
# P-values in ascending order: at the false discovery rate, rows up to the last one
# below the rising line are listed. Those between the lines are on the first list
# only.

p_values = np.sort(detector.p_values(month))
rank = np.arange(1, 1001)
figure, ax = plt.subplots(figsize=(6, 4), layout="constrained")
ax.loglog(rank, p_values, ".", color="0.3")
ax.axhline(0.01, color="C0", label="false positive rate of 1 %")
ax.plot(rank, 0.1 * rank / 1000, "C1--", label="false discovery rate of 10 %")
ax.set(xlabel="payments, the most suspicious first", ylabel="p-value")
ax.legend()

# %%
# What the cells of the first 20 add to the surprise; a dot marks the frauds. Payment
# 407 is none: an amount and a fee that are seldom as high.

first = month.iloc[order[:20]]
ReasonsDisplay.from_estimator(detector, first, np.where(first.index < 45, -1, 1))

# %%
# When not: p-values are those of payments like the checked ones. They mean nothing
# where these hold frauds themselves (``novelty=False`` is for that), or when what is
# normal has changed since. And columns that are new each month, such as dates and
# names, are to be left out: each of their cells would be an anomaly.
