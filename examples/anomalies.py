"""Which payments look wrong, why, and how sure is that? A report from a raw table.

    python -m pip install -e ".[plots]"
    python examples/anomalies.py

A shop's table of payments (made here: numbers, categories, missing cells) holds a few frauds
of four kinds, none of which can be seen in a single column. A detector is fitted to last month's
payments, which were checked by hand, and judges this month's. (There is no column of dates: those
of a new month would all be new, and so anomalous.) It prints whom to call first and why,
how many of its alarms are false, and saves a figure.
"""

import time
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.metrics import average_precision_score, roc_auc_score

from sklearn_replearn import OutlierDetector
from sklearn_replearn.inspection import ReasonsDisplay

FRAUD, NORMAL = "#D55E00", "#56B4E9"
FIGURES = Path(__file__).resolve().parent / "figures"
# Typical amount and deviation of its logarithm, opening hours, and where customers come from.
SHOPS = {
    "grocery": (35, 0.6, (8, 21), "home"),
    "fuel": (60, 0.3, (5, 23), "home"),
    "jewellery": (900, 0.8, (10, 18), "home"),
    "games": (12, 0.5, (0, 24), "abroad"),
    "travel": (450, 0.7, (7, 22), "abroad"),
}


def main():
    start = time.perf_counter()
    random = np.random.RandomState(0)
    checked = payments(4000, random)
    month, is_fraud = with_frauds(payments(3000, random), 60, random)

    detector = OutlierDetector(alpha=0.01).fit(checked)
    scores = detector.score_samples(month)
    print(f"AUROC {roc_auc_score(is_fraud, -scores):.3f}, ", end="")
    print(f"average precision {average_precision_score(is_fraud, -scores):.3f}\n")

    alarms = detector.predict(month) == -1
    print(f"Alarms at a rate of 1 % of normal payments: {alarms.sum()}")
    print(f"  frauds found      {(alarms & is_fraud).sum()} of {is_fraud.sum()}")
    print(f"  false alarms      {(alarms & ~is_fraud).sum()} of {(~is_fraud).sum()} payments")
    listed = detector.predict_at(month, 0.1, control="fdr") == -1
    print(f"A list with at most 10 % false ones, on average: {listed.sum()} payments,")
    print(f"  of which          {(listed & ~is_fraud).sum()} are none\n")

    first = np.argsort(scores)[:6]
    reasons = detector.top_reasons(month.iloc[first], n=2)
    print("To be looked at first:")
    for place, (number, texts) in enumerate(zip(first, reasons.to_numpy(), strict=True), start=1):
        p_value = detector.p_values(month.iloc[[number]])[0]
        truth = "fraud" if is_fraud[number] else "no fraud"
        print(f"{place}. payment {number} ({truth}; p = {p_value:.4f})")
        for reason in filter(None, texts):
            print(f"     {reason}")

    path = draw(detector, month, is_fraud, scores)
    print(f"\nFigure: {path}")
    print(f"Done in {time.perf_counter() - start:.0f} s.")


def payments(n, random):
    """A table of normal payments."""
    shop = random.choice(list(SHOPS), size=n, p=[0.45, 0.25, 0.05, 0.15, 0.1])
    typical, spread, hours, origin = zip(*(SHOPS[name] for name in shop), strict=True)
    amount = np.round(np.array(typical) * np.exp(np.array(spread) * random.normal(size=n)), 2)
    opens, closes = np.array(hours).T
    hour = np.floor(opens + (closes - opens) * random.beta(2, 2, size=n))
    age = np.clip(random.gamma(6, 7, size=n) + 16, 18, 90).round()
    # Older customers have had their card for longer.
    years = np.clip((age - 18) * random.beta(4, 3, size=n), 0, None).round(1)
    abroad = random.uniform(size=n) < np.where(np.array(origin) == "abroad", 0.6, 0.02)
    table = pd.DataFrame(
        {
            "amount": amount,
            "shop": pd.Categorical(shop, categories=list(SHOPS)),
            "hour": hour.astype(int),
            "country": np.where(abroad, random.choice(["FR", "IT", "US"], size=n), "DE"),
            "age": age,
            "card_years": years,
            "fee": np.round(np.where(abroad, 0.0175, 0.0) * amount, 2),
            "weekday": random.choice(["Mon", "Tue", "Wed", "Thu", "Fri", "Sat"], size=n),
        }
    )
    table.loc[random.uniform(size=n) < 0.05, "age"] = np.nan
    return table


def with_frauds(table, n, random):
    """The table with some payments changed, each in one of four ways, and which they are."""
    table, is_fraud = table.copy(), np.zeros(len(table), dtype=bool)
    rows = random.permutation(len(table))[:n]
    is_fraud[rows] = True
    kinds = np.array_split(rows, 4)
    for row in kinds[0]:  # a usual amount, at the wrong kind of shop
        table.loc[row, ["shop", "amount"]] = "grocery", round(random.uniform(500, 1500), 2)
    for row in kinds[1]:  # at a usual hour, when this shop is closed
        table.loc[row, ["shop", "hour"]] = "jewellery", random.choice([0, 1, 2, 3, 22, 23])
    for row in kinds[2]:  # abroad, and no fee was taken
        table.loc[row, ["shop", "country", "amount"]] = (
            "travel",
            "US",
            round(random.uniform(400, 900), 2),
        )
        table.loc[row, "fee"] = 0.0
    for row in kinds[3]:  # a card older than its owner could have
        table.loc[row, ["age", "card_years"]] = 21.0, round(random.uniform(15, 30), 1)
    return table, is_fraud


def draw(detector, month, is_fraud, scores):
    """A figure of how surprising payments are, and what makes the most surprising ones so."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(13, 6), layout="constrained")
    bins = np.linspace(-1, max(-scores) + 0.2, 40)
    counts, edges = np.histogram(-scores[~is_fraud], bins)
    left.stairs(
        np.maximum(counts, 0.7),
        edges,
        baseline=0.7,
        fill=True,
        color=NORMAL,
        label="normal payments",
    )
    # Each fraud is a mark of its own, for on a logarithmic axis a bar of one has no height.
    heights = np.geomspace(0.12, 0.5, 7)[np.arange(is_fraud.sum()) % 7]
    marks = {"color": FRAUD, "marker": "|", "s": 60, "linewidth": 1.5}
    left.scatter(-scores[is_fraud], heights, **marks, label="frauds, one mark each")
    left.axhline(0.7, color="0.7", linewidth=0.8)
    alarm = "alarm: 1 % of normal payments"
    left.axvline(-detector.offset_, color="black", linestyle="--", label=alarm)
    left.set(yscale="log", ylim=(0.1, 3 * counts.max()), xlabel="surprise (nats)")
    left.set_ylabel("payments in a bin")
    left.set_yticks([1, 10, 100], ["1", "10", "100"])
    left.minorticks_off()
    left.legend(framealpha=1, edgecolor="none")
    left.spines[["top", "right"]].set_visible(False)
    worst = np.argsort(scores)[:25]
    truth = np.where(is_fraud[worst], -1, 1)
    ReasonsDisplay.from_estimator(detector, month.iloc[worst], truth, ax=right)
    right.set(ylabel="", title="The most surprising payments, by number (● frauds)")
    FIGURES.mkdir(exist_ok=True)
    path = FIGURES / "anomalies.png"
    figure.savefig(path, dpi=100)
    plt.close(figure)
    return path


if __name__ == "__main__":
    main()
