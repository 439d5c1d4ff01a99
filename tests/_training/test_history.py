"""What training records, and what of it is stored."""

import pickle

import numpy as np
import pytest

from sklearn_replearn import AutoencoderTransformer
from sklearn_replearn._training.history import History


def history(n_epochs, names=("train_loss", "train_gap")):
    terms = {name: np.arange(n_epochs, dtype=np.float32) + 100 * j for j, name in enumerate(names)}
    return History(terms, np.arange(1, n_epochs + 1), np.full(n_epochs, 0.5))


def test_a_row_an_epoch_and_a_column_a_term():
    frame = history(3).frame()
    assert frame.index.name == "epoch"
    assert frame.index.tolist() == [1, 2, 3]
    assert frame.columns.tolist() == ["train_loss", "train_gap", "seconds"]
    assert frame["train_gap"].tolist() == [100, 101, 102]
    assert frame["seconds"].tolist() == [0.5] * 3


def test_a_later_fit_goes_on_counting_and_what_one_lacks_is_missing():
    later = history(2, ("train_loss", "valid_loss"))
    frame = history(3).followed_by(later).frame()
    assert frame.index.tolist() == [1, 2, 3, 4, 5]
    assert frame["train_loss"].tolist() == [0, 1, 2, 0, 1]
    assert frame["train_gap"].isna().tolist() == [False] * 3 + [True] * 2
    assert frame["valid_loss"].isna().tolist() == [True] * 3 + [False] * 2


@pytest.mark.parametrize("n_epochs", [1, 7, 1000, 1001, 12_345])
def test_at_most_2000_numbers_are_stored_evenly_and_with_the_last_epoch(n_epochs):
    loaded = pickle.loads(pickle.dumps(history(n_epochs))).frame()
    assert loaded.index[-1] == n_epochs
    assert 2 * len(loaded) <= 2000
    assert len(loaded) == min(n_epochs, -(-n_epochs // -(-2 * n_epochs // 2000)))
    assert len(set(np.diff(loaded.index))) <= 1
    assert (loaded["train_loss"] == loaded.index - 1).all()
    assert loaded["seconds"].isna().all()


def test_equal_histories_are_the_same_bytes_whatever_time_they_took():
    quick, slow = history(5), history(5)
    slow.seconds = slow.seconds * 100
    assert pickle.dumps(quick) == pickle.dumps(slow)


def test_a_long_fit_is_stored_small():
    X = np.random.default_rng(0).normal(size=(20, 3))
    fitted = AutoencoderTransformer(2, hidden_layer_sizes=(4,), max_epochs=1500).fit(X)
    loaded = pickle.loads(pickle.dumps(fitted))
    assert len(fitted.history_) == loaded.n_iter_ == 1500
    assert loaded.history_.index[-1] == 1500
    stored = loaded.history_.drop(columns="seconds")
    assert stored.size <= 2000
    whole = fitted.history_.loc[stored.index, stored.columns]
    assert np.array_equal(stored, whole)
