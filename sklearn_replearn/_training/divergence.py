"""Whether a fit ended worse than it began, or in no number at all."""

import math
import warnings

import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning

from .._dataset.batches import Batches
from .._runtime.randomness import new_generator
from .._tables.names import name_columns
from ..objectives.base import bound_to, checked_heads
from .net import Training

# The term of a decoder beside a contrastive objective.
_BESIDE = "reconstruction"

# Of the loss of a network that has learned nothing: beyond it a fit has not merely learned little.
# Such a decoder has more, because the codes that it learns from move.
_MARGINS = {"loss": 0.2, _BESIDE: 1.0}


def loss_not_finite(problem, scaler, lr, given):
    """The message for a loss that is no number, with the columns that are most extreme.

    Parameters
    ----------
    problem : LossNotFinite
    scaler : Scaler
    lr : float
    given : bool
        Whether a user gave the validation rows.
    """
    epoch = problem.epoch
    if given and problem.of == "valid":
        return (
            f"The loss of the rows of X_val became NaN or infinite in epoch {epoch}, that of the "
            "training rows not: they have cells too far from those of X. Leave such rows out of "
            "X_val."
        )
    largest = np.maximum(np.abs(scaler.low), np.abs(scaler.high))
    extreme = np.argsort(-largest, kind="stable")[:3]
    return (
        f"The loss became NaN or infinite in epoch {epoch}. The most extreme scaled values, up to "
        f"{largest.max():.3g}, are in {name_columns(scaler.names, extreme)}. For a table use "
        f'rows=Table(scaling="quantile") or "robust"; else lower lr (now {lr!r}), or set '
        "gradient_clip=1.0."
    )


def warn_if_diverged(net, rows, untrained, lr):
    """Warn if a network that has learned nothing does better on the training rows.

    That is computed only where the last epoch is worse than the first batch, so that other fits
    take no longer.

    Parameters
    ----------
    net : RepresentationNet
        Trained.
    rows : TrainingRows
    untrained : callable
        Gives a network and an objective that know nothing.
    lr : float
    """
    aside = net.module_.objective.terms_aside
    first, last = _losses(net.first_terms_, aside), _losses(net.last_terms_, aside)
    if not any(_is_worse(name, last, first) for name in last):
        return
    network, objective = untrained()
    objective = bound_to(objective, len(rows), net.n_updates_)
    heads = checked_heads(objective, network, new_generator(0))
    blank = Training(
        network,
        heads,
        objective,
        net.module_.views,
        net.module_.generator,
        net.module_.validation_generator,
    )
    blank.to(rows.device)
    before, after = _evaluated(blank, rows, net, aside), _evaluated(net.module_, rows, net, aside)
    for name, loss in after.items():
        if _is_worse(name, after, before):
            warnings.warn(
                f"The fit diverged: its {name} is {loss:.4g} at the end, and {before[name]:.4g} "
                f"for a network that has learned nothing. Lower lr (now {lr!r}; "
                '"auto" chooses one), or set gradient_clip=1.0.',
                ConvergenceWarning,
                stacklevel=2,
            )
            return


def _is_worse(name, losses, others):
    return losses[name] > others[name] + _MARGINS[name] * abs(others[name])


def _losses(terms, aside):
    """What is compared, by name: of a decoder beside a contrastive objective its own loss.

    Codes of a network that knows nothing are much alike, and the views of a row for that reason,
    too: to compare views may cost more and more while codes learn to tell rows apart.
    """
    if _BESIDE in aside:
        return {_BESIDE: terms[_BESIDE]}
    return {"loss": math.fsum(value for name, value in terms.items() if name not in aside)}


def _evaluated(training, rows, net, aside):
    """Losses of all training rows, with the same noise for each network."""
    sums, total = {}, 0
    was_training = training.training
    training.eval()
    batches = Batches(rows, net.batch_size, training.validation_generator, shuffle=False)
    with torch.no_grad():
        for batch, _ in batches:
            batch = batch if isinstance(batch, dict) else {"rows": batch}
            terms, n_rows = training(**batch), len(batch["rows"])
            total += n_rows
            for name, value in terms.items():
                sums[name] = sums.get(name, 0.0) + n_rows * float(value)
    training.train(was_training)
    return _losses({name: value / total for name, value in sums.items()}, aside)
