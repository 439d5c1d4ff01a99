"""Examples of the gallery run with warnings as errors, as the tests do."""

import warnings

_before = []


def warnings_are_errors(gallery_conf, name, when):
    """Called before and after each example; afterwards the filters are as they were."""
    if when == "before":
        _before[:] = warnings.filters
        warnings.simplefilter("error")
    else:
        warnings.filters[:] = _before
