"""A fit is done in one step, or not at all."""

import pytest

from sklearn_replearn._runtime.transaction import FitInterrupted, in_one_step


class Thing:
    pass


def test_an_estimator_takes_over_what_its_copy_has_learned():
    thing = Thing()
    thing.learned, seen = 1, []

    def fit(fresh):
        fresh.learned = 2
        seen.append((thing.learned, fresh is thing, type(fresh)))

    in_one_step(thing, fit)
    assert seen == [(1, False, Thing)]  # until the end the old state serves
    assert thing.learned == 2


@pytest.mark.parametrize(
    ("raised", "caught", "message"),
    [
        (ZeroDivisionError("by zero"), ZeroDivisionError, "^by zero$"),
        (KeyboardInterrupt(), KeyboardInterrupt, "fit was interrupted; this Thing is as it was"),
        (FitInterrupted(" in epoch 3"), KeyboardInterrupt, "fit was interrupted in epoch 3; this"),
    ],
    ids=["error", "interrupt", "in training"],
)
def test_an_estimator_is_as_it_was_after_what_went_wrong(raised, caught, message):
    thing = Thing()
    thing.learned = 1

    def fit(fresh):
        fresh.learned, fresh.more = 2, 3
        raise raised

    with pytest.raises(caught, match=message):
        in_one_step(thing, fit)
    assert vars(thing) == {"learned": 1}
