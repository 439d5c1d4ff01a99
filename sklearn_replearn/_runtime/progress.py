"""How far a fit is, for whoever waits for it."""

import shutil
import sys
import threading
import time
from contextlib import contextmanager, nullcontext

_STEPS = 1000  # of the bar; a fit has fewer or more tasks than that


class Progress:
    """A follower that knows which share of a fit is done.

    Parameters
    ----------
    display : Shown
        Told of the share and of what is being done.
    share : float, default=1
        Of the whole.
    above : Progress, default=None
    name : str, default=""
    """

    def __init__(self, display, share=1.0, above=None, name=""):
        self.display, self.share, self.above, self.name = display, share, above, name
        self.done, self.n_parts, self.number = 0.0, 0, 0

    def begins(self, n_parts):
        # Several fits may join one task, nobody knows how many: the first takes its whole share.
        self.n_parts = self.number + n_parts

    def passes(self, n_parts):
        done = (self.share - self.done) * n_parts / max(1, self.n_parts - self.number)
        self.number += n_parts
        self._are_done(done)

    def part(self, name):
        self.number += 1
        left = (self.share - self.done) / max(1, self.n_parts - self.number + 1)
        return Progress(self.display, left, self, name)

    def ends(self, figures, fitted):
        self._are_done(self.share - self.done)
        root = self.root()
        self.display.shows(root.done, self.where(), figures or {})
        return False

    def _are_done(self, share):
        node = self
        while node is not None:
            node.done += share
            node = node.above

    def lent_to(self, estimator):
        return nullcontext()

    def joined(self):
        return self

    def root(self):
        return self if self.above is None else self.above.root()

    def where(self, innermost=True):
        """Such as "fit-transformer 1/2, epoch 34/200"; what has one part only is not counted."""
        if self.above is None:
            return ""
        outer, above = self.above.where(innermost=False), self.above
        counted = innermost or above.n_parts > 1
        here = f"{self.name} {above.number}/{above.n_parts}" if counted else self.name
        return f"{outer}, {here}" if outer else here


def _in_words(where, figures):
    return "  ".join([where, *(f"{name} {value:.4g}" for name, value in figures.items())])


class BarInPlace:
    """One line of a terminal or notebook, which is written anew.

    Parameters
    ----------
    name : str
    """

    def __init__(self, name):
        from tqdm import tqdm

        size = shutil.get_terminal_size((100, 24))  # also where a terminal does not say it

        class Bar(tqdm):
            # Neither a thread beside the fit nor a lock between processes.
            monitor_interval, _lock = 0, threading.RLock()

        self.bar = Bar(
            total=_STEPS,
            desc=name,
            file=sys.stdout,
            ncols=size.columns,
            nrows=size.lines,
            bar_format="{desc} {percentage:3.0f}%|{bar:20}| {elapsed}<{remaining}{postfix}",
        )

    def shows(self, share, where, figures):
        if where:  # when all is done, what the last part came to stays
            self.bar.set_postfix_str(_in_words(where, figures), refresh=False)
        self.bar.update(round(share * _STEPS) - self.bar.n)

    def ends(self):
        self.bar.refresh()
        self.bar.close()


class LineEachTenth:
    """Plain lines, for files and pipes.

    Parameters
    ----------
    name : str
    """

    def __init__(self, name):
        self.name, self.tenths, self.words = name, 0, ""
        self.start = time.perf_counter()

    def shows(self, share, where, figures):
        tenths = int(share * 10 + 1e-9)
        self.words = _in_words(where, figures) if where else self.words
        if tenths > self.tenths:
            self.tenths = tenths
            seconds = time.perf_counter() - self.start
            line = f"{self.name} {10 * tenths:3d} %  {seconds:.1f} s  {self.words}"
            # In one piece, as processes of a search write to one file.
            print(line.rstrip() + "\n", end="", flush=hasattr(sys.stdout, "flush"))

    def ends(self):
        pass


class Shown:
    """A display while it can be written: no fit is lost for what it shows of itself.

    Where standard output is closed, or a pipe broken, nothing is shown from there on.

    Parameters
    ----------
    name : str
    """

    def __init__(self, name):
        self.display = None
        with self._while_it_can():
            self.display = _display_for(name)

    def shows(self, share, where, figures):
        if self.display is not None:
            with self._while_it_can():
                self.display.shows(share, where, figures)

    def ends(self):
        if self.display is not None:
            with self._while_it_can():
                self.display.ends()

    @contextmanager
    def _while_it_can(self):
        try:
            yield
        except (OSError, ValueError):
            self.display = None


def _display_for(name):
    """A bar where somebody looks at it, else plain lines."""
    if _in_place():
        try:
            return BarInPlace(name)
        except ImportError:
            pass
    return LineEachTenth(name)


def _in_place():
    """Whether what is printed is seen by a person, and a line can be written anew."""
    if threading.current_thread() is not threading.main_thread() or _in_worker():
        return False  # bars of several fits at once would overwrite each other
    notebook = type(sys.stdout).__module__.startswith("ipykernel")
    return notebook or bool(getattr(sys.stdout, "isatty", bool)())


def _in_worker():
    processes = sys.modules.get("multiprocessing.process")
    return processes is not None and processes.current_process().name != "MainProcess"
