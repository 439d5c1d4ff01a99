"""Augmentations of any callable, composed, and bound to what rows are."""

import gc
import weakref
from functools import partial

import numpy as np
import pytest
import torch
from repeatability import global_state, seeded

from sklearn_replearn._runtime.isolation import is_foreign
from sklearn_replearn.augmentations import (
    Compose,
    CutMix,
    GaussianNoise,
    Identity,
    MixUp,
    _calling,
)
from sklearn_replearn.augmentations._binding import OnImages, OnTables, OnTokens
from sklearn_replearn.augmentations._calling import view

ROWS = torch.randn(20_000, 3, generator=seeded(99))


def augment(augmentation, rows=ROWS, seed=0):
    return augmentation(rows, seeded(seed))


class Scaled:
    def __init__(self, factor):
        self.factor = factor

    def __eq__(self, other):
        return self is other

    __hash__ = None  # as of a dataclass

    def __call__(self, rows):
        return self.factor * rows

    def with_generator(self, rows, generator):
        return self.factor * rows + torch.rand(rows.shape, generator=generator)


class Forward(torch.nn.Module):
    def forward(self, rows, other=None, *, generator=None):
        assert other is None
        return rows + torch.rand(rows.shape, generator=generator)


class Unknown:
    __signature__ = "none"

    def __call__(self, rows, generator):
        return rows + generator.initial_seed()


def plus_seed(rows, other):
    return rows + other.initial_seed()


@pytest.mark.parametrize(
    ("augmentation", "expected"),
    [
        (lambda rows: rows + 1, 1),
        (lambda rows, p=0.5: rows + p, 0.5),
        (lambda *rows: rows[0] + len(rows), 1),
        (lambda rows, generator: rows + generator.initial_seed(), 3),
        (lambda rows, *, generator: rows + generator.initial_seed(), 3),
        (lambda rows, p=0.5, generator=None: rows + p + generator.initial_seed(), 3.5),
        (lambda rows, rng: rows + rng.initial_seed(), 3),
        (plus_seed, 3),
        (partial(plus_seed), 3),
        (partial(lambda rows, p: rows + p, p=2.0), 2),
        (Scaled(4.0), 0),
        (torch.nn.Sequential(torch.nn.Identity()), 0),
        (Unknown(), 3),
    ],
)
def test_a_callable_gets_the_generator_if_it_takes_one(augmentation, expected):
    rows = torch.zeros(2, 3)
    for _ in range(2):
        for called_by in (view, lambda f, *given: Compose([f])(*given)):
            seen = called_by(augmentation, rows, seeded(3))
            assert torch.equal(seen, rows + expected)


def test_methods_and_modules_draw_from_the_generator_that_they_name():
    drawn = torch.rand(2, 3, generator=seeded(3))
    for augmentation in (Scaled(4.0).with_generator, Forward()):
        before = global_state()
        seen = view(augmentation, torch.zeros(2, 3), seeded(3))
        assert torch.equal(seen, drawn)
        assert global_state() == before


def test_signatures_are_inspected_once_and_nothing_is_kept_alive(monkeypatch):
    count = []
    inspected = _calling._inspected
    monkeypatch.setattr(_calling, "_inspected", lambda f: count.append(1) or inspected(f))

    class Own(Scaled):
        def __call__(self, rows):
            return rows

    def function(rows):
        return rows

    for _ in range(5):
        for augmentation in (Own(1.0), Own(2.0), function):
            view(augmentation, ROWS, torch.Generator())
    assert len(count) == 2
    gone = weakref.ref(function)
    del function, augmentation
    gc.collect()
    assert gone() is None


def test_categories_reach_those_that_want_them_through_compose():
    class Told:
        wants_categories = True

        def __call__(self, rows, generator, categories):
            return rows + (0 if categories is None else categories)

    nested = Compose([lambda rows: rows, Compose([Told(), Told()])])
    rows = torch.zeros(2, 2)
    assert OnTables(nested, [True, False])(rows, torch.Generator()).tolist() == [[2, 0], [2, 0]]
    assert OnTables(nested)(rows, torch.Generator()).tolist() == [[0, 0], [0, 0]]
    noisy = OnTables(Compose([GaussianNoise(), MixUp()]), np.array([False, True, False]))
    levels = ROWS.round()
    assert torch.isin(augment(noisy, levels)[:, 1], levels[:, 1]).all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_images_of_rows_have_their_shape_and_become_rows_again(dtype):
    rows = torch.arange(24, dtype=dtype).reshape(2, 12)
    shapes = []

    def mirrored(images):
        shapes.append(images.shape)
        return images.flip(-1)

    seen = augment(OnImages(mirrored, (3, 2, 2)), rows)
    assert shapes == [(2, 3, 2, 2)]
    assert torch.equal(seen, rows.reshape(-1, 2).flip(1).reshape(2, 12))


def test_images_of_another_size_raise():
    with pytest.raises(ValueError, match=r"shape \(3, 2, 2\) are rows of 12 values; got"):
        augment(OnImages(Identity(), (3, 2, 2)), ROWS)
    with pytest.raises(ValueError, match=r"given, \(20000, 1, 1, 3\); it returned \(20000, 1, 3\)"):
        augment(OnImages(lambda images: images[:, 0], (1, 1, 3)), ROWS)


@pytest.mark.parametrize(
    ("augmentation", "message"),
    [
        (lambda rows: rows[:1], r"given, \(20000, 3\); it returned \(1, 3\)"),
        (lambda rows: rows.numpy(), "must return a tensor .* it returned ndarray"),
        (lambda rows: rows.to(torch.uint8), "float32; it returned torch.uint8"),
    ],
)
def test_views_that_are_no_rows_raise(augmentation, message):
    with pytest.raises(ValueError, match=message):
        view(augmentation, ROWS, torch.Generator())


def test_foreign_augmentations_are_recognised_in_what_binds_them():
    for bind in (
        OnTables,
        partial(OnTokens, vocabulary_size=9),
        lambda augmentation: OnImages(augmentation, (1, 1, 3)),
    ):
        assert is_foreign(bind(Scaled(1.0)))
        assert is_foreign(bind(Compose([Identity(), Scaled(1.0)])))
        assert not is_foreign(bind(Compose([Identity(), CutMix()])))
    assert "CutMix(p=0.5)" in repr(OnImages(CutMix(0.5), (1, 1, 3)))
