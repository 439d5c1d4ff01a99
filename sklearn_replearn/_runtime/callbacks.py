"""scikit-learn's callbacks as followers of a fit."""

from contextlib import contextmanager, nullcontext

from .randomness import outside
from .sklearn import callback_context
from .tasks import unfollowed


class Callbacks:
    """A follower that calls the hooks of scikit-learn's callbacks.

    Parameters
    ----------
    context : sklearn.callback.CallbackContext
    estimator : estimator
        The user's, never a copy of it.
    shown : dict
        What hooks see of the rows: ``X``, ``y`` and ``metadata``.
    shown_in_parts : dict
        The same, of the rows that judge an epoch.
    """

    def __init__(self, context, estimator, shown, shown_in_parts):
        self.context, self.estimator = context, estimator
        self.shown, self.shown_in_parts = shown, shown_in_parts

    def begins(self, n_parts):
        self.context.max_subtasks = n_parts
        with _no_part_of_the_fit():
            self.context.call_on_fit_task_begin(estimator=self.estimator, **self.shown)

    def passes(self, n_parts):
        for _ in range(n_parts):  # numbered, and nobody is told
            self.context.subcontext(task_name="epoch")

    def part(self, name):
        context, shown = self.context.subcontext(task_name=name), self.shown_in_parts
        return Callbacks(context, self.estimator, shown, shown)

    def ends(self, figures, fitted):
        with _no_part_of_the_fit():
            return self.context.call_on_fit_task_end(
                estimator=self.estimator, reconstruction_attributes=fitted, **self.shown
            )

    def lent_to(self, estimator):
        # Others than those that support callbacks would each be warned of. Asked of the class, as a
        # frozen estimator has all attributes of the one in it, which must not be changed.
        if not hasattr(type(estimator), "set_callbacks"):
            return nullcontext()
        return self.context.propagate_callback_context(estimator)

    def joined(self):
        return None  # scikit-learn propagates them itself


@contextmanager
def _no_part_of_the_fit():
    """What a hook fits is not followed, and what it draws is not drawn from the fit."""
    with unfollowed(), outside():
        yield


def callbacks_of(estimator, rows, rows_of_parts=None):
    """The follower for the callbacks of an estimator, in a list, empty before scikit-learn 1.9.

    Parameters
    ----------
    estimator : estimator
    rows : tuple of X, y and metadata
        As they were given to ``fit``. Where there is no ``y`` the rows are their own target.
    rows_of_parts : tuple of X, y and metadata, default=None
        Of those that judge an epoch, if they are others.
    """
    context = callback_context(estimator)
    if context is None:
        return []
    shown = _shown(*rows)
    in_parts = shown if rows_of_parts is None else _shown(*rows_of_parts)
    return [Callbacks(context, estimator, shown, in_parts)]


def _shown(X, y, metadata):
    given = {name: value for name, value in metadata.items() if value is not None}
    return {"X": X, "y": X if y is None else y, "metadata": given or None}
