"""A fit that takes over in one step."""

from .isolation import one_thread
from .memory import shortage_explained
from .processes import together


class FitInterrupted(KeyboardInterrupt):
    """A person interrupted a fit; says ``where``, such as " in epoch 3"."""

    def __init__(self, where, message=""):
        super().__init__(message)
        self.where = where


def as_it_is(estimator):
    """A copy of an estimator that has what it has now, whatever becomes of it."""
    copied = object.__new__(type(estimator))
    vars(copied).update(vars(estimator))
    return copied


def in_one_step(estimator, fit):
    """Call ``fit`` with a copy of an estimator, which replaces it when that has ended well.

    So an estimator is never half fitted, neither after an exception nor to another thread, nor in
    one process of several that do the fit together.

    Raises
    ------
    MemoryError
        If memory runs out; says what to do.
    KeyboardInterrupt
        If interrupted; says that the estimator is as it was.
    """
    fresh = as_it_is(estimator)
    try:
        with one_thread(), shortage_explained(), together(estimator):
            fit(fresh)
    except KeyboardInterrupt as interrupt:
        # Of the fit of a part, such as an encoder, this is where, too.
        where, name = getattr(interrupt, "where", ""), type(estimator).__name__
        raise FitInterrupted(
            where, f"fit was interrupted{where}; this {name} is as it was before."
        ) from None
    estimator.__dict__ = vars(fresh)
