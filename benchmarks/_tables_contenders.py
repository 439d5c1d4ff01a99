"""Ours beside others, in all parts of tables.py in which rows are drawn, scored or filled."""

import inspect
import time
from functools import cache, partial

from sklearn_replearn import VAETransformer


@cache
def ours():
    """Our models of tables, by name; what this version of the package lacks is left out."""
    contenders = {"ours, decoder": VAETransformer}
    if "density" in inspect.signature(VAETransformer).parameters:
        contenders["ours, autoregressive"] = partial(VAETransformer, density="autoregressive")
    else:
        print("left out: ours, autoregressive (VAETransformer has no parameter density)")
    return contenders


def timed(function, *arguments):
    """What it returns, and the seconds of CPU that it took."""
    start = time.process_time()
    result = function(*arguments)
    return result, time.process_time() - start


def seconds(name):
    """The column beside that of a contender."""
    return f"{name}, s"
