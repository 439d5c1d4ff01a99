"""Tasks of a fit, such as its epochs, and who follows them."""

from contextlib import ExitStack, contextmanager
from contextvars import ContextVar

_current = ContextVar("the task that is being done")


class Task:
    """A part of a fit, of which those who follow are told.

    A follower has the methods ``begins``, ``passes``, ``part``, ``ends`` and ``lent_to`` of a task,
    each for itself, and ``joined``: what follows the fit of an estimator within the task, or None.

    Parameters
    ----------
    followers : sequence of followers, default=()
    """

    def __init__(self, followers=()):
        self.followers = list(followers)
        self.begun = False

    def begins(self, n_parts=0):
        """It begins, and has so many parts."""
        for follower in self.followers:
            follower.begins(n_parts)
        self.begun = bool(self.followers)
        return self

    def passes(self, n_parts):
        """So many of its parts were done before, in another process."""
        for follower in self.followers:
            follower.passes(n_parts)

    def part(self, name):
        """A task within this one, which has not begun."""
        return Task([follower.part(name) for follower in self.followers])

    def ends(self, figures=None, fitted=None):
        """It is over.

        Parameters
        ----------
        figures : dict of str to float, default=None
            What it came to, such as the loss of an epoch.
        fitted : callable, default=None
            Gives the attributes of an estimator that were fitted so far.

        Returns
        -------
        bool
            Whether somebody wants no more tasks of this kind.
        """
        if not self.begun:
            self.begins()
        return any([follower.ends(figures, fitted) for follower in self.followers])

    def current(self):
        """Whatever is fitted within is a part of this task."""
        return _as_current(self)

    @contextmanager
    def done(self):
        """Whatever is fitted within is a part of this task, which ends with it."""
        with self.current():
            yield self
        self.ends()

    @contextmanager
    def lent_to(self, estimator):
        """It begins; followers follow the fit of this estimator within, as far as it lets them."""
        with ExitStack() as stack:
            for follower in self.followers:
                stack.enter_context(follower.lent_to(estimator))
            if not self.begun:
                self.begins()
            yield

    def joined(self):
        """What follows the fit of an estimator within this task."""
        joined = (follower.joined() for follower in self.followers)
        return [follower for follower in joined if follower is not None]


@contextmanager
def _as_current(task):
    token = _current.set(task)
    try:
        yield
    finally:
        _current.reset(token)


def current_task():
    """The task that is being done, or one that nobody follows."""
    return _current.get(_UNFOLLOWED)


def unfollowed():
    """Nobody follows what is fitted within."""
    return _as_current(_UNFOLLOWED)


_UNFOLLOWED = Task()
