"""A fit that takes over in one step."""


class FitInterrupted(Exception):
    """A person interrupted training; says in which epoch."""


def in_one_step(estimator, fit):
    """Call ``fit`` with a copy of an estimator, which replaces it when that has ended well.

    So an estimator is never half fitted, neither after an exception nor to another thread.

    Raises
    ------
    KeyboardInterrupt
        If interrupted; says that the estimator is as it was.
    """
    fresh = object.__new__(type(estimator))
    vars(fresh).update(vars(estimator))
    try:
        fit(fresh)
    except (KeyboardInterrupt, FitInterrupted) as interrupt:
        name = type(estimator).__name__
        raise KeyboardInterrupt(
            f"fit was interrupted{interrupt}; this {name} is as it was before."
        ) from None
    estimator.__dict__ = vars(fresh)
