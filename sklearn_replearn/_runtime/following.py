"""A fit that is followed."""

from contextlib import contextmanager

from .callbacks import Shown, callbacks_of
from .progress import Progress, display_for
from .tasks import Task, current_task


@contextmanager
def followed(estimator, X, y=None, **metadata):
    """The fit of an estimator within is a task that its callbacks follow, and its ``verbose``.

    What is fitted within finds the task by :func:`current_task`. It ends where nothing is raised.

    Parameters
    ----------
    estimator : estimator
        The user's, never a copy of it.
    X, y
        As given to ``fit``.
    **metadata
        As given to ``fit``; None where they were not.
    """
    given = {name: value for name, value in metadata.items() if value is not None}
    followers, display = callbacks_of(Shown(estimator, X, y, given)), None
    # Within a fit that shows how far it is there are no bars of their own.
    joined = current_task().joined()
    if estimator.verbose and not joined:
        display = display_for(estimator)
        joined = [Progress(display)]
    task = Task([*followers, *joined])
    try:
        with task.current():
            yield
        task.ends(fitted={})
    finally:
        if display is not None:
            display.ends()
