"""What every objective is."""

import sys
from typing import Any, Self

import torch
from torch import nn

from .._dataset.batches import Batch
from .._runtime.parameters import Instance, check_parameters
from .._runtime.sklearn import BaseEstimator

#: Names that the history gives to the sum of the terms, to what it counts and to the score.
TAKEN = {"loss", "loss_best", "batch_count", "score"}

_METHODS = ["heads", "terms", "after_step"]

#: What ``objective=`` takes, and that of a VAE.
OBJECTIVE = Instance(
    _METHODS,
    "an objective of sklearn_replearn.objectives, such as NTXent() (SimCLR, InfoNCE), DCL(), "
    "SupCon(), BarlowTwins(), VICReg(), SimSiam() or BYOL()",
)
OBJECTIVE_OF_VAE = Instance(
    _METHODS,
    "an objective of sklearn_replearn.objectives, such as ELBO(), IWAE(), BetaTCVAE(), "
    "CapacityELBO() or InfoVAE()",
)


class Objective(BaseEstimator):
    """Compares two views of the same rows through a network.

    Subclasses define :meth:`terms`; the other methods have a default that does nothing. Constructor
    parameters are those of scikit-learn estimators: cloneable, and searched over with names such
    as ``objective__temperature``.

    Examples
    --------
    An objective of one's own is a class with one method:

    >>> from sklearn_replearn import ContrastiveTransformer
    >>> from sklearn_replearn.objectives import Objective
    >>> class CloseViews(Objective):
    ...     def terms(self, network, heads, batch, generator):
    ...         left, right = network.code(batch.left), network.code(batch.right)
    ...         gap, spread = left - right, left.std(0).mean()
    ...         return {"gap": gap.square().mean(), "spread": -spread.clamp(max=1.0)}
    >>> encoder = ContrastiveTransformer(objective=CloseViews(), max_epochs=2)
    >>> encoder.fit([[0.0, 1.0], [1.0, 3.0], [2.0, 0.0]]).history_["train_gap"].size
    2
    """

    #: What each parameter may be, as in scikit-learn's estimators; checked at fit.
    _parameter_constraints = {}

    #: Names of terms that are no part of the reported loss: they train parts beside the objective,
    #: or have no gradient and are there to be seen.
    terms_aside = ()

    #: Whether :meth:`terms` needs the labels of the rows: fit then asks for ``y``, and they are
    #: ``batch.labels``.
    uses_labels = False

    #: Whether :meth:`terms` needs ``network.posterior``, as the network of VAETransformer has it,
    #: rather than ``network.code``, as those of others have it.
    uses_posterior = False

    def bound(self, n_rows: int, n_updates: int) -> Self:
        """The objective for a training of so many rows and updates; most do not depend on them.

        Parameters
        ----------
        n_rows, n_updates : int

        Returns
        -------
        Objective
            A copy, where something of it is told: fit never changes an objective.
        """
        return self

    def heads(self, network: Any, generator: torch.Generator) -> nn.Module:
        """What only training needs: projectors, predictors, targets, queues.

        Parameters
        ----------
        network : torch.nn.Module
            On the CPU; its ``latent_dim`` is the width of a code.
        generator : torch.Generator
            To draw initial weights from.

        Returns
        -------
        torch.nn.Module
            Trained together with the network and dropped after fit.
        """
        return nn.Module()

    def terms(
        self, network: Any, heads: Any, batch: Batch, generator: torch.Generator
    ) -> dict[str, torch.Tensor]:
        """Named terms whose sum is minimised.

        Parameters
        ----------
        network, heads : torch.nn.Module
            ``heads.training`` is False on validation rows.
        batch : Batch
            ``rows``, their views ``left`` and ``right``, and ``labels``.
        generator : torch.Generator
            All that is drawn is drawn from it.

        Returns
        -------
        dict of str to Tensor
            Single values, such as means over the batch; the same names in every step. ``"loss"`` is
            taken: it is the name of their sum.
        """
        raise TypeError(f"{type(self).__name__} does not define terms(): see Objective.")

    def after_step(self, network: Any, heads: Any) -> None:
        """Called after each update of the weights, without gradients."""

    def __setstate__(self, state):
        # As Python stores names of attributes: stored again, it is the same bytes.
        super().__setstate__({sys.intern(name): value for name, value in state.items()})


def name_of(objective):
    """The name of an objective's class, of the inner one where a decoder stands beside it."""
    return type(getattr(objective, "objective", objective)).__name__


def check_network_of(objective, estimator, posterior):
    """Refuse an objective of networks of another kind.

    Parameters
    ----------
    objective : Objective
    estimator : str
        Name of its class.
    posterior : bool
        Whether its networks have a posterior.
    """
    if bool(getattr(objective, "uses_posterior", False)) != posterior:
        wanted = (
            "one that reads network.posterior, such as ELBO() or BetaTCVAE() (one of your own says "
            "so by uses_posterior = True)"
            if posterior
            else "one that reads network.code, such as NTXent() (uses_posterior is False); for "
            "those of posteriors there is VAETransformer"
        )
        raise ValueError(f"objective of {estimator} must be {wanted}; got {objective!r}.")


def bound_to(objective, n_rows, n_updates):
    """What :meth:`Objective.bound` returns; an object that has no such method is the same for all.

    Raises
    ------
    ValueError
        If parameters of the objective are not what they may be. Says what came.
    """
    check_parameters(objective)
    bound = getattr(objective, "bound", None)
    return objective if bound is None else bound(n_rows, n_updates)


def checked_heads(objective, network, generator):
    """What :meth:`Objective.heads` returns, if it is a module.

    Raises
    ------
    ValueError
        If parameters of the objective are not what they may be. Says what came.
    """
    check_parameters(objective)
    heads = objective.heads(network, generator)
    if not isinstance(heads, nn.Module):
        raise ValueError(
            f"{name_of(objective)}.heads must return a torch.nn.Module, nn.Module() where there "
            f"is nothing to train; it returned {heads!r}."
        )
    return heads


def checked_terms(objective, network, heads, batch, generator):
    """What :meth:`Objective.terms` returns, if it is what is said there.

    Raises
    ------
    ValueError
        Says what is wanted and what came.
    """
    terms, name = objective.terms(network, heads, batch, generator), type(objective).__name__
    if not isinstance(terms, dict) or not terms:
        raise ValueError(
            f"{name}.terms must return a dict of at least one named term, such as "
            f'{{"distance": tensor}}; it returned {terms!r}.'
        )
    for term, value in terms.items():
        if not isinstance(term, str) or term in TAKEN:
            raise ValueError(
                f"{name}.terms named a term {term!r}: names are strings other than "
                f"{', '.join(sorted(TAKEN))}, which the history needs. Give it another name."
            )
        tensor = isinstance(value, torch.Tensor)
        if not tensor or value.ndim or not value.is_floating_point():
            came = f"of shape {tuple(value.shape)}, {value.dtype}" if tensor else repr(value)
            raise ValueError(
                f"{name}.terms must give single numbers, float Tensors of shape (), such as a mean "
                f"over the batch; {term!r} is {came}."
            )
    aside = getattr(objective, "terms_aside", ())
    trained = (value.requires_grad for term, value in terms.items() if term not in aside)
    if torch.is_grad_enabled() and not any(trained):
        raise ValueError(
            f"{name}.terms returned {', '.join(terms)}, of which none has a gradient: compute them "
            "from network.code(batch.left) or from the heads, without detach() or .item()."
        )
    return terms
