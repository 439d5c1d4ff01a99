"""Threads take turns where what they use belongs to the whole process."""

import os
import threading
import time
from collections import deque
from contextlib import contextmanager
from itertools import takewhile

# Seconds after which a callback that is still running is taken to wait for another thread.
_PATIENCE = 0.5


class Turn:
    """The right of a thread to use it, from when it is its turn to the end."""

    def __init__(self):
        self.thread = threading.get_ident()
        self.lent_since = None
        self.over = False

    def undo(self):
        """Undo what this turn has changed, in a forked process without its thread."""


class Turns:
    """A lock that threads get in the order in which they ask, and that may be lent.

    Whose turn it is gets it again, as with an ``RLock``. Who has it for long asks :meth:`awaited`
    now and then, and gives way. While it is lent (:meth:`lent`), others get it after a while, so
    that whoever runs code of a user's, which may itself wait for them, does not wait forever.

    A forked process starts anew: the threads that had or awaited a turn are not there.
    """

    def __init__(self):
        self._anew()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._in_forked_process)

    def _anew(self, holders=()):
        self.changed = threading.Condition()
        self.queue, self.holders = deque(), list(holders)
        self.n_regaining = 0

    def _in_forked_process(self):
        me = threading.get_ident()
        holders = self.holders
        self._anew(turn for turn in holders if turn.thread == me)
        for turn in takewhile(lambda turn: turn.thread != me, reversed(holders)):
            turn.undo()

    def take(self, turn):
        """Wait until it is this thread's turn."""
        with self.changed:
            top = self._top()
            turn.over = False
            if top is not None and top.thread == turn.thread:
                self.holders.append(turn)
                return
            self.queue.append(turn)
            try:
                while self.queue[0] is not turn or not self._free():
                    self.changed.wait(_PATIENCE)
                self.holders.append(turn)
            finally:
                self.queue.remove(turn)
                self.changed.notify_all()

    def _free(self):
        top = self._top()
        if top is None:
            return True
        since = top.lent_since
        return since is not None and time.monotonic() - since > _PATIENCE

    def leave(self, turn):
        """End a turn, also one that has not begun."""
        turn.over = True  # counts at once: what follows may be interrupted
        with self.changed:
            self._top()
            self.changed.notify_all()

    def _top(self):
        self.holders = [turn for turn in self.holders if not turn.over]
        return self.holders[-1] if self.holders else None

    def mine(self):
        """The turn of this thread, if it is its only one, else None."""
        with self.changed:
            turn, me = self._top(), threading.get_ident()
            several = sum(turn.thread == me for turn in self.holders) > 1
        return None if turn is None or turn.thread != me or several else turn

    def is_mine(self):
        """Whether it is the turn of this thread."""
        with self.changed:
            top = self._top()
        return top is not None and top.thread == threading.get_ident()

    @property
    def awaited(self):
        """Whether another thread waits."""
        return bool(self.queue or self.n_regaining)

    @contextmanager
    def turn(self):
        """Run a block when it is this thread's turn."""
        turn = Turn()
        try:
            self.take(turn)
            yield
        finally:
            self.leave(turn)

    @contextmanager
    def lent(self):
        """Run code of a user's, which may wait for other threads, within one's turn, if any."""
        turn = self.mine()
        if turn is None:
            yield
            return
        turn.lent_since = time.monotonic()
        try:
            yield
        finally:
            turn.lent_since = None
            self._regain(turn)

    def _regain(self, turn):
        with self.changed:
            self.n_regaining += 1
            try:
                while self._top() not in (turn, None):
                    self.changed.wait(_PATIENCE)
            finally:
                self.n_regaining -= 1
