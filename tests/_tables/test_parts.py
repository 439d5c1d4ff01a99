"""Tables that are read in parts: from files, lazy frames and callables; written to folders."""

import subprocess
import sys
import time
from itertools import islice

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet as pq
import pytest
import scipy.sparse as sp
import torch
from sklearn.linear_model import LogisticRegression

from sklearn_replearn import Parts
from sklearn_replearn._tables import parts as module
from sklearn_replearn._tables.parts import parts_of

N = 30
FRAME = pd.DataFrame({"a": np.arange(float(N)), "b": [f"u{i % 3}" for i in range(N)]})


def pieces(n=10):
    return (FRAME.iloc[start : start + n] for start in range(0, N, n))


@pytest.fixture
def folder(tmp_path):
    for number, part in enumerate(pieces(2)):  # 15 files: part 10 comes after part 2
        part.to_parquet(tmp_path / f"part.{number}.parquet", index=False)
    (tmp_path / "_SUCCESS").touch()
    (tmp_path / "notes.txt").write_text("no table")
    (tmp_path / ".hidden").mkdir()
    FRAME.to_parquet(tmp_path / ".hidden" / "part.0.parquet")
    return tmp_path


def read(X):
    tables = (pa.Table.from_pandas(p) if isinstance(p, pd.DataFrame) else p for p in parts_of(X))
    return pa.concat_tables(
        [
            (t.to_arrow() if isinstance(t, pl.DataFrame) else t).cast(
                pa.schema([("a", pa.float64()), ("b", pa.string())])
            )
            for t in tables
        ]
    ).to_pandas()


def test_sources_are_read_in_order_and_again(folder):
    whole = folder / "whole.pq"
    FRAME.to_parquet(whole, index=False)
    sources = [
        whole,
        str(whole),
        pyarrow.dataset.dataset(whole),
        pyarrow.dataset.dataset(whole).filter(pyarrow.dataset.field("a") >= 0),
        pl.scan_parquet(whole),
        pieces,
        lambda: [part.to_dict("list") and part for part in pieces()],
        Parts(pieces),
    ]
    whole_only = [read(source) for source in sources]
    whole.unlink()
    whole_only += [read(folder), read(str(folder))]
    for found in whole_only:
        assert (found["a"].to_numpy() == FRAME["a"]).all()
        assert (found["b"].to_numpy() == FRAME["b"]).all()


def test_dask_frames_are_read_partition_by_partition():
    dd = pytest.importorskip("dask.dataframe")
    found = parts_of(dd.from_pandas(FRAME, npartitions=4))
    assert len(list(found)) == 4
    pd.testing.assert_frame_equal(found.collect(), FRAME, check_dtype=False)


def test_tables_in_memory_are_in_no_parts():
    for X in (FRAME, FRAME.to_numpy(), pl.from_pandas(FRAME), [[1, 2]], torch.ones(2, 2), None):
        assert parts_of(X) is None
    assert parts_of(pa.table(FRAME).to_reader()) is None  # read whole, as it is read once
    assert parts_of(pd.DataFrame) is None


def test_folders_named_like_cells_are_columns(tmp_path):
    for year in (2024, 2023):
        (tmp_path / f"year={year}").mkdir()
        FRAME.to_parquet(tmp_path / f"year={year}" / "x.parquet", index=False)
    found = parts_of(tmp_path).collect()
    assert found.column_names == ["a", "b", "year"]
    assert found["year"].to_pylist() == [2023] * N + [2024] * N


def test_a_type_that_grows_from_file_to_file_is_that_of_all(tmp_path):
    pq.write_table(pa.table({"a": pa.array([None, None]), "b": [1, 2]}), tmp_path / "0.parquet")
    pq.write_table(pa.table({"a": ["u", "v"], "b": [0.5, None]}), tmp_path / "1.parquet")
    found = parts_of(tmp_path).collect()
    assert found["a"].to_pylist() == [None, None, "u", "v"]
    assert found["b"].to_pylist() == [1.0, 2.0, 0.5, None]


def test_files_of_other_tables_are_refused(tmp_path):
    pq.write_table(pa.table({"a": [1]}), tmp_path / "0.parquet")
    for other, said in (({"b": [1]}, "other columns"), ({"a": ["u"]}, "another type")):
        pq.write_table(pa.table(other), tmp_path / "1.parquet")
        with pytest.raises(ValueError, match=said):
            parts_of(tmp_path)
    (tmp_path / "1.parquet").write_bytes(b"PAR1 half a fi")
    with pytest.raises(ValueError, match="no whole parquet file"):
        parts_of(tmp_path)


def test_an_index_of_pandas_is_no_column(tmp_path):
    FRAME.set_index(pd.Index(range(5, N + 5), name="id")).to_parquet(tmp_path / "x.parquet")
    assert parts_of(tmp_path).collect().column_names == ["a", "b"]


@pytest.mark.parametrize("name", ["missing.parquet", "table.csv", ""])
def test_a_path_without_a_parquet_file_says_what_else_goes_in(tmp_path, name):
    (tmp_path / "table.csv").write_text("a,b\n1,2\n")
    with pytest.raises((FileNotFoundError, ValueError), match=r"polars\.scan_csv"):
        parts_of(tmp_path / name)


def test_what_is_read_once_is_refused():
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.ones(4, 2)))
    for X in (pieces(), iter([FRAME]), loader, loader.dataset):
        with pytest.raises(TypeError, match="Give a callable"):
            parts_of(X)
    once = pieces()
    found = parts_of(lambda: once)
    assert len(list(found)) == 3
    with pytest.raises(TypeError, match="the same generator twice"):
        list(found)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (lambda: FRAME, "must give an iterator"),
        (lambda: 3, "must give an iterator"),
        (lambda path: iter([path]), "needs arguments .*'path'"),
        (lambda: [(np.ones((2, 2)), np.ones(2))], "tuple of 2. Give the rows alone"),
        (lambda: [[torch.ones(2, 2), torch.ones(2)]], "list of 2. Give the rows alone"),
        (lambda: [FRAME, "x.parquet"], "Part 1 of .* must be a frame or an array"),
        (lambda: [pl.from_pandas(FRAME).lazy()], "must be a frame or an array"),
    ],
)
def test_parts_that_are_no_tables_are_refused(given, said):
    with pytest.raises(TypeError, match=said):
        list(parts_of(given))


@pytest.mark.parametrize(
    "whole",
    [
        FRAME,
        FRAME.to_numpy(),
        pl.from_pandas(FRAME),
        pa.table(FRAME),
        sp.coo_array(np.eye(N)),
        np.zeros((N, 2, 3)),
    ],
    ids=lambda X: type(X).__module__,
)
def test_large_parts_are_cut_and_empty_ones_left_out(whole, monkeypatch):
    monkeypatch.setattr(module, "_ROWS", 7)
    empty = whole.tocsr()[:0] if sp.issparse(whole) else whole[:0]
    found = list(Parts(lambda: [empty, whole, empty]))
    assert [part.shape[0] for part in found] == [7, 7, 7, 7, 2]
    again = Parts(lambda: [whole]).collect()
    assert type(again) is type(whole.tocsr() if sp.issparse(whole) else whole)
    assert again.shape == whole.shape


def test_a_part_of_many_columns_has_few_rows(tmp_path):
    pq.write_table(pa.table({f"c{j}": np.zeros(3000) for j in range(2000)}), tmp_path / "x.parquet")
    assert max(map(len, parts_of(tmp_path))) * 2000 <= module._CELLS


def test_a_folder_is_written_and_is_a_table_again(tmp_path):
    for X in (pieces, lambda: map(pl.from_pandas, pieces()), lambda: map(pa.table, pieces())):
        found = Parts(X).to_parquet(tmp_path / "out")
        assert sorted(path.name for path in found.iterdir()) == [
            f"part-00000{i}.parquet" for i in range(3)
        ]
        assert (read(found)["a"].to_numpy() == FRAME["a"]).all()
        with pytest.raises(FileExistsError, match="new or empty"):
            Parts(X).to_parquet(found)
        for path in found.iterdir():
            path.unlink()  # an empty folder will do
    names = Parts(lambda: [np.ones((2, 2))]).to_parquet(tmp_path / "arrays")
    assert parts_of(names).collect().column_names == ["x0", "x1"]
    assert {path.name for path in tmp_path.iterdir()} == {"out", "arrays"}


@pytest.mark.parametrize("parts", [[(FRAME, FRAME)], [[{}]], [sp.csr_array(np.eye(2))]])
def test_what_parquet_does_not_hold_is_refused(tmp_path, parts):
    with pytest.raises(TypeError, match="A parquet file holds a table"):
        Parts(lambda: parts).to_parquet(tmp_path / "out")
    assert not list(tmp_path.iterdir())


def test_a_run_that_fails_leaves_nothing(tmp_path):
    def broken():
        yield from islice(pieces(), 2)
        raise RuntimeError("a bad line")

    with pytest.raises(RuntimeError, match="a bad line"):
        Parts(broken).to_parquet(tmp_path / "out")
    assert not list(tmp_path.iterdir())


SLOW = """
import sys, time, numpy as np
from sklearn_replearn import Parts
def slow():
    for i in range(1000):
        yield np.full((5, 2), float(i))
        time.sleep(0.01)
Parts(slow).to_parquet(sys.argv[1])
"""


def test_a_killed_run_leaves_no_folder_and_the_next_one_tidies_up(tmp_path):
    process = subprocess.Popen([sys.executable, "-c", SLOW, str(tmp_path / "out")])
    partial = tmp_path / ".out.partial"
    while not (partial.exists() and len(list(partial.iterdir())) > 3):
        assert process.poll() is None
        time.sleep(0.02)
    if sys.platform != "win32":
        with pytest.raises(FileExistsError, match="Another process"):
            Parts(pieces).to_parquet(tmp_path / "out")
    process.kill()
    process.wait()
    assert not (tmp_path / "out").exists()
    assert partial.exists()
    assert len(read(Parts(pieces).to_parquet(tmp_path / "out"))) == N
    assert not partial.exists()


def test_no_parts_are_no_table(tmp_path):
    with pytest.raises(ValueError, match="has no rows"):
        Parts(list).collect()


@pytest.mark.parametrize("bad", [3, None, "x", FRAME])
def test_bad_values_are_refused(bad):
    with pytest.raises(ValueError, match="read"):
        Parts(bad)
    if bad is not None:
        with pytest.raises(ValueError, match="names"):
            Parts(pieces, bad)
    if not isinstance(bad, str):
        with pytest.raises(ValueError, match="folder"):
            Parts(pieces).to_parquet(bad)


def test_what_asks_for_all_rows_is_told_how_to_get_them():
    codes = Parts(lambda: pieces())
    assert "collect()" in repr(codes)
    with pytest.raises(TypeError, match=r"call collect\(\) first"):
        np.asarray(codes)
    with pytest.raises(TypeError, match=r"call collect\(\) first"):
        LogisticRegression().fit(codes, np.arange(N) % 2)


def test_a_file_that_is_wrong_is_named(tmp_path):
    pd.DataFrame({"a": [2**60, 1]}).to_parquet(tmp_path / "a.parquet")
    pd.DataFrame({"a": [0.5, 1]}).to_parquet(tmp_path / "b.parquet")
    with pytest.raises(ValueError, match=r"a\.parquet' has cells that the type"):
        parts_of(tmp_path).collect()
    (tmp_path / "c.parquet").write_bytes(b"PAR1")
    for path in (tmp_path, tmp_path / "c.parquet"):
        with pytest.raises(ValueError, match=r"c\.parquet' is no whole parquet file"):
            parts_of(path)


def test_a_folder_is_made_in_one_that_is_there(tmp_path):
    with pytest.raises(FileNotFoundError, match="Make it first"):
        Parts(lambda: pieces()).to_parquet(tmp_path / "none" / "codes")
    assert not list(tmp_path.iterdir())
