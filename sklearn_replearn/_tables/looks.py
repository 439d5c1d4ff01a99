"""Text that is numbers, dates or names of rows by its look."""

import re
import warnings

import numpy as np
import pandas as pd

from .names import brief, name_columns

_MOST = 0.95  # share of the cells
_FEWEST_ROWS = 20  # fewer may all differ by chance
_LEVELS_READ = 1000
_MONTH = "(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
_CLOCK = r"(?:[t ,]+\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?\s*(?:[ap]m|z|[+-]\d{2}:?\d{2})?)?"
_DAY = re.compile(
    rf"(?:\d{{4}}[-/.]\d{{1,2}}[-/.]\d{{1,2}}|\d{{1,2}}[-/.]\d{{1,2}}[-/.](?:\d{{4}}|\d{{2}})"
    rf"|\d{{1,2}}\.? {_MONTH}\.?,? \d{{4}}|{_MONTH} \d{{1,2}},? \d{{4}}){_CLOCK}"
)
_DECORATED = re.compile(r"[-+]?[$€£]?\s*[-+]?\d{1,3}(?:,?\d{3})*(?:\.\d+)?\s*[%€$£]?")


def look_of(levels, counts):
    """What text looks like: "number", "decorated number", "date", or None.

    Parameters
    ----------
    levels : Index
        Different cells.
    counts : ndarray of shape (n_levels,)
        How many cells are of each.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from sklearn_replearn._tables.looks import look_of
    >>> look_of(pd.Index(["1.5", "2", "n/a"]), np.array([60, 60, 1]))
    'number'
    >>> look_of(pd.Index(["2020-01-31", "2021-12-01"]), np.array([1, 1]))
    'date'
    """
    some = np.unique(np.linspace(0, len(levels) - 1, _LEVELS_READ).astype(np.intp))
    some = some[counts[some] > 0] if len(levels) else some[:0]
    texts, counts = levels[some], counts[some]
    if not len(some) or not all(isinstance(text, str) for text in texts):
        return None
    stripped = [text.strip() for text in texts]

    def fits(known):
        return known @ counts >= _MOST * counts.sum()

    if fits(pd.to_numeric(pd.Series(stripped, dtype=object), errors="coerce").notna().to_numpy()):
        return "number"
    for look, pattern in (("decorated number", _DECORATED), ("date", _DAY)):
        if fits(np.array([pattern.fullmatch(text.lower()) is not None for text in stripped])):
            return look
    return None


def one_a_row(counts):
    """Whether nearly every row has a level of its own, by how many rows have each."""
    return bool(counts.sum() >= _FEWEST_ROWS and (counts > 0).sum() >= _MOST * counts.sum())


_REMEDIES = {
    "number": ("numbers", 'pd.to_numeric(df[column], errors="coerce")'),
    "decorated number": (
        "numbers",
        'pd.to_numeric(df[column].str.replace("[,%$€£ ]", "", regex=True), errors="coerce")',
    ),
    "date": ("dates", 'pd.to_datetime(df[column], errors="coerce")'),
}


def warn_of_looks(kinds, names):
    """Warn of columns of text that are something else by their look, once for each look.

    Parameters
    ----------
    kinds : sequence of column kinds
    names : Index or None
    """
    looks = [getattr(kind, "look", None) for kind in kinds]
    for look, (what, remedy) in _REMEDIES.items():
        which = [j for j, other in enumerate(looks) if other == look]
        if which:
            warnings.warn(
                f"The text in {name_columns(names, which)} looks like {what}, such as "
                f"{brief(kinds[which[0]].levels[0])}, and is taken for categories, in which nothing"
                f" lies between two values. Convert it with {remedy}; if these are categories, say "
                'so with df[column].astype("category").',
                UserWarning,
                stacklevel=2,
            )
    names_of_rows = [
        j
        for j, kind in enumerate(kinds)
        if looks[j] is None and getattr(kind, "one_a_row", False) and not kind.asked
    ]
    if names_of_rows:
        warnings.warn(
            f"Nearly every row has a text of its own in {name_columns(names, names_of_rows)}, as "
            "identifiers have: there is nothing to learn from it. Leave it out, for example with "
            "df.drop(columns=...); if these are categories, say so with "
            'df[column].astype("category").',
            UserWarning,
            stacklevel=2,
        )
