"""A fit that is followed."""

from contextlib import contextmanager

from .callbacks import callbacks_of
from .processes import speaks
from .progress import Progress, Shown
from .tasks import Task, current_task


@contextmanager
def followed(estimator, X, y=None, validation=None, **metadata):
    """The fit of an estimator within is a task that its callbacks follow, and its ``verbose``.

    What is fitted within finds the task by :func:`current_task`. It ends where nothing is raised.

    Parameters
    ----------
    estimator : estimator
        The user's, never a copy of it.
    X, y
        As given to ``fit``.
    validation : ValidationRows or None, default=None
        Those that judge each epoch, if they are given.
    **metadata
        As given to ``fit``; None where they were not.
    """
    judges = None if validation is None else validation.shown()
    followers, display = callbacks_of(estimator, (X, y, metadata), judges), None
    # Within a fit that shows how far it is there are no bars of their own.
    joined = current_task().joined()
    if estimator.verbose and not joined and speaks():
        display = Shown(type(estimator).__name__)
        joined = [Progress(display)]
    task = Task([*followers, *joined])
    try:
        with task.current():
            yield
        task.ends(fitted={})
    finally:
        if display is not None:
            display.ends()
