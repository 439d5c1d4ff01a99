"""scikit-learn's callbacks as followers of a fit."""

from contextlib import nullcontext

from .tasks import unfollowed


class Shown:
    """What the hooks of callbacks see of a fit: the user's estimator, never a copy, and its rows.

    Parameters
    ----------
    estimator : estimator
    X, y, metadata
        As they were given to ``fit``. Where there is no ``y``, the rows are their own target.
    """

    def __init__(self, estimator, X, y=None, metadata=None):
        self.estimator = estimator
        self.rows = {"X": X, "y": X if y is None else y, "metadata": metadata or None}


class Callbacks:
    """A follower that calls the hooks of scikit-learn's callbacks.

    Parameters
    ----------
    context : sklearn.callback.CallbackContext
    shown : Shown
    """

    def __init__(self, context, shown):
        self.context, self.shown = context, shown

    def begins(self, n_parts):
        self.context.max_subtasks = n_parts
        with unfollowed():
            self.context.call_on_fit_task_begin(estimator=self.shown.estimator, **self.shown.rows)

    def part(self, name):
        return Callbacks(self.context.subcontext(task_name=name), self.shown)

    def ends(self, figures, fitted):
        with unfollowed():
            return self.context.call_on_fit_task_end(
                estimator=self.shown.estimator,
                reconstruction_attributes=fitted,
                **self.shown.rows,
            )

    def lent_to(self, estimator):
        # Others than those that support callbacks would each be warned of.
        if not hasattr(estimator, "set_callbacks"):
            return nullcontext()
        return self.context.propagate_callback_context(estimator)

    def joined(self):
        return None  # scikit-learn propagates them itself


def callbacks_of(shown):
    """The follower for the callbacks of an estimator, in a list, empty before scikit-learn 1.9."""
    if not hasattr(shown.estimator, "_init_callback_context"):
        return []
    # How many tasks there are is known when rows have been read.
    context = shown.estimator._init_callback_context(max_subtasks=None)
    return [Callbacks(context, shown)]
