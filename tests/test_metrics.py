"""Metrics against slow references, their invariances, and the inputs that break such things."""

from functools import partial
from itertools import combinations
from math import exp, log, log2

import numpy as np
import pandas as pd
import pytest
import torch
from repeatability import global_state
from sklearn.datasets import load_iris

from sklearn_replearn import metrics
from sklearn_replearn.metrics import (
    alignment,
    dci,
    effective_rank,
    info_nce_bits,
    knn_probe,
    linear_probe,
    mutual_information_gap,
    procrustes_r2,
    uniformity,
)


def normal(n, width, seed=0):
    return np.random.RandomState(seed).normal(size=(n, width))


def rotation(width, seed=0):
    return np.linalg.qr(normal(width, width, seed))[0]


def unit(row):
    return np.asarray(row) / np.sqrt(sum(value**2 for value in row))


def slow_alignment(left, right, alpha):
    gaps = [unit(a) - unit(b) for a, b in zip(left, right, strict=True)]
    return np.mean([sum(gap**2) ** (alpha / 2) for gap in gaps])


def slow_uniformity(codes, t):
    potentials = [
        exp(-t * sum((unit(codes[i]) - unit(codes[j])) ** 2))
        for i in range(len(codes))
        for j in range(len(codes))
        if i != j
    ]
    return log(np.mean(potentials))


def slow_effective_rank(codes):
    """Garrido et al. (2023), by the eigenvalues of the matrix of inner products."""
    sizes = np.sqrt(np.linalg.eigvalsh(codes.T @ codes).clip(0))
    shares = [size / sum(sizes) + 1e-7 for size in sizes]
    return exp(-sum(p * log(p) for p in shares))


def slow_bits(left, right, temperature):
    """Van den Oord et al. (2018), with all rows as one group."""
    nats = []
    for queries, keys in [(left, right), (right, left)]:
        for i, query in enumerate(queries):
            scores = [exp(unit(query) @ unit(key) / temperature) for key in keys]
            nats.append(-log(scores[i] / sum(scores)))
    return log2(len(left)) - np.mean(nats) / log(2)


def slow_procrustes_r2(*runs):
    """Share of variance that the best orthogonal map explains, by computing that map."""
    shares = []
    width = max(run.shape[1] for run in runs)
    for a, b in combinations(runs, 2):
        a, b = (np.pad(x - x.mean(0), [(0, 0), (0, width - x.shape[1])]) for x in (a, b))
        u, _, vt = np.linalg.svd(a.T @ b)
        mapped = a @ u @ vt
        scale = (mapped * b).sum() / (mapped**2).sum()
        shares.append(1 - ((scale * mapped - b) ** 2).sum() / (b**2).sum())
    return np.mean(shares)


LEFT, RIGHT = normal(7, 3), normal(7, 3, seed=1)
X, Y = load_iris(return_X_y=True)
TRAIN, TEST = np.arange(0, 150, 2), np.arange(1, 150, 2)

# Every metric as a function of codes, for the promises that all of them make.
METRICS = {
    "alignment": lambda codes: alignment(codes, codes),
    "dci": lambda codes: dci(codes, labels(codes)[:, None]).informativeness,
    "effective_rank": effective_rank,
    "info_nce_bits": lambda codes: info_nce_bits(codes, codes),
    "knn_probe": lambda codes: knn_probe(codes, labels(codes), codes, labels(codes)),
    "linear_probe": lambda codes: linear_probe(codes, labels(codes), codes, labels(codes)),
    "mutual_information_gap": lambda codes: mutual_information_gap(codes, labels(codes)[:, None]),
    "procrustes_r2": lambda codes: procrustes_r2(codes, codes),
    "uniformity": uniformity,
}
PROBES = {"linear": linear_probe, "knn": partial(knn_probe, n_neighbors=1)}
every_metric = pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
every_probe = pytest.mark.parametrize("probe", PROBES.values(), ids=PROBES)


def labels(codes):
    return np.arange(len(codes)) % 2


def test_all_metrics_are_named_and_tested():
    assert list(METRICS) == metrics.__all__ == sorted(metrics.__all__)


@pytest.mark.parametrize("alpha", [1, 2, 3.5])
def test_alignment_is_the_loop_over_rows(alpha):
    assert alignment(LEFT, RIGHT, alpha) == pytest.approx(slow_alignment(LEFT, RIGHT, alpha))


def test_alignment_is_0_for_equal_and_4_for_opposite_directions():
    assert alignment(LEFT, 7 * LEFT) == pytest.approx(0, abs=1e-15)
    assert alignment(LEFT, -LEFT) == pytest.approx(4)
    assert alignment([[0, 0]], [[0, 3]]) == 1


@pytest.mark.parametrize("t", [0.5, 2, 5])
def test_uniformity_is_the_double_loop_over_rows(t):
    assert uniformity(LEFT, t) == pytest.approx(slow_uniformity(LEFT, t))


def test_uniformity_is_lower_the_more_codes_spread():
    spread = normal(200, 3)
    values = [uniformity(spread + shift) for shift in (0, 1, 10, 1e6)]
    assert values == sorted(values)
    assert values[-1] == pytest.approx(0, abs=1e-9)
    # The potential of two uniform points on a sphere, integrated.
    assert values[0] == pytest.approx(log((1 - exp(-8)) / 8), abs=0.05)


def test_a_sharp_uniformity_does_not_underflow():
    assert uniformity([[1.0], [-1.0]], t=1e4) == -4e4


def test_alignment_and_uniformity_see_neither_rotations_nor_lengths_nor_order():
    turn, lengths, order = rotation(3), np.arange(1, 8)[:, None], [3, 0, 6, 1, 2, 5, 4]
    left, right = (LEFT @ turn * lengths)[order], (RIGHT @ turn / lengths)[order]
    assert alignment(left, right) == pytest.approx(alignment(LEFT, RIGHT))
    assert uniformity(left) == pytest.approx(uniformity(LEFT))


def test_effective_rank_is_that_of_the_eigenvalues():
    for codes in (LEFT, LEFT[:2], LEFT * [1, 10, 0.1], LEFT + 5):
        assert effective_rank(codes) == pytest.approx(slow_effective_rank(codes), rel=1e-5)


@pytest.mark.parametrize("width", [1, 2, 5, 30])
def test_effective_rank_counts_directions(width):
    assert effective_rank(np.eye(width)) == pytest.approx(width, rel=1e-4)
    assert effective_rank(np.ones((9, width))) == pytest.approx(1, abs=1e-4)
    assert effective_rank(np.zeros((9, width))) == 1


def test_effective_rank_of_a_covariance_counts_directions_by_their_variance():
    codes = normal(50, 4) @ np.diag([1, 2, 3, 0])
    variances = np.linalg.eigvalsh(np.cov(codes, rowvar=False)).clip(1e-300)
    shares = variances / variances.sum()
    expected = exp(-(shares * np.log(shares)).sum())
    assert effective_rank(np.cov(codes, rowvar=False)) == pytest.approx(expected, rel=1e-5)
    assert effective_rank([[4.0]]) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("temperature", [0.05, 0.5, 2.0])
def test_info_nce_bits_is_the_double_loop_over_rows(temperature):
    expected = slow_bits(LEFT, RIGHT, temperature)
    assert info_nce_bits(LEFT, RIGHT, temperature) == pytest.approx(expected)
    assert info_nce_bits(RIGHT, LEFT, temperature) == pytest.approx(expected)


def test_info_nce_bits_takes_the_best_temperature():
    expected = max(slow_bits(LEFT, RIGHT, t) for t in np.geomspace(0.005, 2.0, 16))
    assert info_nce_bits(LEFT, RIGHT) == pytest.approx(expected)


def test_info_nce_bits_averages_over_groups():
    expected = np.mean(
        [slow_bits(LEFT[part], RIGHT[part], 0.5) for part in (slice(3), slice(3, 6))]
    )
    found = info_nce_bits(LEFT[:6], RIGHT[:6], 0.5, n_candidates=3)
    assert found == pytest.approx(expected)


def test_info_nce_bits_is_0_by_chance_and_all_bits_at_best():
    left, right = normal(1024, 64), normal(1024, 64, seed=1)
    assert info_nce_bits(left, right) == pytest.approx(0, abs=0.02)
    assert info_nce_bits(left, left) == pytest.approx(8, abs=1e-6)
    assert info_nce_bits(left, left + 0.3 * right) == pytest.approx(8, abs=0.1)
    assert 0.5 < info_nce_bits(left, left + 4 * right) < 7
    assert info_nce_bits(np.ones((9, 2)), np.ones((9, 2))) == pytest.approx(0)


def test_procrustes_r2_is_the_variance_explained_by_the_best_orthogonal_map():
    assert procrustes_r2(LEFT, RIGHT) == pytest.approx(slow_procrustes_r2(LEFT, RIGHT))
    runs = LEFT, RIGHT, normal(7, 2, seed=2), normal(7, 5, seed=3)
    assert procrustes_r2(*runs) == pytest.approx(slow_procrustes_r2(*runs))
    assert procrustes_r2(*runs[::-1]) == pytest.approx(procrustes_r2(*runs))


def test_procrustes_r2_is_1_minus_the_disparity_of_scipy():
    from scipy.spatial import procrustes

    assert procrustes_r2(LEFT, RIGHT) == pytest.approx(1 - procrustes(LEFT, RIGHT)[2])


def test_procrustes_r2_is_1_up_to_orthogonal_maps_scalings_shifts_and_columns_of_zeros():
    turned = 0.01 * LEFT @ rotation(3) + 5
    mirrored = np.pad(LEFT * [-1, 1, 1], [(0, 0), (0, 4)])
    assert procrustes_r2(LEFT, turned, mirrored) == pytest.approx(1)
    assert procrustes_r2(LEFT, LEFT * [1, 2, 9]) < 0.9


def test_procrustes_r2_of_unrelated_runs_is_what_chance_gives():
    found = [procrustes_r2(normal(2000, 50, 2 * k), normal(2000, 50, 2 * k + 1)) for k in range(3)]
    assert np.mean(found) == pytest.approx(0.7 * 50 / 2000, rel=0.1)


@pytest.mark.parametrize("constant", [0.0, 0.1, 1e30])
def test_codes_that_do_not_vary_agree_with_none(constant):
    still = np.full((7, 2), constant)
    assert procrustes_r2(LEFT, still) == procrustes_r2(still, still) == 0


@every_probe
def test_probes_find_the_classes_of_iris_whatever_they_are_called(probe):
    expected = probe(X[TRAIN], Y[TRAIN], X[TEST], Y[TEST])
    assert isinstance(expected, float)
    assert expected > 0.9
    for names in (
        np.array(["setosa", "versicolor", "virginica"])[Y],
        pd.Series(Y, dtype="category"),
        pd.Series(Y, dtype="Int64"),
        Y.astype(float),
    ):
        assert probe(X[TRAIN], names[TRAIN], X[TEST], names[TEST]) == expected


@every_probe
def test_probes_are_the_share_of_test_rows_that_are_right(probe):
    codes = [[-2.0], [-1.0], [1.0], [2.0]]
    assert probe(codes, [0, 0, 1, 1], [[-3], [-1], [5], [1.0]], [0, 0, 0, 1]) == 0.75
    # A class that was never seen cannot be found.
    assert probe(codes, [0, 0, 1, 1], [[-3], [-1], [5], [1.0]], [0, 2, 2, 1]) == 0.5


@every_probe
@pytest.mark.parametrize("n_labels", [1, 3])
def test_exactly_so_many_labels_of_each_class_are_used(probe, n_labels):
    # Which rows are drawn depends on the labels, the first of an order in each class, so the codes
    # of the others are made wrong: with any of them among the chosen, the class would be missed.
    order = np.random.RandomState(0).permutation(40)
    y = np.arange(40) % 2
    chosen = np.concatenate([[i for i in order if y[i] == k][:n_labels] for k in (0, 1)])
    side = 2 * y - 1
    codes = np.outer(-side, [1.0, 0.0])
    codes[chosen] = np.outer(side[chosen], [1.0, 0.1])
    test = [[-1.0, 0.0], [1.0, 0.0]]
    assert probe(codes, y, test, [0, 1], n_labels=n_labels) == 1
    assert probe(codes, y, test, [0, 1], n_labels=10) == 0


@every_probe
def test_a_class_with_fewer_labels_gives_all_it_has(probe):
    rows = np.concatenate([np.arange(50), [50, 51]])
    task = X[rows], Y[rows], X[:100], Y[:100]
    assert probe(*task, n_labels=2) > 0.9
    assert probe(*task, n_labels=10) > 0.9
    assert probe(*task, n_labels=1000) == probe(*task)


@every_probe
def test_labels_are_drawn_by_random_state_alone(probe):
    task = X[TRAIN], Y[TRAIN], X[TEST], Y[TEST]
    draws = [probe(*task, n_labels=1, random_state=seed) for seed in range(10)]
    assert len(set(draws)) > 1
    assert draws == [probe(*task, n_labels=1, random_state=seed) for seed in range(10)]
    generator = np.random.RandomState(0)
    assert len({probe(*task, n_labels=1, random_state=generator) for _ in range(10)}) > 1
    assert 0 <= probe(*task, n_labels=1, random_state=None) <= 1


@every_probe
def test_one_label_in_each_of_many_classes_is_no_reason_to_warn(probe):
    codes, y = np.repeat(np.eye(30), 2, axis=0), np.repeat(np.arange(30), 2)
    assert probe(codes, y, codes, y, n_labels=1) == 1


def test_knn_probe_lets_at_most_all_labelled_rows_vote():
    codes, y = [[1.0, 0], [1, 0.1], [0, 1]], [0, 0, 1]
    assert knn_probe(codes, y, codes, y, n_neighbors=1) == 1
    assert knn_probe(codes, y, codes, y, n_neighbors=50) == pytest.approx(2 / 3)


def test_knn_probe_sees_directions_only():
    task = X[TRAIN], Y[TRAIN], X[TEST], Y[TEST]
    lengths = 10.0 ** np.arange(75)[:, None]
    assert knn_probe(X[TRAIN] * lengths, Y[TRAIN], X[TEST] / lengths, Y[TEST]) == knn_probe(*task)


def test_linear_probe_sees_neither_units_nor_means_of_columns():
    expected = linear_probe(X[TRAIN], Y[TRAIN], X[TEST], Y[TEST])
    codes = X * [1e-3, 1, 1e3, 1e30] + [1, 2, 3, 0]
    assert linear_probe(codes[TRAIN], Y[TRAIN], codes[TEST], Y[TEST]) == expected


@every_metric
@pytest.mark.parametrize("scale", [1e-100, 1e-30, 1e30, 1e100])
def test_no_metric_sees_the_scale_of_all_codes(metric, scale):
    assert metric(LEFT * scale) == pytest.approx(metric(LEFT))


AWKWARD = {
    "one_column": LEFT[:, :1],
    "three_rows": LEFT[:3],
    "two_rows": LEFT[:2],
    "constant_columns": LEFT * [1, 0, 0] + [0, 0.1, 1e30],
    "all_the_same": np.full((5, 3), 0.1),
    "rows_of_zeros": LEFT * (np.arange(7) > 2)[:, None],
    "zeros": np.zeros((4, 2)),
    "huge": 1e30 * LEFT.astype(np.float32),
    "integers": np.arange(6).reshape(3, 2),
}


@every_metric
@pytest.mark.parametrize("codes", AWKWARD.values(), ids=AWKWARD)
def test_awkward_codes_have_finite_values(metric, codes):
    value = metric(codes)
    assert type(value) is float
    assert np.isfinite(value)


@every_metric
def test_containers_and_dtypes_change_nothing(metric):
    narrow = LEFT.astype(np.float32)
    before = narrow.copy()
    expected = metric(narrow.astype(np.float64))
    for same in (narrow, narrow.tolist(), pd.DataFrame(narrow), torch.from_numpy(narrow)):
        assert metric(same) == expected
    assert (narrow == before).all()


@every_metric
def test_global_generators_stay_as_they_are_and_results_repeat(metric):
    before = global_state()
    assert metric(LEFT) == metric(LEFT)
    linear_probe(X, Y, X, Y, n_labels=2, random_state=None)
    assert global_state() == before


@every_metric
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_codes_must_be_finite(metric, bad):
    with pytest.raises(ValueError, match=r"contains (NaN|infinity)"):
        metric([[1.0, bad], [2.0, 3.0]])


@every_metric
def test_codes_must_be_a_table(metric):
    with pytest.raises(ValueError, match="Expected 2D array, got 1D array"):
        metric([1.0, 2.0])


@pytest.mark.parametrize("name", ["uniformity", "info_nce_bits", "procrustes_r2"])
def test_what_compares_rows_needs_two(name):
    with pytest.raises(ValueError, match="minimum of 2 is required"):
        METRICS[name]([[1.0, 2.0]])


@pytest.mark.parametrize("metric", [alignment, info_nce_bits])
@pytest.mark.parametrize("right", [LEFT[:5], LEFT[:, :2]], ids=["rows", "columns"])
def test_two_views_must_have_one_shape(metric, right):
    with pytest.raises(ValueError, match=r"two views of the same rows.*got \(7, 3\) and \("):
        metric(LEFT, right)


@pytest.mark.parametrize("bad", [0, -1, np.nan, np.inf, "2"])
def test_powers_and_temperatures_must_be_positive(bad):
    for name, call in {
        "alpha": partial(alignment, LEFT, RIGHT),
        "t": partial(uniformity, LEFT),
        "temperature": partial(info_nce_bits, LEFT, RIGHT),
    }.items():
        with pytest.raises(ValueError, match=f"'{name}' parameter of .* Got {bad!r}"):
            call(bad)


def test_counts_must_be_large_enough():
    with pytest.raises(ValueError, match=r"'n_candidates' parameter .* range \[2, .* Got 1"):
        info_nce_bits(LEFT, RIGHT, n_candidates=1)
    with pytest.raises(ValueError, match=r"'n_neighbors' parameter .* range \[1, .* Got 0"):
        knn_probe(X, Y, X, Y, n_neighbors=0)
    for probe in PROBES.values():
        with pytest.raises(ValueError, match=r"'n_labels' parameter .* range \[1, .* Got 0"):
            probe(X, Y, X, Y, n_labels=0)
        with pytest.raises(TypeError, match=r"'n_labels' parameter .* an int .* Got 2.5"):
            probe(X, Y, X, Y, n_labels=2.5)


def test_procrustes_r2_needs_two_runs_of_the_same_rows():
    with pytest.raises(ValueError, match="needs the codes of at least 2; got 1"):
        procrustes_r2(LEFT)
    with pytest.raises(ValueError, match=r"the same rows in the same order; got \[7, 7, 6\] rows"):
        procrustes_r2(LEFT, RIGHT, LEFT[:6])


BAD_TASKS = {
    "lengths": ((X, Y[:9], X, Y), r"^y must have one value for each of the 150 rows.*\(9,\)"),
    "test_lengths": ((X, Y, X[:9], Y), "^test_y must have one value for each of the 9 rows"),
    "widths": ((X, Y, X[:, :2], Y), "same number of columns; got 4 and 2"),
    "one_class": ((X, np.ones(150), X, Y), r"at least 2 classes to tell apart; got \{1.0\}"),
    "continuous": ((X, X[:, 0] + 0.01, X, X[:, 0] + 0.01), "Unknown label type: continuous"),
    "no_class_in_common": ((X, Y, X, Y.astype(str)), "none of them, but for example '0' where"),
    "kinds": ((X, ["a", *Y[1:]], X, Y), "^y must be classes.*all of one kind.*got 0 and 'a'"),
}


@every_probe
@pytest.mark.parametrize("task, message", BAD_TASKS.values(), ids=BAD_TASKS)
def test_probes_say_what_is_wrong_with_their_task(probe, task, message):
    with pytest.raises(ValueError, match=message):
        probe(*task)


# Disentanglement


def factors_of(n=1500, seed=0):
    random = np.random.RandomState(seed)
    return np.column_stack([random.uniform(size=n), random.randint(3, size=n), normal(n, 1, seed)])


DISENTANGLED = factors_of()
_UNITS = (DISENTANGLED - DISENTANGLED.mean(axis=0)) / DISENTANGLED.std(axis=0)


@pytest.mark.parametrize(
    "codes", [DISENTANGLED, -(_UNITS**3), np.column_stack([_UNITS[:, ::-1], np.ones(1500)])]
)
def test_codes_that_are_the_factors_are_disentangled(codes):
    assert mutual_information_gap(codes, DISENTANGLED) > 0.9
    assert min(dci(codes, DISENTANGLED)) > 0.95


def test_codes_that_mix_factors_are_less_so_and_constant_ones_not_at_all():
    mixed = _UNITS @ rotation(3)
    assert mutual_information_gap(mixed, DISENTANGLED) < 0.5
    found = dci(mixed, DISENTANGLED)
    assert max(found[:2]) < 0.75
    assert found.informativeness > 0.8
    nothing = np.ones((1500, 2))
    assert mutual_information_gap(nothing, DISENTANGLED) == 0.0
    assert dci(nothing, DISENTANGLED) == (0.0, 0.0, 0.0)
    assert mutual_information_gap(normal(1500, 3, 7), DISENTANGLED) < 0.02


def test_two_columns_that_tell_the_same_leave_no_gap_but_one_that_tells_all_is_not_complete():
    factor, others = DISENTANGLED[:, :1], normal(1500, 1, 5)
    assert mutual_information_gap(np.hstack([factor, factor]), factor) == pytest.approx(0, abs=1e-9)
    both = np.hstack([factor, others])
    assert mutual_information_gap(factor, both) < 0.55  # of the second it tells nothing
    found = dci(np.hstack([factor, factor]), factor)
    assert found.disentanglement == pytest.approx(1)
    assert found.completeness < 0.3


def test_factors_may_be_strings_booleans_and_frames():
    numbers = np.random.RandomState(0).randint(2, size=(400, 2))
    frame = pd.DataFrame({"shape": np.where(numbers[:, 0], "heart", "square")})
    frame["left"] = numbers[:, 1] == 1
    for factors in (numbers, frame, frame.astype({"shape": "category"}), frame.to_numpy()):
        assert mutual_information_gap(numbers, factors) == pytest.approx(1, abs=0.02)
        assert min(dci(numbers, factors)) > 0.95


@pytest.mark.parametrize("metric", [mutual_information_gap, dci])
@pytest.mark.parametrize(
    ("factors", "message"),
    [
        (DISENTANGLED[:10], "a row for each of the 1500 codes"),
        (np.ones((1500, 1)), "column 0 of factors has one value"),
        (np.where(DISENTANGLED > 1, np.nan, DISENTANGLED), "missing values"),
        (np.where(DISENTANGLED > 1, np.inf, DISENTANGLED), "inf"),
    ],
)
def test_factors_that_say_nothing_are_refused(metric, factors, message):
    with pytest.raises(ValueError, match=message):
        metric(DISENTANGLED, factors)
