"""Values of any type become plain ones and come back."""

import datetime
import json
import subprocess
import sys
import uuid
from decimal import Decimal
from functools import partial
from pathlib import Path

import dateutil.tz
import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.feature_selection import f_classif
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.preprocessing import StandardScaler

from sklearn_replearn import AutoencoderTransformer
from sklearn_replearn._storage.plain import Reader, Unreadable, Writer
from sklearn_replearn._tables.levels import Levels
from sklearn_replearn.metrics import effective_rank
from sklearn_replearn.objectives import NTXent

moment = pd.Timestamp("2020-02-03 04:05", tz="Europe/Berlin")
VALUES = [
    None,
    True,
    2**70,
    -0.5,
    float("inf"),
    "äöü",
    "",
    [1, ["a"]],
    (1, (2.0, None)),
    {"a": 1},
    {"!": 1},
    {1: "a", (2, 3): "b"},
    {3, 1},
    frozenset("ab"),
    b"\x00\xff",
    3 + 4j,
    slice(1, None, 2),
    range(3, 9, 2),
    partial(NTXent, temperature=0.2),
    Decimal("1.50"),
    uuid.UUID(int=7),
    datetime.datetime(2020, 1, 2, 3),
    datetime.date(1, 1, 1),
    datetime.time(3, 4),
    datetime.timedelta(-1, 5),
    np.float32(0.1),
    np.datetime64("2020-01-02"),
    np.str_("x"),
    np.dtype("<f4"),
    np.dtype("M8[us]"),
    np.float64,
    float,
    Levels,
    StandardScaler,
    f_classif,
    partial(rbf_kernel, gamma=2.0),
    effective_rank,
    sp.csr_matrix,
    sp.coo_array,
    sp.csc_array(np.eye(3)),
    moment,
    pd.Timestamp("2020-01-01"),
    pd.Timedelta(3, "h"),
    pd.Interval(0, 1.5, closed="left"),
    pd.NaT,
    pd.NA,
    pd.CategoricalDtype(["b", "a"], ordered=True),
    pd.CategoricalDtype([1, 2]),
    pd.CategoricalDtype(),
    pd.StringDtype("python"),
    pd.Int16Dtype(),
    pd.BooleanDtype(),
    pd.PeriodDtype("M"),
    pd.IntervalDtype("int64", "left"),
    pd.SparseDtype("float64"),
    pd.DatetimeTZDtype("us", "Europe/Berlin"),
    pd.DatetimeTZDtype("ns", "UTC"),
    nw.Int64(),
    nw.Datetime("us", "UTC"),
    nw.Duration("ms"),
    nw.Enum(["b", "a"]),
    nw.Implementation.POLARS,
]
ARRAYS = [
    np.arange(6.0).reshape(2, 3),
    np.array(1.5),
    np.empty((0, 3), np.int8),
    np.array(["a", "bcd"]),
    np.array(["a", None, 1.5], dtype=object),
    np.array(["2020-01-01", "NaT"], dtype="M8[s]"),
    np.array([True]),
    np.asfortranarray(np.arange(6.0).reshape(2, 3)),
]
LABELS = [
    pd.Index(["a", "b"], name="n"),
    pd.Index([1.5, 2.0]),
    pd.Index([1, 2], dtype="Int64"),
    pd.Index([True, False]),
    pd.Index(["a", 1, None, Decimal(1), datetime.date(2020, 1, 1)], dtype=object),
    pd.RangeIndex(2, 9, 3),
    pd.DatetimeIndex(["2020-01-01", "2020-01-03"], tz="Asia/Tokyo"),
    pd.to_timedelta([1, 2], unit="h"),
    pd.IntervalIndex.from_breaks([0, 1, 4]),
    pd.IntervalIndex.from_breaks(pd.date_range("2020", periods=3)),
    pd.MultiIndex.from_product([["a", "b"], [1, 2]], names=["x", None]),
    pd.CategoricalIndex(["a", "b"]),
    pd.PeriodIndex(["2020-01", "2020-02"], freq="M"),
]


def there_and_back(value):
    writer = Writer()
    plain = writer.plain(value)
    return Reader(writer.objects).value(plain), plain, writer.objects


def is_plain(value):
    if type(value) is dict:
        return all(type(name) is str and is_plain(held) for name, held in value.items())
    if type(value) is list:
        return all(map(is_plain, value))
    if isinstance(value, np.ndarray):
        return value.dtype.kind in "biufc"
    return value is None or type(value) in (str, int, float, bool)


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_values(value):
    back, plain, objects = there_and_back(value)
    assert is_plain(plain) and not objects
    assert type(back) is type(value)
    assert repr(back) == repr(value)  # NaN, NaT and parts differ from themselves


@pytest.mark.parametrize("array", ARRAYS, ids=lambda array: str(array.dtype))
def test_arrays(array):
    back, plain, _ = there_and_back(array)
    assert is_plain(plain)
    assert back.dtype == array.dtype and back.shape == array.shape
    np.testing.assert_array_equal(back, array)


@pytest.mark.parametrize("labels", LABELS, ids=lambda labels: type(labels).__name__)
def test_labels(labels):
    back, plain, _ = there_and_back(labels)
    if not isinstance(labels, pd.PeriodIndex):  # no column has such, only their names
        assert is_plain(plain)
    pd.testing.assert_index_equal(back, labels, exact=True)


@pytest.mark.parametrize(
    "zone",
    [
        "dateutil/Europe/Berlin",
        dateutil.tz.tzutc(),
        dateutil.tz.tzlocal(),
        dateutil.tz.tzoffset(None, 7200),
        datetime.timezone(datetime.timedelta(hours=-3)),
    ],
    ids=repr,
)
def test_zones_of_any_library(zone):
    labels = pd.DatetimeIndex(["2020-01-01", "2020-07-01"], tz=zone)
    back, plain, _ = there_and_back([labels, labels.dtype, labels[0]])
    assert is_plain(plain)
    assert list(back[0]) == list(labels) and back[2] == labels[0]
    assert back[0].dtype == back[1] and list(back[0].hour) == list(labels.hour)
    if isinstance(zone, str):
        assert back[1] == labels.dtype


@pytest.mark.parametrize(
    "plain",
    [
        {"!": "moments", "unit": "us", "zone": "dateutil//etc/passwd"},
        {
            "!": "arrow",
            "text": "x[pyarrow]",
            "schema": b"ARROW:extension:name arrow.py_extension_type",
        },
        {"!": "timestamp", "ticks": 0, "unit": "s", "zone": "dateutil/../../../etc/passwd"},
        {
            "!": "csr_array",
            "data": np.ones(1),
            "indices": np.array([10**9]),
            "indptr": np.array([0, 1]),
            "shape": {"!": "tuple", "items": [1, 1]},
        },
        {
            "!": "RandomState",
            "state": {
                "!": "tuple",
                "items": ["MT19937", np.ones(624, np.uint32), 10**9, 0, 0.0],
            },
        },
    ],
    ids=lambda plain: plain["!"],
)
def test_no_path_is_opened_and_no_memory_read_that_is_not_of_the_value(plain):
    with pytest.raises(ValueError):
        Reader([]).value(plain)


def test_types_of_pyarrow():
    pa = pytest.importorskip("pyarrow")
    for kind in (pa.int16(), pa.timestamp("us", "UTC"), pa.dictionary(pa.int8(), pa.string())):
        back, plain, _ = there_and_back(pd.ArrowDtype(kind))
        assert is_plain(plain) and back == pd.ArrowDtype(kind)


def test_what_two_objects_hold_in_common_is_one_object_again():
    levels = Levels([0, 3])
    back, plain, objects = there_and_back({"a": levels, "b": [levels, NTXent(0.2)]})
    assert is_plain(plain) and is_plain(objects) and len(objects) == 2
    assert back["a"] is back["b"][0]
    assert back["b"][1].temperature == 0.2


def test_of_two_that_hold_each_other():
    first, second = AutoencoderTransformer(), AutoencoderTransformer()
    first.other, second.other = second, first
    back, _, objects = there_and_back(first)
    assert len(objects) == 2 and back.other.other is back


def test_what_is_not_ours_stays_as_it_is():
    class Own:
        pass

    own, function = Own(), len
    back, *_ = there_and_back([own, function, Own])
    assert back[0] is own and back[1] is function and back[2] is Own


@pytest.mark.parametrize(
    "plain",
    [
        {"!": "object", "number": 0},
        {"!": "ours", "text": "os:system"},
        {"!": "ours", "text": "sklearn_replearn._storage.files:os.system"},
        {"!": "ours", "text": "sklearn_replearn._storage.files:np.load"},
        {"!": "ours", "text": "sklearn.datasets._openml:fetch_openml"},
        {"!": "ours", "text": "sklearn_replearn._storage.files:save"},
        {"!": "ours", "text": "sklearn_replearn._storage.plain:Reader"},
        {"!": "ours", "text": "sklearn_replearn._tables.levels:Levels.encode"},
        {"!": "ours", "text": "sklearn_replearn._tables.frames:as_pandas"},
        {"!": "ours", "text": "sklearn_replearn.onnx.conversion:to_onnx"},
        {"!": "ours", "text": "sklearn_replearn....os:system"},
        {"!": "ours", "text": "sklearn.utils._testing:TempMemmap"},
        {"!": "ours", "text": "sklearn.utils.metaestimators:available_if"},
        {"!": "ours", "text": "sklearn.metrics._scorer:_get_response_values"},
        {"!": "ours", "text": "sklearn.nothing:Nothing"},
        {"!": "anything", "text": "1"},
    ],
    ids=str,
)
def test_nothing_else_is_made(plain):
    objects = [{"class": "subprocess:Popen", "state": {"args": "true"}}]
    with pytest.raises(Unreadable):
        Reader(objects).value(plain)


def test_labels_and_dtypes_of_pyarrow_are_read_where_it_is_not(tmp_path):
    pa = pytest.importorskip("pyarrow")
    kinds = [pa.int16(), pa.uint8(), pa.float64(), pa.bool_(), pa.string(), pa.date32()]
    kinds += [pa.timestamp("us", "UTC"), pa.duration("s")]
    writer = Writer()
    strings = pd.Index(["a"], dtype=pd.StringDtype("pyarrow"))
    plain = writer.plain([strings, *map(pd.ArrowDtype, kinds)])
    assert is_plain(plain)
    here = Path(__file__)
    np.save(tmp_path / "plain.npy", np.array(plain, dtype=object), allow_pickle=True)
    code = (
        f"import sys; sys.path[:0] = {[str(here.parents[2]), str(here.parent)]!r}\n"
        "from hiding import hide_pyarrow; hide_pyarrow()\n"
        "import json, numpy as np\n"
        "from sklearn_replearn._storage.plain import Reader\n"
        f"plain = np.load({str(tmp_path / 'plain.npy')!r}, allow_pickle=True)\n"
        "labels, *dtypes = Reader([]).value(plain.tolist())\n"
        "print(json.dumps([list(labels), *map(str, dtypes)]))\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout) == [
        ["a"],
        "Int16",
        "UInt8",
        "Float64",
        "boolean",
        "string",
        "object",
        "datetime64[us, UTC]",
        "timedelta64[s]",
    ]


def test_trusted_types_take_no_extra():
    code = (
        "import sys; sys.modules['skl2onnx'] = sys.modules['skops'] = None\n"
        "from sklearn_replearn import trusted_types\n"
        "print('sklearn_replearn.rows.table.Table' in trusted_types(), 'matplotlib' in sys.modules)"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ended.stdout == "True False\n", ended.stderr
