"""Columns by name or number, and in words."""

import numbers
import reprlib

import numpy as np

MANY = 5  # columns named in an error message before it says "and N more"

_short = reprlib.Repr()
_short.maxstring = _short.maxother = 60


def plain(label):
    """A label as Python writes it: 3 for ``np.int64(3)``, also within a tuple."""
    if isinstance(label, tuple):
        return tuple(map(plain, label))
    return label.item() if isinstance(label, np.generic) else label


def brief(value):
    """A value for a message, never a whole container or text.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_replearn._tables.names import brief
    >>> brief(np.int64(3)), brief(list(range(1000)))
    ('3', '[0, 1, 2, 3, 4, 5, ...]')
    """
    return _short.repr(plain(value))


def column_number(column, n_features, names, setting):
    """The number of a column that is given by name or number.

    Raises
    ------
    ValueError
        If there is none.
    """
    labels = [] if names is None else list(names)
    if column in labels:
        return labels.index(column)
    # A number is a place, unless columns have names that are numbers.
    by_place = not any(isinstance(label, numbers.Integral) for label in labels)
    if by_place and isinstance(column, numbers.Integral) and 0 <= column < n_features:
        return int(column)
    known = f"the table has {n_features} columns"
    if labels:
        known = f"its columns are {', '.join(map(brief, labels[:MANY]))}"
        known += ", …" if n_features > MANY else ""
    raise ValueError(f"{setting} names {brief(column)}, which is no column of the table: {known}.")


def by_number(mapping, n_features, names, setting):
    """What is given by name or number of a column, by number.

    Parameters
    ----------
    mapping : dict
    n_features : int
    names : sequence or None
    setting : str
        What gives it, for messages.

    Returns
    -------
    dict
        Number of a column: its key in the mapping, and what the mapping holds.

    Raises
    ------
    ValueError
        If there is no such column, or one is given both by name and by number.

    Examples
    --------
    >>> from sklearn_replearn._tables.names import by_number
    >>> by_number({"b": 5, 0: 7}, 2, ["a", "b"], "given")
    {1: ('b', 5), 0: (0, 7)}
    """
    found = {}
    for column, value in mapping.items():
        j = column_number(column, n_features, names, setting)
        if j in found:
            raise ValueError(
                f"{setting} names one column twice, as {brief(found[j][0])} and as "
                f"{brief(column)}. Name each column once."
            )
        found[j] = column, value
    return found


def names_or_numbers(names, n_features):
    """Names of columns, list; x0, x1, … where they have none."""
    return [f"x{j}" for j in range(n_features)] if names is None else list(names)


def column_named(label):
    """A column at the start of a message."""
    label = plain(label)
    return f"Column {brief(label) if isinstance(label, str) else label}"


def name_columns(names, which):
    """Columns for an error message, by name or number, the first few of them."""
    picked = [brief(str(plain(names[j]))) if names is not None else str(j) for j in which[:MANY]]
    more = f" and {len(which) - MANY} more" if len(which) > MANY else ""
    return ("column " if len(which) == 1 else "columns ") + ", ".join(picked) + more
