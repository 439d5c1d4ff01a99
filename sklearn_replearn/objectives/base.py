"""What every objective is."""

from sklearn.base import BaseEstimator
from torch import nn


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
    ...     def terms(self, network, heads, left, right, generator):
    ...         gap = network.code(left) - network.code(right)
    ...         spread = network.code(left).std(0).mean()
    ...         return {"gap": gap.square().mean(), "spread": -spread.clamp(max=1.0)}
    >>> encoder = ContrastiveTransformer(objective=CloseViews(), max_epochs=2)
    >>> encoder.fit([[0.0, 1.0], [1.0, 3.0], [2.0, 0.0]]).history_["train_gap"].size
    2
    """

    #: Names of terms that are no part of the reported loss: they train parts beside the objective,
    #: or have no gradient and are there to be seen.
    terms_aside = ()

    #: Whether :meth:`terms` takes the labels of the rows: it is then called with ``labels=``,
    #: Tensor of shape (n,) of int64, -1 for rows without one.
    uses_labels = False

    def heads(self, network, generator):
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

    def terms(self, network, heads, left, right, generator):
        """Named terms whose sum is minimised.

        Parameters
        ----------
        network, heads : torch.nn.Module
            ``heads.training`` is False on validation rows.
        left, right : Tensor of shape (n, n_features)
        generator : torch.Generator

        Returns
        -------
        dict of str to Tensor, single values
        """
        raise TypeError(f"{type(self).__name__} does not define terms(): see Objective.")

    def after_step(self, network, heads):
        """Called after each update of the weights, without gradients."""
