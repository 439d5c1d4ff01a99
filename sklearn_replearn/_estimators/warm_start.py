"""Fits that go on with the network of the last one, and what must not change then."""


def goes_on(estimator):
    """Whether a fit goes on with the network of the last one."""
    model = getattr(estimator, "_model", None)
    return estimator.warm_start and model is not None and model.resumable is not None


def state_of(last):
    """What training goes on from, dict; None for a model that has learned its columns only."""
    if last.resumable is not None or not last.arrays:
        return last.resumable
    network = {f"network.{name}": values for name, values in last.arrays.items()}
    return {"module": network, "trained_by": None}


def reject_other_rows(rows, last):
    """Refuse rows of another kind than those of the last fit, whose model is ``last``."""
    if rows != last.rows:
        raise ValueError(
            "This fit goes on with the network of the last fit, but rows changed since, from "
            f"{last.rows!r} to {rows!r}. For a new network call fit with warm_start=False."
        )


def reject_other_plan(estimator, plan, last):
    """Refuse parameters that make another network than that of the last fit."""
    changed = plan.changed(last)
    if changed:
        hiding = "whether augmentations hide cells"
        named = {
            "objective": estimator._objective_parameter,
            "weighed": "objective",
            "hidden": "hidden_layer_sizes",
            **dict.fromkeys(("hides", "plain", "n_inputs"), hiding),
        }
        changed = dict.fromkeys(named.get(name, name) for name in changed)
        raise ValueError(
            f"This fit goes on with the network of the last fit, but {', '.join(changed)} "
            "changed since. For a new network call fit with warm_start=False."
        )
