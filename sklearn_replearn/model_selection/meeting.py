"""Fits of a search that meet where their networks are to be trained."""

import time
from collections import defaultdict
from contextlib import contextmanager

import joblib
from joblib.parallel import ParallelBackendBase

from .._runtime.pausing import Call
from .._training.together import MOST, train_together

# Fits that wait keep their rows, in several copies.
_MOST_WAITING, _MOST_BYTES = 256, 2**26

_FIT_TIME = "fit_time"  # as scikit-learn names it


class Meeting(ParallelBackendBase):
    """A backend of joblib that makes one call at a time, and trains together what waits for it.

    Attributes
    ----------
    n_stacked : int
        Networks that were trained with others.
    """

    def __init__(self, nesting_level=None, **others):
        super().__init__(nesting_level=nesting_level, **others)
        self.calls = []
        self.n_stacked = 0

    @contextmanager
    def of_next_search(self):
        """The next use of joblib in this block is by this backend; others are as before."""
        self.config = joblib.parallel_config(backend=self)
        try:
            yield self
        finally:
            self.config.unregister()

    def start_call(self):
        """Whoever uses joblib from now on, has the backend from before."""
        self.config.unregister()

    def effective_n_jobs(self, n_jobs):
        """More than there are calls: joblib then makes no batches of them."""
        return 2**20

    def submit(self, func, callback=None):
        """Remember a call; all are made when the first result is wanted."""
        self.calls.append(_TimedCall(func))
        return _Result(self, self.calls[-1], callback)

    apply_async = submit  # its name before joblib 1.5

    def make_calls(self):
        """Make all calls that are not made yet."""
        calls, self.calls = self.calls, []
        waiting = []
        try:
            for call in calls:
                call.go_on()
                _reraise(call)
                if call.asked is not None:
                    waiting.append(call)
                if _are_many(waiting):
                    self._let_go_on(waiting)
            self._let_go_on(waiting)
        except BaseException as error:
            while waiting:
                waiting.pop().end(error)
            raise

    def _let_go_on(self, waiting):
        """Train what waits; then end the calls, the last one first, as they are nested."""
        trained = self._train(waiting)
        while waiting:
            call = waiting.pop()
            error = call.asked.error
            if error is None:
                call.go_on(call in trained)
            else:
                call.end(error)
            _reraise(call)

    def _train(self, waiting):
        """Train those that are of a kind; which were trained."""
        kinds = defaultdict(list)
        for call in waiting:
            kinds[call.asked.kind].append(call)
        trained = set()
        for alike in kinds.values():
            n_stacks = -(-len(alike) // MOST)
            for first in range(n_stacks):
                stack = alike[first::n_stacks]
                begun = time.time()
                if len(stack) > 1 and train_together([call.asked for call in stack]):
                    trained.update(stack)
                    for call in stack:
                        call.seconds += (time.time() - begun) / len(stack)
        self.n_stacked += len(trained)
        return trained


class _TimedCall(Call):
    """A call of which the seconds are known that others spent while it waited."""

    def __init__(self, function):
        super().__init__(function)
        self.seconds, self.paused = 0.0, None

    def go_on(self, answer=None):
        """The same; the time it waits until then does not count."""
        if self.paused is not None:
            self.seconds -= time.time() - self.paused
        super().go_on(answer)
        self.paused = time.time()

    def with_own_time(self):
        """The result, with the time of each fit as if it had been made by itself."""
        for fit in self.result:
            if isinstance(fit, dict) and _FIT_TIME in fit:
                fit[_FIT_TIME] += self.seconds
        return self.result


class _Result:
    """What joblib asks for the result of a call."""

    def __init__(self, meeting, call, callback):
        self.meeting, self.call, self.callback = meeting, call, callback

    def get(self, timeout=None):
        self.meeting.make_calls()
        result = self.call.with_own_time()
        self.callback(result)
        return result


def _reraise(call):
    if call.error is not None:
        raise call.error


def _are_many(waiting):
    n_bytes = sum(call.asked.n_bytes for call in waiting)
    return len(waiting) >= _MOST_WAITING or n_bytes >= _MOST_BYTES
