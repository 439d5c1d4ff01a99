"""Fits of tables that are read in parts: the model is that of the same rows in memory."""

import errno
import tempfile
from collections import namedtuple
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet as pq
import pytest

from sklearn_replearn import AutoencoderTransformer, ContrastiveTransformer, VAETransformer
from sklearn_replearn._dataset import batches, epochs, stored_rows
from sklearn_replearn._estimators import training_table
from sklearn_replearn.rows import Arrays, Images, Table

N = 150
rng = np.random.default_rng(0)
NUMBERS = rng.normal(size=(N, 4)).astype(np.float32)
NUMBERS[7] = NUMBERS[70]
MIXED = pd.DataFrame(
    {
        "height": np.where(rng.random(N) < 0.1, np.nan, rng.normal(size=N)),
        "price": np.round(rng.normal(size=N), 2),
        "atom": np.where(rng.random(N) < 0.3, 0.1, rng.normal(size=N)),
        "shop": pd.Series(rng.choice(list("abc"), N), dtype=object),
        "member": rng.random(N) < 0.5,
        "count": rng.integers(0, 9, N),
    }
)
MIXED.loc[:59, "height"] = np.nan  # nothing in the first part
MIXED.loc[N - 3 :, "shop"] = "last"  # a level that only the last part has
DATED = MIXED.assign(
    day=pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 300, N), unit="D"),
    size=pd.Categorical(rng.choice(["s", "m", "l"], N), ["s", "m", "l"], ordered=True),
)


def cut(table, size=60):
    return [table[start : start + size] for start in range(0, len(table), size)]


def ordered(levels):
    """A table whose levels have this order."""
    sizes = pd.Categorical(rng.choice(list("sml"), 9), list(levels), ordered=True)
    return pd.DataFrame({"size": sizes, "x": np.arange(9.0)})


def encoder(kind=AutoencoderTransformer, **parameters):
    common = {"latent_dim": 2, "max_epochs": 1, "hidden_layer_sizes": 4, "batch_size": 32}
    return kind(**common | {"random_state": 0, "device": "cpu"} | parameters)


def assert_same(one, other, X):
    assert one._model.arrays.keys() == other._model.arrays.keys()
    for name, array in one._model.arrays.items():
        np.testing.assert_array_equal(array, other._model.arrays[name], err_msg=name)
    np.testing.assert_array_equal(one.transform(X), other.transform(X))
    one, other = (fitted.inverse_transform(np.zeros((2, 2))) for fitted in (one, other))
    if isinstance(one, pd.DataFrame):
        pd.testing.assert_frame_equal(one, other)


@pytest.fixture
def on_disk(monkeypatch):
    """Few rows are many: they go to the disk, and epochs are shuffled in two steps."""
    monkeypatch.setattr(stored_rows, "_MOST_CELLS_KEPT", 0)
    monkeypatch.setattr(stored_rows, "_BYTES_SORTED", 1000)
    monkeypatch.setattr(stored_rows, "_BYTES_AT_ONCE", 1500)
    monkeypatch.setattr(epochs, "_MOST_DRAWS", 50)
    monkeypatch.setattr(epochs, "_ROWS_TOGETHER", 64)
    monkeypatch.setattr(epochs, "_ROWS_OF_BLOCK", 8)
    monkeypatch.setattr(epochs, "_BLOCKS_TOGETHER", 8)
    monkeypatch.setattr(batches, "_MOST_KEPT", 0)


@pytest.mark.parametrize("kind", [AutoencoderTransformer, VAETransformer, ContrastiveTransformer])
@pytest.mark.parametrize("X", [NUMBERS, DATED], ids=["numbers", "frame"])
def test_the_model_is_that_of_memory(kind, X, on_disk):
    in_memory = encoder(kind).fit(X)
    assert_same(in_memory, encoder(kind).fit(lambda: cut(X)), X)


def test_small_tables_are_not_taken_to_the_disk(monkeypatch):
    monkeypatch.setattr(stored_rows.Scratch, "file", None)
    assert_same(encoder().fit(MIXED), encoder().fit(lambda: cut(MIXED)), MIXED)


def test_the_order_and_size_of_parts_do_not_matter(on_disk):
    in_memory = encoder().fit(MIXED)
    shuffled = MIXED.sample(frac=1, random_state=0)
    assert_same(in_memory, encoder().fit(lambda: cut(shuffled, 1)), MIXED)
    assert_same(in_memory, encoder().fit(lambda: cut(MIXED)[::-1]), MIXED)
    assert_same(in_memory, encoder().fit(lambda: [MIXED[:0], MIXED, MIXED[:0]]), MIXED)


@pytest.mark.parametrize("whole", [True, False])
def test_rows_may_repeat_and_weigh(whole, on_disk):
    weights = rng.integers(0, 3, N).astype(float) if whole else rng.random(N)
    weights[:40] = 0.0
    table = pd.concat([MIXED[:100], MIXED[50:100]])
    in_memory = encoder(max_epochs=2).fit(table, sample_weight=weights)
    parts = encoder(max_epochs=2).fit(lambda: cut(table), sample_weight=weights)
    assert_same(in_memory, parts, table)
    both = encoder().fit(table, sample_weight=2.0)
    assert_same(both, encoder().fit(lambda: cut(table), sample_weight=2.0), table)


def test_rows_are_held_out(on_disk):
    early = {"early_stopping": True, "max_epochs": 3, "validation_fraction": 0.2}
    in_memory = encoder(**early).fit(DATED)
    parts = encoder(**early).fit(lambda: cut(DATED))
    assert_same(in_memory, parts, DATED)
    pd.testing.assert_frame_equal(
        in_memory.history_.drop(columns="seconds", errors="ignore"),
        parts.history_.drop(columns="seconds", errors="ignore"),
    )
    given = encoder(**early).fit(DATED[:90], X_val=DATED[90:])
    assert_same(given, encoder(**early).fit(lambda: cut(DATED[:90]), X_val=DATED[90:]), DATED)


def test_a_fit_goes_on(on_disk):
    twice = [encoder(warm_start=True).fit(MIXED) for _ in range(2)]
    more = MIXED.assign(height=MIXED["height"] + 1)
    assert_same(twice[0].fit(more), twice[1].fit(lambda: cut(more)), MIXED)


@pytest.mark.parametrize("scaling", ["robust", "minmax", "quantile"])
def test_other_scalings(scaling, on_disk):
    rows = Table(scaling=scaling)
    in_memory = encoder(rows=rows).fit(NUMBERS)
    assert_same(in_memory, encoder(rows=rows).fit(lambda: cut(NUMBERS)), NUMBERS)


def test_arrays_with_categories(on_disk):
    numbers = np.column_stack([NUMBERS[:, 0], rng.integers(0, 4, N)])
    rows = Table(categorical_features=[1])
    in_memory = encoder(rows=rows).fit(numbers)
    assert_same(in_memory, encoder(rows=rows).fit(lambda: cut(numbers)), numbers)


@pytest.mark.parametrize("rows", [Arrays((2, 6)), Images((1, 4, 3))])
def test_rows_that_are_arrays(rows, on_disk):
    X = rng.random((80, *rows.shape)).astype(np.float32)
    parameters = {"rows": rows, "hidden_layer_sizes": "auto"}
    in_memory = encoder(**parameters).fit(X)
    parts = encoder(**parameters).fit(lambda: cut(X))
    assert_same(in_memory, parts, X)
    assert parts.inverse_transform(np.zeros((2, 2))).shape == (2, *rows.shape)


def test_parts_of_several_dtypes(on_disk):
    whole = pd.DataFrame({"a": np.arange(80), "b": rng.normal(size=80)})
    parts = [whole[:40], whole[40:].astype(float)]
    in_memory = encoder().fit(pd.concat(parts))
    assert_same(in_memory, encoder().fit(lambda: iter(parts)), whole)
    parts = [NUMBERS[:50], NUMBERS[50:].astype(np.float64)]
    in_memory = encoder().fit(np.concatenate(parts))
    assert_same(in_memory, encoder().fit(lambda: iter(parts)), NUMBERS)


def test_categories_of_parts_are_put_together():
    whole = pd.DataFrame({"c": list("aabb" * 10), "x": rng.normal(size=40)})
    parts = [whole[:20].replace({"c": {"b": "z"}}), whole[20:]]
    parts = [part.astype({"c": "category"}) for part in parts]
    fitted = encoder().fit(lambda: parts)
    assert list(fitted._model.schema.kinds[0].dtype.categories) == ["a", "b", "z"]


def _files(folder, table):
    folder.mkdir()
    for number, part in enumerate(cut(table)):
        pq.write_table(
            pa.Table.from_pandas(part, preserve_index=False), folder / f"{number}.parquet"
        )
    return folder


def test_folders_and_datasets_of_parquet(tmp_path, on_disk):
    folder = _files(tmp_path / "rows", MIXED)
    table = pq.read_table(folder)
    in_memory = encoder().fit(table)
    for X in (folder, str(folder), pyarrow.dataset.dataset(folder)):
        assert_same(in_memory, encoder().fit(X), table)
    half = pyarrow.dataset.field("count") > 4
    some = pyarrow.dataset.dataset(folder).filter(half)
    assert_same(encoder().fit(table.filter(half)), encoder().fit(some), table)


def test_columns_that_stand_in_the_names_of_folders(tmp_path):
    for part in ("a", "b"):
        (tmp_path / f"shop={part}").mkdir()
        rows = MIXED[["price", "count"]][MIXED["shop"] == part]
        pq.write_table(
            pa.Table.from_pandas(rows, preserve_index=False), tmp_path / f"shop={part}/x.parquet"
        )
    dataset = pyarrow.dataset.dataset(tmp_path, partitioning="hive")
    assert_same(encoder().fit(dataset.to_table()), encoder().fit(dataset), dataset.to_table())


def test_lazy_frames_of_polars_and_narwhals(on_disk):
    polars = pytest.importorskip("polars")
    narwhals = pytest.importorskip("narwhals")
    table = polars.from_dict({name: MIXED[name].tolist() for name in MIXED})
    in_memory = encoder().fit(table)
    for X in (table.lazy(), narwhals.from_native(table.lazy())):
        assert_same(in_memory, encoder().fit(X), table)


def test_frames_of_dask(on_disk):
    dask = pytest.importorskip("dask.dataframe", reason="an optional library")
    frame = dask.from_pandas(MIXED, npartitions=3)
    assert_same(encoder().fit(frame.compute()), encoder().fit(frame), MIXED)


def test_maps_larger_than_half_of_free_memory(tmp_path, monkeypatch, on_disk):
    mapped = np.memmap(tmp_path / "rows", np.float32, "w+", shape=NUMBERS.shape)
    mapped[:] = NUMBERS
    monkeypatch.setattr(training_table, "free_memory", lambda: 1.9 * mapped.nbytes)
    monkeypatch.setattr(training_table, "_in_memory", None)
    monkeypatch.setattr(training_table, "_CELLS_READ", 100)
    parts = encoder().fit(mapped)
    monkeypatch.undo()
    assert_same(encoder().fit(NUMBERS), encoder().fit(mapped), NUMBERS)
    np.testing.assert_array_equal(parts.transform(NUMBERS[:1]), parts.transform(mapped)[:1])


# ---------------------------------------------------------------- errors


def test_tables_that_change_while_they_are_read():
    once = iter(cut(NUMBERS))
    with pytest.raises(TypeError, match=r"gave the same list_iterator twice"):
        encoder().fit(lambda: once)
    readings = iter([cut(NUMBERS), []])
    with pytest.raises(ValueError, match=r"150 rows when it was read first; .* it has none"):
        encoder().fit(lambda: next(readings))
    other, more = NUMBERS.copy(), np.concatenate([NUMBERS, NUMBERS])
    other[3, 2] += 1
    readings = iter([NUMBERS, other, NUMBERS, more, MIXED, MIXED.replace({"shop": {"b": "c"}})])
    with pytest.raises(ValueError, match=r"changed while it was read: the cells of column 2"):
        encoder().fit(lambda: cut(next(readings)))
    with pytest.raises(ValueError, match=r"read again, it has more"):
        encoder().fit(lambda: cut(next(readings)))
    with pytest.raises(ValueError, match=r"the cells of column 'shop'"):
        encoder().fit(lambda: cut(next(readings)))


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ([], "has no row"),
        ([NUMBERS[:1]], "minimum of 2 is required"),
        ([MIXED[:1]], "minimum of 2 is required"),
        ([MIXED, MIXED.drop(columns="shop")], "other columns than the first one: 'shop' is miss"),
        ([MIXED, MIXED[MIXED.columns[::-1]]], "their order is another"),
        ([NUMBERS, NUMBERS[:, 1:]], "has 3 columns, and the first one 4"),
        ([NUMBERS, MIXED], "is a frame, and the first one an array"),
        ([MIXED, NUMBERS], "is an array, and the first one a frame"),
        ([MIXED, MIXED.assign(shop=1.5)], "Column 'shop' mixes cells of type float and str"),
        ([MIXED, MIXED.assign(height=np.inf)], "contains inf .* in column 'height'"),
        ([np.array([["a"], ["b"]])], "as frames, for example with pandas.DataFrame"),
        ([ordered("sml"), ordered("lms")], "levels of one order in one part"),
    ],
)
def test_parts_that_are_no_table_together(parts, message):
    with pytest.raises(ValueError, match=message):
        encoder().fit(lambda: iter(parts))


def test_parts_that_are_sparse():
    sparse = pytest.importorskip("scipy.sparse").csr_array(NUMBERS)
    with pytest.raises(TypeError, match=r"sparse matrix, which fit takes in one piece only"):
        encoder().fit(lambda: [sparse])


def test_too_many_levels(monkeypatch):
    from sklearn_replearn._tables import witnesses

    monkeypatch.setattr(witnesses, "_MOST_LEVELS", 50)
    names = pd.DataFrame({"name": [f"n{i}" for i in range(80)], "x": np.arange(80.0)})
    with pytest.raises(ValueError, match=r"Column 'name' has more than 50 different values"):
        encoder().fit(lambda: cut(names))


def test_what_stands_beside_parts():
    with pytest.raises(ValueError, match=r"150 in all its parts; got 149"):
        encoder().fit(lambda: cut(NUMBERS), sample_weight=np.ones(N - 1))
    with pytest.raises(ValueError, match=r"groups and times are for tables in memory"):
        encoder(ContrastiveTransformer).fit(lambda: cut(NUMBERS), groups=np.arange(N) // 2)


# ---------------------------------------------------------------- the temporary files


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


class _Failing(list):
    """Parts of which the second reading fails."""

    def __init__(self, problem):
        self.problem, self.readings = problem, 0

    def __call__(self):
        self.readings += 1
        yield NUMBERS[:100]
        if self.readings == 2:
            raise self.problem
        yield NUMBERS[100:]


@pytest.mark.parametrize("problem", [None, ValueError("no"), KeyboardInterrupt("stop")])
def test_nothing_stays_on_the_disk(problem, folder, on_disk):
    files = []
    fitted = encoder().fit(NUMBERS)
    before = vars(fitted).copy()
    original = stored_rows.Scratch.file

    def file(scratch):
        files.append(original(scratch))
        return files[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stored_rows.Scratch, "file", file)
        if problem is None:
            fitted.fit(lambda: cut(NUMBERS))
        else:
            with pytest.raises(type(problem)):
                fitted.fit(_Failing(problem))
            assert vars(fitted) == before
    assert files
    assert all(file.closed for file in files)
    assert list(folder.iterdir()) == []


def test_no_room_on_the_disk(folder, monkeypatch, on_disk):
    usage = namedtuple("usage", "free")
    monkeypatch.setattr(stored_rows.shutil, "disk_usage", lambda where: usage(1000))
    with pytest.raises(
        OSError, match=r"need about .* MB in a temporary .* 0.001 MB are free"
    ) as no:
        encoder().fit(lambda: cut(NUMBERS))
    assert no.value.errno == errno.ENOSPC
    assert str(folder) in str(no.value)
    assert "TMPDIR" in str(no.value)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is full")
def test_the_disk_is_full(monkeypatch, on_disk):
    def full(scratch):
        return scratch._stack.enter_context(Path("/dev/full").open("wb", 0))

    monkeypatch.setattr(stored_rows.Scratch, "file", full)
    with pytest.raises(OSError, match=r"the disk is full. Make room, or have .* TMPDIR"):
        encoder().fit(lambda: cut(NUMBERS))
