"""Few labels: encoders learn from all rows, a classifier from the few that have a label.

    python -m pip install -e .
    python examples/few_labels.py

Digits are taken as images, and paragraphs of scikit-learn's own documentation as rows of words of
which the vocabulary is made here. Nothing is downloaded. Takes 20 seconds on one core.
"""

import re
import time
from collections import Counter

import numpy as np
from sklearn.datasets import load_digits
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS, TfidfTransformer
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.discovery import all_estimators, all_functions

from sklearn_replearn import ContrastiveTransformer, EncoderClassifier
from sklearn_replearn.metrics import linear_probe
from sklearn_replearn.rows import Images, Tokens

LENGTH = 60  # words of a row
LABELS = 10  # a class
PARTS = ("cluster", "covariance", "datasets", "decomposition", "linear_model", "metrics", "tree")


def main():
    start = time.perf_counter()
    images()
    texts()
    print(f"\nDone in {time.perf_counter() - start:.0f} s.")


def images():
    """Digits, with a label for ten of each."""
    print(f"1. Digits as images: accuracy on the unseen half with {LABELS} labels a class\n")
    X, y = load_digits(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(
        X, y, test_size=0.5, stratify=y, random_state=0
    )
    few = with_few_labels(y_train)
    labeled = few != -1
    # Fitted once, to all rows and without labels; below it is taken as it is.
    encoder = ContrastiveTransformer(32, rows=Images((1, 8, 8)), max_epochs=20).fit(X_train)
    frozen = FrozenEstimator(encoder)
    for name, model, rows in (
        ("raw pixels", LogisticRegression(max_iter=1000), labeled),
        ("codes", EncoderClassifier(frozen), slice(None)),
        ("codes, fine-tuned", EncoderClassifier(frozen, fine_tune="full"), slice(None)),
    ):
        accuracy = model.fit(X_train[rows], few[rows]).score(X_test, y_test)
        print(f"   {name:<20} {accuracy:.3f}")


def texts():
    """Paragraphs, to be told apart by the part of scikit-learn that they document."""
    train, y_train, test, y_test = paragraphs()
    vocabulary = vocabulary_of(train)
    ids, test_ids = (token_rows(words, vocabulary) for words in (train, test))
    size = len(vocabulary) + 1
    print(
        f"\n2. {len(ids)} paragraphs of documentation as rows of words, {size - 1} of them known:\n"
        "   accuracy of LogisticRegression on 64 codes of paragraphs of other pages\n"
    )
    encoder = ContrastiveTransformer(64, rows=Tokens(size), max_epochs=100)
    codes = {"contrastive": (encoder.fit_transform(ids), encoder.transform(test_ids))}
    tf_idf = TfidfTransformer().fit(counts(ids, size))
    for name, prepare in (("counts, SVD", lambda x: x), ("tf-idf, SVD", tf_idf.transform)):
        reduced = make_pipeline(TruncatedSVD(64, random_state=0), StandardScaler())
        rows, test_rows = (prepare(counts(x, size)) for x in (ids, test_ids))
        codes[name] = reduced.fit_transform(rows), reduced.transform(test_rows)
    print(f"   {'':<20} all labels  {LABELS} a class")
    for name, (rows, test_rows) in codes.items():
        accuracy = linear_probe(rows, y_train, test_rows, y_test)
        few = np.mean(
            [
                linear_probe(rows, y_train, test_rows, y_test, n_labels=LABELS, random_state=seed)
                for seed in range(5)
            ]
        )
        print(f"   {name:<20} {accuracy:.3f}       {few:.3f}")


def with_few_labels(y):
    """Labels of which only some of each class are kept; -1 for the others."""
    few = np.full(len(y), -1)
    for label in np.unique(y):
        rows = np.flatnonzero(y == label)[:LABELS]
        few[rows] = label
    return few


def paragraphs():
    """Words and classes of the paragraphs of two thirds of the pages, and of the others."""
    pages = {}
    for name, item in [*all_estimators(), *all_functions()]:
        part = item.__module__.split(".")[1]
        if part in PARTS and item.__doc__:
            pages[name] = (part, item.__doc__)
    parts = {True: ([], []), False: ([], [])}
    for number, name in enumerate(sorted(pages)):
        part, page = pages[name]
        words = [
            word
            for word in re.findall(r"[a-z_]{3,}", page.lower())
            if word not in ENGLISH_STOP_WORDS
        ]
        rows, labels = parts[number % 3 > 0]
        for first in range(0, len(words), LENGTH):
            rows.append(words[first : first + LENGTH])
            labels.append(part)
    (train, y_train), (test, y_test) = parts[True], parts[False]
    return train, np.array(y_train), test, np.array(y_test)


def vocabulary_of(rows, n_words=3000):
    """A number for each of the words that most rows have, from 1 on: 0 is padding."""
    frequent = Counter(word for words in rows for word in sorted(set(words))).most_common(n_words)
    return {word: number for number, (word, count) in enumerate(frequent, start=1) if count > 2}


def token_rows(rows, vocabulary):
    """Rows of the numbers of known words, filled up with padding."""
    ids = np.zeros((len(rows), LENGTH), dtype=int)
    for row, words in zip(ids, rows, strict=True):
        known = [vocabulary[word] for word in words if word in vocabulary]
        row[: len(known)] = known
    return ids


def counts(ids, size):
    """How often each row has each word."""
    return np.stack([np.bincount(row, minlength=size)[1:] for row in ids]).astype(float)


if __name__ == "__main__":
    main()
