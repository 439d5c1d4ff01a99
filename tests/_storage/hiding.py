"""A process in which pyarrow is not installed."""

import sys


class NoPyarrow:
    """Finds no pyarrow. If ``sys.modules`` has None for it, pandas 2 thinks that it is there."""

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "pyarrow":
            raise ModuleNotFoundError("No module named 'pyarrow'", name="pyarrow")


def hide_pyarrow():
    """From now on; to be called before anything is imported that imports it."""
    sys.meta_path.insert(0, NoPyarrow())
