"""Small fits of all kinds of rows, scalings and transformers, each made once."""

from functools import cache

import numpy as np
import pandas as pd
import scipy.sparse as sp
from quick import quick
from torch import nn

from sklearn_replearn import AutoencoderTransformer, ContrastiveTransformer, VAETransformer
from sklearn_replearn.objectives import TopKSparsity
from sklearn_replearn.rows import Arrays, Images, Table, Tokens

N_ROWS = 60


def numbers():
    """Correlated numbers of different sizes, the last column the same in all rows."""
    random = np.random.default_rng(0)
    X = random.normal(size=(N_ROWS, 2)) @ random.normal(size=(2, 5)) * [1e-3, 1, 5, 40, 1e6]
    X = X + random.normal(size=X.shape) * 0.1
    X[:, 4] = 7.5
    return X


def heavy():
    """Numbers of heavy tails; half of the first column is 0, as amounts are."""
    random = np.random.default_rng(1)
    X = np.exp(2 * random.normal(size=(N_ROWS, 3)))
    X[: N_ROWS // 2, 0] = 0
    return X


def holes(X):
    """A copy in which every seventh cell is missing."""
    X = X.copy()
    X.flat[::7] = np.nan
    return X


def mixed():
    """A frame of numbers, text, levels, truth and dates; a number, a level, a date are missing."""
    random = np.random.default_rng(2)
    days = pd.to_timedelta(random.integers(0, 300, N_ROWS), "D")
    X = pd.DataFrame(
        {
            "amount": np.exp(2 * random.normal(size=N_ROWS)),
            "colour": random.choice(["red", "green", "blue"], N_ROWS),
            "count": random.integers(0, 50, N_ROWS),
            "grade": pd.Categorical(random.choice(list("abc"), N_ROWS), ordered=True),
            "member": random.random(N_ROWS) < 0.5,
            "since": pd.Timestamp("2024-01-01") + days,
        }
    )
    X.loc[3, "amount"] = X.loc[4, "since"] = X.loc[5, "colour"] = None
    return X


def many_levels():
    """A frame of a number and a column of 300 levels, two rows each."""
    random = np.random.default_rng(3)
    codes = [f"c{j // 2}" for j in random.permutation(600)]
    return pd.DataFrame({"size": random.normal(size=600), "code": codes})


def coded():
    """Numbers, of which two columns are categories."""
    random = np.random.default_rng(4)
    return np.column_stack(
        [random.normal(size=N_ROWS), random.integers(3, 9, N_ROWS), random.choice([0.5, 1], N_ROWS)]
    )


def counts():
    """A sparse matrix of counts."""
    return sp.csr_matrix(np.random.default_rng(5).poisson(0.4, (N_ROWS, 12)))


def images():
    """Flat images of 5 x 6 pixels."""
    return np.random.default_rng(6).random((N_ROWS, 30))


def windows():
    """Arrays of two channels."""
    return np.random.default_rng(7).normal(size=(N_ROWS, 2, 8))


def texts():
    """Token ids; the first row has none, others have some behind padding."""
    X = np.random.default_rng(8).integers(0, 9, (N_ROWS, 6))
    X[0] = 0
    return X


def _encoder(n_in, n_out):
    return nn.Sequential(nn.Linear(n_in, 8), nn.LayerNorm(8), nn.ELU(), nn.Linear(8, n_out))


#: By name: a transformer, and what makes the rows.
KINDS = {
    "numbers": (AutoencoderTransformer(), numbers),
    "numbers, VAE": (VAETransformer(), numbers),
    "numbers, contrastive": (ContrastiveTransformer(), numbers),
    "isometric": (AutoencoderTransformer(isometric=True, activation="gelu"), numbers),
    "linear": (AutoencoderTransformer(hidden_layer_sizes=()), numbers),
    "top-k": (AutoencoderTransformer(sparsity=TopKSparsity(2), activation="tanh"), numbers),
    "own encoder": (AutoencoderTransformer(encoder=_encoder), numbers),
    "robust": (AutoencoderTransformer(rows=Table(scaling="robust")), numbers),
    "minmax": (VAETransformer(rows=Table(scaling="minmax"), activation="elu"), numbers),
    "unscaled": (AutoencoderTransformer(rows=Table(scaling=None), activation="relu"), heavy),
    "heavy": (AutoencoderTransformer(), heavy),
    "heavy, contrastive": (ContrastiveTransformer(), heavy),
    "ranks": (VAETransformer(rows=Table(scaling="quantile")), heavy),
    "atoms": (VAETransformer(likelihood="atoms"), heavy),
    "missing": (AutoencoderTransformer(), lambda: holes(numbers())),
    "missing, contrastive": (ContrastiveTransformer(), lambda: holes(heavy())),
    "mixed": (AutoencoderTransformer(), mixed),
    "mixed, VAE": (VAETransformer(), mixed),
    "mixed, contrastive": (ContrastiveTransformer(), mixed),
    "many levels": (AutoencoderTransformer(), many_levels),
    "coded": (AutoencoderTransformer(rows=Table(categorical_features=[1, 2])), coded),
    "counts": (AutoencoderTransformer(), counts),
    "counts, VAE": (VAETransformer(), counts),
    "images": (AutoencoderTransformer(rows=Images((1, 5, 6))), images),
    "images, VAE": (VAETransformer(rows=Images((1, 5, 6))), images),
    "windows": (AutoencoderTransformer(rows=Arrays((2, 8))), windows),
    "texts": (AutoencoderTransformer(rows=Tokens(9)), texts),
    "texts, contrastive": (ContrastiveTransformer(rows=Tokens(9)), texts),
}


@cache
def fitted(name):
    """A fitted transformer, and the rows that it was fitted to."""
    transformer, rows = KINDS[name]
    X = rows()
    return quick(transformer).fit(X), X
