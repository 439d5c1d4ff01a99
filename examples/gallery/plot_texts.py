"""
Can short texts be encoded without a language model?
====================================================

Texts are rows of word numbers, with 0 as padding. The encoder learns its words from the
rows themselves: so it takes log lines, product names and the terms of any trade.
"""

# %%
# Notes of a repair shop, made here: a thing, what is wrong with it, and words that any
# note may have. Each thing has two names; some notes have one of them, some none.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.pipeline import make_pipeline

from sklearn_replearn import ContrastiveTransformer
from sklearn_replearn.inspection import LatentMapDisplay
from sklearn_replearn.metrics import linear_probe
from sklearn_replearn.rows import Tokens

THINGS = {
    "bike": ("bike bicycle", "chain brake handle light", "squeaks slips loose flat"),
    "phone": ("phone mobile", "screen battery light", "cracked drains hot loose"),
    "stove": ("stove cooker", "burner oven knob handle", "cold smells hot cracked"),
    "shoe": ("shoe boot", "sole heel lace tongue", "torn squeaks slips loose"),
}
COMMON = "please my old new again since yesterday today still quite the left right"
random = np.random.RandomState(0)


def note(thing):
    names, parts, faults = (words.split() for words in THINGS[thing])
    words = [random.choice(words) for words in (parts, faults)]
    if random.uniform() < 0.6:
        words.append(random.choice(names))
    words.extend(random.choice(COMMON.split(), size=random.randint(2, 7)))
    return list(random.permutation(words))


things = random.choice(list(THINGS), size=1500)
notes = [note(thing) for thing in things]
print(" ".join(notes[0]), "->", things[0])

# %%
# A vocabulary takes two lines: each word has a number from 1 on. Views of a note are
# parts of it, with words left out.
known = sorted({word for words in notes for word in words})
vocabulary = {word: number for number, word in enumerate(known, start=1)}
ids = np.zeros((len(notes), max(map(len, notes))), dtype=int)
for row, words in zip(ids, notes, strict=True):
    row[: len(words)] = [vocabulary[word] for word in words]

rows = Tokens(len(vocabulary) + 1)
encoder = ContrastiveTransformer(latent_dim=16, rows=rows, max_epochs=30)
codes = encoder.fit(ids[:1000]).transform(ids)

# %%
# Notes that fit has not seen, on a map of their codes. Bikes and shoes, which share
# most of their faults, lie side by side.
LatentMapDisplay.from_predictions(codes[1000:], things[1000:])

# %%
# Accuracy of a linear classifier, mean of ten draws of the labels, beside the same from
# counts of words and from latent semantic analysis (LSA: tf-idf, truncated SVD). LSA
# that is told how many things there are is nearly as good as codes; of as many columns
# as these it is not. From 20 labels on, counts of words will do. This is no language
# model: where texts are plain language, one trained on many others knows much more.
n_labels = [1, 2, 5, 10, 20]
counts = np.stack([np.bincount(row, minlength=rows.vocabulary_size) for row in ids])
counts = counts[:, 1:]  # without padding
tables = {"codes": codes, "counts": counts}
for n_columns in (4, 16):
    lsa = make_pipeline(TfidfTransformer(), TruncatedSVD(n_columns, random_state=0))
    tables[f"LSA, {n_columns} columns"] = lsa.fit(counts[:1000]).transform(counts)


def accuracy(table, n):
    arguments = table[:1000], things[:1000], table[1000:], things[1000:], n
    return np.mean([linear_probe(*arguments, draw) for draw in range(10)])


_, ax = plt.subplots(figsize=(6, 3.4), layout="constrained")
for name, table in tables.items():
    ax.plot(n_labels, [accuracy(table, n) for n in n_labels], "o-", label=name)
ax.set(xscale="log", xlabel="labels a thing", ylabel="accuracy on notes held out")
ax.set_xticks(n_labels, map(str, n_labels))
ax.minorticks_off()
ax.legend()
