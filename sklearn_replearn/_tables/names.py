"""Columns by name or number, and in words."""

import numbers

MANY = 5  # columns named in an error message before it says "and N more"


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
        known = f"its columns are {', '.join(map(repr, labels[:MANY]))}"
        known += ", …" if n_features > MANY else ""
    raise ValueError(f"{setting} names {column!r}, which is no column of the table: {known}.")


def name_columns(names, which):
    """Columns for an error message, by name or number, the first few of them."""
    picked = [repr(str(names[j])) if names is not None else str(j) for j in which[:MANY]]
    more = f" and {len(which) - MANY} more" if len(which) > MANY else ""
    return ("column " if len(which) == 1 else "columns ") + ", ".join(picked) + more
