"""The benchmark that is kept for a GPU runs, tiny, on a CPU: what can be said of it without one."""

import importlib
from functools import partial

import pytest
import torch
from pages import ROOT


@pytest.fixture
def gpu(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    return importlib.import_module("gpu")


def run(gpu, folder, *arguments):
    tiny = ["--device", "cpu", "--rows-scale", "0.00001", "--repeats", "1", "--name", "try"]
    return gpu.main([*tiny, *arguments], folder)


def test_a_second_call_goes_on_where_the_first_one_ended(gpu, tmp_path, monkeypatch):
    monkeypatch.setitem(gpu.TABLES, "S", (2_000, 30, 1))
    nothing = run(gpu, tmp_path, "--seconds", "0")
    assert not nothing["pieces"]
    record = run(gpu, tmp_path, "--pieces", "S")
    seconds = record["pieces"]["S"]["seconds"]
    assert seconds[gpu.OURS][0] > 0 < seconds[gpu.ON_CPU][0]
    assert gpu.GRAPHED not in seconds
    record = run(gpu, tmp_path, "--pieces", "S", "contrastive", "mixed")
    assert record["pieces"]["S"]["seconds"] == seconds
    assert set(record["pieces"]) == {"S", "contrastive", "mixed"}
    written = (tmp_path / "try.md").read_text()
    assert "## contrastive: contrastive, 512 x 100, batches of 512, 1 epoch" in written
    assert f"| {gpu.BARE} |" in written


@pytest.mark.parametrize("name", ["10M", "images", "detector", "grid"])
def test_every_piece_can_be_measured(gpu, name, monkeypatch):
    monkeypatch.setattr(gpu, "FEWEST_ROWS", 64)
    monkeypatch.setitem(gpu.TABLES, "S", (64, 5, 1))
    monkeypatch.setattr(gpu, "LATENT_DIMS", [2])
    monkeypatch.setattr(gpu, "VAETransformer", partial(gpu.VAETransformer, max_epochs=1))
    options = gpu.parse(["--rows-scale", "0.00001", "--device", "cpu"])
    contenders, asked = gpu.PIECES[name](options)
    assert len(contenders) > 1
    assert asked
    contenders[gpu.OURS]()


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_it_says_that_there_is_no_gpu(gpu):
    with pytest.raises(SystemExit, match="There is no GPU here"):
        gpu.main([])
