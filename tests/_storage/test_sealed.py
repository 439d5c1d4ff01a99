"""A file is written as a whole or not at all."""

import errno
import os

import numpy as np
import pytest

from sklearn_replearn import AutoencoderTransformer, load, save
from sklearn_replearn._storage import sealed

X = np.random.RandomState(0).normal(size=(30, 3))
FITTED = AutoencoderTransformer(latent_dim=2, max_epochs=1, hidden_layer_sizes=4).fit(X)


def of_errno(number):
    def fails(*args):
        raise OSError(number, os.strerror(number))

    return fails


@pytest.mark.parametrize("call", ["fsync", "replace"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EDQUOT])
def test_a_disk_that_takes_no_more_leaves_the_old_file(number, call, tmp_path, monkeypatch):
    path = tmp_path / "model.safetensors"
    save(FITTED, path)
    before = path.read_bytes()
    monkeypatch.setattr(sealed.os, call, of_errno(number))
    with pytest.raises(OSError, match=r"model.safetensors was not written, .* as it was") as caught:
        save(AutoencoderTransformer(), path)
    assert caught.value.errno == number
    assert os.strerror(number) in str(caught.value)
    assert str(caught.value.filename) == str(path)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["model.safetensors"]


def test_a_file_may_grow_no_larger_than_the_system_lets_it(tmp_path):
    resource = pytest.importorskip("resource", reason="on Windows there are no such limits")
    signal = pytest.importorskip("signal")
    path = tmp_path / "model.safetensors"
    save(FITTED, path)
    before, (soft, hard) = path.read_bytes(), resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) // 2, hard))
    try:
        with pytest.raises(OSError, match=r"File too large; model.safetensors was not written"):
            save(FITTED, path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["model.safetensors"]


def test_what_a_killed_process_left_is_removed_by_a_later_one(tmp_path):
    path = tmp_path / "model.safetensors"
    left = [tmp_path / f".model.safetensors.{number:08x}" for number in (1, 2, 3)]
    others = [
        tmp_path / name
        for name in (".model.safetensors", ".other.safetensors.00000001", "model.safetensors.old")
    ]
    for file in (*left, *others):
        file.write_bytes(b"half")
        os.utime(file, (0, 0))
    os.utime(left[2])  # another process may be about to complete it
    save(FITTED, path)
    assert {file.name for file in tmp_path.iterdir()} == {
        path.name,
        left[2].name,
        *(file.name for file in others),
    }
    assert np.array_equal(load(path).transform(X), FITTED.transform(X))
