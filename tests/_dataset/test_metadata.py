"""What stands beside the rows: labels, groups and times."""

import numpy as np
import pandas as pd
import pytest
import sklearn
import torch
from quick import quick
from repeatability import weights
from scipy.stats import chisquare
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_replearn import AutoencoderTransformer, ContrastiveTransformer, VAETransformer
from sklearn_replearn._dataset.labels import class_numbers
from sklearn_replearn._dataset.metadata import RowMetadata
from sklearn_replearn._dataset.pairing import group_numbers, time_numbers
from sklearn_replearn.augmentations import Identity
from sklearn_replearn.objectives import NTXent, Objective, SupCon
from sklearn_replearn.rows import Images, Table, Tokens

pytestmark = pytest.mark.filterwarnings("ignore:The codes collapsed")


def small(**params):
    table = not isinstance(params.get("rows"), Images | Tokens)
    own = {"augmentation": Identity(), **({"hidden_layer_sizes": (8,)} if table else {})}
    return quick(ContrastiveTransformer, **{**own, **params})


SEEN = []


class Recording(Objective):
    """Notes which rows are compared: their first column, as it was before scaling."""

    def terms(self, network, heads, batch, generator):
        SEEN.append(torch.stack([batch.left[:, 0], batch.right[:, 0]], dim=1).clone())
        return {"gap": (network.code(batch.left) - network.code(batch.right)).square().mean()}


def pairs(X, epochs=1, **marks):
    """Numbers of the rows that were left and right views; the first column of X counts rows."""
    SEEN.clear()
    estimator = small(objective=Recording(), rows=Table(scaling=None), max_epochs=epochs)
    params = {name: marks.pop(name) for name in ("n_time_neighbors",) if name in marks}
    estimator.set_params(**params).fit(X, **marks)
    return torch.cat(SEEN).numpy().round().astype(int)


def numbered(n):
    return np.column_stack([np.arange(n), np.random.default_rng(0).normal(size=n)])


# ---------------------------------------------------------------- pairs


def test_without_marks_both_views_are_of_one_row():
    drawn = pairs(numbered(40))
    assert np.array_equal(drawn[:, 0], drawn[:, 1])
    assert np.array_equal(np.sort(drawn[:, 0]), np.arange(40))


def test_the_second_view_is_of_another_row_of_the_group():
    groups = np.random.default_rng(1).integers(5, size=40)
    groups[:3] = [100, 101, 102]  # alone in their groups
    drawn = pairs(numbered(40), epochs=20, groups=groups)
    left, right = drawn.T
    assert np.array_equal(np.bincount(left, minlength=40), np.full(40, 20))
    assert np.array_equal(groups[left], groups[right])
    alone = left < 3
    assert np.array_equal(left[alone], right[alone])
    assert (left != right)[~alone].all()


def test_partners_are_uniform_among_the_others():
    n, epochs = 6, 500
    drawn = pairs(numbered(n), epochs=epochs, groups=np.zeros(n))
    for row in range(n):
        counts = np.bincount(drawn[drawn[:, 0] == row, 1], minlength=n)
        assert counts[row] == 0
        assert chisquare(np.delete(counts, row)).pvalue > 1e-3


@pytest.mark.parametrize("n_neighbors", [1, 3, 50])
def test_the_second_view_is_of_a_row_near_in_time_and_of_the_group(n_neighbors):
    rng = np.random.default_rng(2)
    times, groups = rng.permutation(40) ** 2, rng.integers(2, size=40)
    for marks in ({"times": times}, {"times": times, "groups": groups}):
        drawn = pairs(numbered(40), epochs=30, n_time_neighbors=n_neighbors, **marks)
        among = groups if "groups" in marks else np.zeros(40)
        for left in range(40):
            same = np.flatnonzero(among == among[left])
            same = same[np.argsort(times[same])]
            place = int(np.flatnonzero(same == left)[0])
            near = same[max(0, place - n_neighbors) : place + n_neighbors + 1]
            found = set(drawn[drawn[:, 0] == left, 1])
            assert found <= set(near) - {left}
            if n_neighbors < 50:
                assert found == set(near) - {left}


def test_rows_of_one_time_are_partners_of_each_other():
    times = np.repeat(np.arange(10), 4)
    left, right = pairs(numbered(40), epochs=20, times=times, n_time_neighbors=1).T
    assert (np.abs(times[left] - times[right]) <= 1).all()
    assert (left != right).all()


def test_partners_come_from_the_rows_that_are_trained_on():
    groups = np.zeros(40)
    counts = np.ones(40)
    counts[::2] = 0
    drawn = pairs(numbered(40), epochs=10, groups=groups, sample_weight=counts)
    assert (drawn % 2 == 1).all()


def test_validation_rows_have_partners_among_themselves():
    SEEN.clear()
    groups = np.repeat(np.arange(4), 10)
    estimator = small(objective=Recording(), rows=Table(scaling=None), early_stopping=True)
    estimator.set_params(validation_fraction=0.4).fit(numbered(40), groups=groups)
    drawn = [part.numpy().round().astype(int) for part in SEEN]
    assert estimator.history_["valid_gap"].notna().all()
    sets = {frozenset(part[:, 0]) for part in drawn}
    assert len(sets) == 2  # all rows of training are one batch, those of validation another
    for part in drawn:
        assert np.array_equal(groups[part[:, 0]], groups[part[:, 1]])
        assert set(part[:, 1]) <= set(part[:, 0])


def test_partners_draw_nothing_else_for_rows_that_are_alone():
    partners = RowMetadata(groups=np.arange(5)).partners()
    numbers = torch.tensor([4, 0, 0, 3])
    assert torch.equal(partners.draw(numbers, torch.Generator()), numbers)
    assert RowMetadata(labels=np.zeros(3)).partners() is None


# ---------------------------------------------------------------- the same model each time


def kinds_of_groups(groups):
    return {
        "numbers": groups,
        "floats": groups.astype(float) / 3,
        "strings": np.array([f"patient {group}" for group in groups]),
        "objects": np.array([f"patient {group}" for group in groups], dtype=object),
        "series": pd.Series(groups, index=groups),
        "list": groups.tolist(),
        "column": groups[:, None],
        "booleans": groups > 2,
        "categories": pd.Series(groups).astype("category"),
        "mixed objects": np.array([int(g) if g % 2 else f"g{g}" for g in groups], dtype=object),
    }


def test_groups_may_be_of_any_kind():
    X, groups = numbered(40), np.random.default_rng(0).integers(5, size=40)
    for kind, same in kinds_of_groups(groups).items():
        left, right = pairs(X, epochs=3, groups=same).T
        among = groups if kind != "booleans" else groups > 2
        assert np.array_equal(among[left], among[right]), kind
        assert (left != right).all(), kind


def test_times_may_be_dates():
    X, times = numbered(40), np.random.default_rng(0).permutation(40)
    expected = weights(small().fit(X, times=times))
    dates = pd.Timestamp("2020-02-25") + pd.to_timedelta(times, unit="D")
    for same in (
        times * 1e9 + 5.0,
        dates.to_numpy(),
        pd.Series(dates),
        pd.to_timedelta(times, unit="s").to_numpy(),
        dates,
        pd.Series(dates).dt.tz_localize("Europe/Berlin"),
        [date.to_pydatetime().date() for date in dates],
        times.astype(object),
    ):
        assert weights(small().fit(X, times=same)) == expected


@pytest.mark.parametrize(
    "names",
    [("groups",), ("times",), ("groups", "times"), ("y",)],
    ids=str,
)
def test_the_order_of_the_rows_does_not_matter(names):
    rng = np.random.default_rng(3)
    X = rng.normal(size=(60, 4))
    X[30:40] = X[:10]  # rows that stand there twice, with marks of their own
    marks = {
        "groups": rng.integers(6, size=60),
        "times": rng.permutation(60),
        "y": rng.integers(-1, 3, size=60),
    }
    marks = {name: marks[name] for name in names}
    estimator = small(objective=SupCon() if "y" in names else None, early_stopping=True)
    expected = weights(estimator.fit(X, **marks))
    order = rng.permutation(60)
    shuffled = {name: mark[order] for name, mark in marks.items()}
    assert weights(estimator.fit(X[order], **shuffled)) == expected
    assert weights(estimator.fit(X[order], **marks)) != expected
    assert weights(small(early_stopping=True).fit(X)) != expected


@pytest.mark.parametrize("name", ["y", "groups", "times"])
def test_weight_two_is_a_repeated_row_with_its_marks(name):
    rng = np.random.default_rng(4)
    X, mark = rng.normal(size=(40, 3)), rng.integers(5, size=40)
    counts = rng.integers(0, 3, size=40)
    estimator = small(objective=SupCon() if name == "y" else None)
    weighted = weights(estimator.fit(X, sample_weight=counts, **{name: mark}))
    X, mark = (np.repeat(part, counts, axis=0) for part in (X, mark))
    assert weights(estimator.fit(X, **{name: mark})) == weighted


def test_rows_of_weight_zero_number_nothing():
    rng = np.random.default_rng(5)
    X, counts = rng.normal(size=(40, 3)), np.ones(40)
    counts[0] = 0
    for mark in (np.arange(40), np.r_[99, np.arange(39)], np.array(["a"] + ["b"] * 39)):
        for name in ("groups", "times")[: 1 + (mark.dtype.kind == "i")]:
            whole = weights(small().fit(X, sample_weight=counts, **{name: mark}))
            assert weights(small().fit(X[1:], **{name: mark[1:]})) == whole


def test_labels_and_groups_say_both_which_rows_are_alike():
    X = numbered(40)
    with pytest.raises(ValueError, match="leave groups and times out"):
        small(objective=SupCon()).fit(X, np.arange(40) % 2, groups=np.arange(40) % 4)


def test_names_of_groups_and_classes_do_not_matter():
    X = numbered(40)
    groups = np.random.default_rng(0).integers(3, size=40)
    names = np.array(["a", "b", "c"])[groups]
    for one, other in (({"groups": groups}, {"groups": names}), ({"y": groups}, {"y": names})):
        estimator = small(objective=SupCon() if "y" in one else None)
        assert weights(estimator.fit(X, **one)) == weights(estimator.fit(X, **other))


# ---------------------------------------------------------------- bad marks


@pytest.mark.parametrize(
    ("marks", "message"),
    [
        ({"groups": np.zeros(39)}, r"groups must have one value.*40 rows.*got shape \(39,\)"),
        ({"times": np.zeros(41)}, r"times must have one value.*got shape \(41,\)"),
        ({"groups": np.zeros((40, 2))}, r"groups must have one value.*got shape \(40, 2\)"),
        ({"groups": 3}, r"groups must have one value.*got shape \(\)"),
        ({"groups": [None, *"ab" * 19, "c"]}, "groups has 1 missing.*first in row 0"),
        ({"times": [*range(39), np.nan]}, "times has 1 missing values.*first in row 39"),
        ({"times": np.full(40, np.datetime64("NaT"))}, "times has 40 missing values"),
        ({"times": ["monday"] * 40}, "times must be numbers or dates; got dtype"),
        ({"times": np.array([3, "b"] * 20, dtype=object)}, "times must be numbers or dates"),
    ],
    ids=str,
)
def test_bad_marks_are_refused_and_nothing_is_changed(marks, message):
    X = numbered(40)
    fitted = small().fit(X)
    before = dict(vars(fitted))
    with pytest.raises(ValueError, match=message):
        fitted.fit(X, **marks)
    assert vars(fitted) == before


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (None, "compares rows by their class and needs y; give -1"),
        (np.zeros(39), r"y must have one value.*got shape \(39,\)"),
    ],
    ids=["none", "length"],
)
def test_supcon_needs_labels(y, message):
    with pytest.raises(ValueError, match=message):
        small(objective=SupCon()).fit(numbered(40), y)
    assert small().fit(numbered(40), y).n_iter_ == 2  # others ignore y


# ---------------------------------------------------------------- labels


@pytest.mark.parametrize(
    ("y", "numbers"),
    [
        ([3, 1, -1, 3], [1, 0, -1, 1]),
        ([3.0, 1.0, -1.0, 3.0], [1, 0, -1, 1]),
        (np.array(["b", "a", -1, "b"], dtype=object), [1, 0, -1, 1]),
        (["b", "a", "a", "b"], [1, 0, 0, 1]),
        ([True, False, False, True], [1, 0, 0, 1]),
        ([[3], [1], [-1], [3]], [1, 0, -1, 1]),
        ([-1, -1, -1, -1], [-1, -1, -1, -1]),
        (pd.Series(["b", "a", "a", "b"]).astype("category"), [1, 0, 0, 1]),
    ],
    ids=str,
)
def test_labels_become_numbers_of_classes(y, numbers):
    assert class_numbers(y, 4).tolist() == numbers


def test_groups_and_times_become_numbers():
    assert group_numbers(["x", "a", "x"], 3).tolist() == [1, 0, 1]
    assert time_numbers([5.5, -2, 5.5], 3).tolist() == [1, 0, 1]
    assert group_numbers(None, 3) is None
    assert time_numbers(None, 3) is None


class Labels(Objective):
    """Notes the labels of the rows."""

    uses_labels = True

    def terms(self, network, heads, batch, generator):
        SEEN.append(
            torch.stack([batch.left[:, 0], batch.labels.to(batch.left.dtype)], dim=1).clone()
        )
        return {"size": network.code(batch.left).square().mean()}


def test_each_row_keeps_its_label():
    SEEN.clear()
    y = np.random.default_rng(0).integers(-1, 4, size=40)
    small(objective=Labels(), rows=Table(scaling=None)).fit(numbered(40), y)
    seen = torch.cat(SEEN).numpy().round().astype(int)
    assert len(seen) == 80
    assert np.array_equal(y[seen[:, 0]], seen[:, 1])


def test_equal_rows_with_other_labels_stay_apart():
    X = np.repeat(numbered(10), 2, axis=0)
    for y, expected in ((np.tile([0, 1], 10), {0, 1}), (np.tile([0, -1], 10), {0, -1})):
        SEEN.clear()
        small(objective=Labels(), rows=Table(scaling=None), max_epochs=1).fit(X, y)
        seen = torch.cat(SEEN).numpy().round().astype(int)
        assert len(seen) == 20
        assert {(a, b) for a, b in seen} == {(a, b) for a in range(10) for b in expected}


def test_labels_help_and_rows_without_one_take_part():
    rng = np.random.default_rng(5)
    X, y = rng.normal(size=(300, 20)), rng.integers(2, size=300)
    X[:, 0] += 3 * y  # one column of twenty tells the classes apart
    few = np.where(np.arange(300) < 200, y, -1)
    params = {"latent_dim": 2, "max_epochs": 60, "augmentation": None, "batch_size": 128}
    labeled, unlabeled = (
        small(objective=objective, **params).fit(X, few) for objective in (SupCon(), NTXent())
    )
    accuracies = [
        LogisticRegression().fit(e.transform(X[:200]), y[:200]).score(e.transform(X[200:]), y[200:])
        for e in (labeled, unlabeled)
    ]
    assert accuracies[0] > max(0.8, accuracies[1] + 0.1)
    without = small(objective=SupCon(), **params).fit(X[:200], y[:200])
    assert weights(without) != weights(labeled)


# ---------------------------------------------------------------- groups and routing


def grouped(n_groups=60, seed=6):
    """Two columns are the same for a group; eight that vary more are of the row alone."""
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(n_groups), 5)
    centers = rng.choice([-1.0, 1.0], size=(n_groups, 2))
    shared = centers[groups] + 0.3 * rng.normal(size=(len(groups), 2))
    own = rng.normal(size=(len(groups), 8))
    rotation = np.linalg.qr(rng.normal(size=(10, 10)))[0]
    X = np.hstack([shared, own]) @ rotation
    return X, groups, (centers[groups, 0] > 0) * 2 + (centers[groups, 1] > 0)


def accuracy(encoder, X, y):
    codes, half = encoder.transform(X), len(X) // 2
    return LogisticRegression().fit(codes[:half], y[:half]).score(codes[half:], y[half:])


def test_groups_show_what_their_rows_share():
    X, groups, y = grouped()
    params = {"latent_dim": 2, "max_epochs": 80, "batch_size": 128, "hidden_layer_sizes": (32,)}
    plain = small(**params, augmentation=None).fit(X)
    told = small(**params).fit(X, groups=groups)
    assert accuracy(told, X, y) > max(0.8, accuracy(plain, X, y) + 0.1)


def test_a_pipeline_passes_groups_on():
    X, groups, y = grouped(20)
    with sklearn.config_context(enable_metadata_routing=True):
        encoder = small().set_fit_request(groups=True, times=True)
        pipe = Pipeline(
            [("scale", StandardScaler()), ("enc", encoder), ("clf", LogisticRegression())]
        )
        pipe.fit(X, y, groups=groups, times=np.arange(len(X)))
        routed = weights(pipe["enc"])
    scaled = StandardScaler().fit_transform(X)
    direct = small().fit(scaled, groups=groups, times=np.arange(len(X)))
    assert routed == weights(direct)
    assert routed != weights(small().fit(scaled, groups=groups))
    assert routed != weights(small().fit(scaled))


@pytest.mark.parametrize("kind", ["images", "tokens"])
def test_groups_of_images_and_tokens_are_alike_too(kind):
    rng = np.random.default_rng(7)
    X = rng.integers(1, 9, size=(20, 16))
    params = {"rows": Images((1, 4, 4))} if kind == "images" else {"rows": Tokens(9)}
    groups = np.repeat(np.arange(4), 5)
    told = small(**params).fit(X, groups=groups)
    assert weights(told) != weights(small(**params).fit(X))
    order = rng.permutation(20)
    assert weights(small(**params).fit(X[order], groups=groups[order])) == weights(told)


def test_other_transformers_take_no_groups():
    with pytest.raises(TypeError, match="groups"):
        AutoencoderTransformer().fit(numbered(9), groups=np.zeros(9))


# ---------------------------------------------------------------- values that say nothing


class Plain:
    """Told apart by its address in memory alone."""


class Named:
    def __init__(self, name):
        self.name = name

    def __repr__(self):
        return f"Named({self.name})"


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ([Plain() for _ in range(40)], "which is another one in each run"),
        ([(1, Plain()) for _ in range(40)], "another one in each run|1d array"),
        ([Named(i // 2) for i in range(40)], "different values that look the same"),
        ([{i} for i in range(40)], r"compare by what they are; got \{0\}"),
    ],
    ids=["plain", "inside", "alike", "unhashable"],
)
def test_groups_that_cannot_be_told_apart_by_value_are_refused(groups, message):
    with pytest.raises(ValueError, match=f"groups must .*({message})"):
        small().fit(numbered(40), groups=groups)


def test_groups_are_equal_by_value():
    few = [Named(i) for i in range(4)]
    kinds = {
        "numbers": [i % 4 for i in range(40)],
        "mixed": [(0, 1.0, "2", None.__class__)[i % 4] for i in range(40)],
        "objects": [few[i % 4] for i in range(40)],
        "dates": [pd.Timestamp(2020, 1, 1 + i % 4) for i in range(40)],
    }
    same = [group_numbers(np.array(groups, dtype=object), 40) for groups in kinds.values()]
    assert all(len(np.unique(numbers)) == 4 for numbers in same)
    assert len(np.unique(group_numbers(np.array([1, 1.0, "1"], dtype=object), 3))) == 2


@pytest.mark.parametrize(
    "given", [np.full(40, 1e308), [10**400] * 40, ["a"] * 40, np.ones(40) * 1j]
)
@pytest.mark.parametrize(
    "transformer", [AutoencoderTransformer, VAETransformer, ContrastiveTransformer]
)
def test_weights_that_cannot_be_added_are_refused(transformer, given):
    with pytest.raises(ValueError, match=r"sample_weight (adds up to|must be)"):
        transformer(2, max_epochs=1).fit(numbered(40), sample_weight=given)
