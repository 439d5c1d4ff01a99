"""Calls that pause in their midst, until all that can be done together is done."""

from contextvars import ContextVar, copy_context
from threading import Semaphore, Thread

_current = ContextVar("the call that this thread does", default=None)


class Call:
    """A call in a thread of its own, which runs only while whoever started it waits.

    Parameters
    ----------
    function : callable

    Attributes
    ----------
    asked : object or None
        What it waits for since it paused; None once it is over.
    result, error : object
        What came of it.
    """

    def __init__(self, function):
        self._function = function
        self._inside, self._outside = Semaphore(0), Semaphore(0)
        self._thread, self._answer = None, None
        self._interrupt = None
        self.asked = self.result = self.error = None

    def go_on(self, answer=None):
        """Run to the next pause, or to the end. ``answer`` is what the pause gives.

        Raises
        ------
        KeyboardInterrupt
            If interrupted meanwhile. The call is then over, too.
        """
        self.asked, self._answer = None, answer
        if self._thread is None:
            self._thread = Thread(target=copy_context().run, args=(self._run,), daemon=True)
            self._thread.start()
        else:
            self._inside.release()
        try:
            self._outside.acquire()
        except KeyboardInterrupt as interrupt:
            self._interrupt = interrupt
            self._outside.acquire()  # until it has seen that; who has no patience interrupts again
            raise

    def end(self, error):
        """End a call that has paused: the pause raises ``error``."""
        self._interrupt = error
        self.go_on()

    def _run(self):
        _current.set(self)
        try:
            self.result = self._function()
        except BaseException as error:
            self.error = error
        finally:
            self._outside.release()

    def pause(self, asked):
        self.asked = asked
        self._outside.release()
        self._inside.acquire()
        self.heed()
        return self._answer

    def heed(self):
        if self._interrupt is not None:
            raise self._interrupt


def can_pause():
    """Whether what runs here is such a call."""
    return _current.get() is not None


def pause(asked):
    """Wait until somebody has done what is asked for, and return what they answered."""
    return _current.get().pause(asked)


def heed_interruption():
    """Raise what a person interrupted this call by; such a thread is not told of it otherwise."""
    call = _current.get()
    if call is not None:
        call.heed()
