"""Where the documentation is: the only place that says so, beside pyproject.toml."""

import sys

_REPOSITORY = "https://github.com/sklearn-replearn/sklearn-replearn"

#: The pages that ``docs/`` builds: what to read first.
DOCUMENTATION = "https://sklearn-replearn.github.io/sklearn-replearn/"

#: Where to report what went wrong.
ISSUES = f"{_REPOSITORY}/issues"

#: Where a class is described, by what :func:`place_of` says of it. Without a fragment: notebooks
#: append one that finds the parameter.
PAGE = f"{DOCUMENTATION}reference/generated/{{module}}.{{name}}.html"


def place_of(cls: type) -> dict[str, str]:
    """By which name a class is imported.

    Parameters
    ----------
    cls : type

    Returns
    -------
    dict of str to str
        ``module``, the shortest that has the class, and its ``name`` there.
    """
    parts, name = cls.__module__.split("."), cls.__name__
    modules = (".".join(parts[: n + 1]) for n in range(len(parts)))
    public = next(
        (module for module in modules if getattr(sys.modules[module], name, None) is cls),
        cls.__module__,
    )
    return {"module": public, "name": name}
