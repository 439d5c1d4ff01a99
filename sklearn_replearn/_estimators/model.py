"""What fit has learned, as one value."""

import copy
import warnings
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise

import torch
from sklearn import config_context

from .._runtime.arrays import to_tensors
from .._runtime.isolation import is_foreign
from .._runtime.memory import free_memory, too_little
from .._runtime.randomness import new_generator
from .._scaling.scaler import Scaler
from .._tables.schema import Schema
from .._training.history import History
from ..modules.foreign import checked
from ..rows import Rows
from ..rows.base import same


@dataclass(frozen=True, eq=False)
class NetworkPlan:
    """What a network is made of, so that it can be built again.

    Attributes
    ----------
    network : class
        :class:`~sklearn_replearn.modules.Autoencoder` or
        :class:`~sklearn_replearn.modules.VariationalAutoencoder`.
    n_features, n_inputs, n_outputs, latent_dim : int
        Columns of the table, numbers that the encoder takes, that the decoder gives, of the code.
    hidden : tuple of int
        Widths of the encoder's hidden layers.
    activation : str
    plain : bool
        Whether cells are numbers, and none is missing.
    hides : bool
        Whether augmentations make cells missing.
    encoder, decoder : torch.nn.Module, callable or None
        Given by a user.
    likelihoods : tuple of class
        Of each column.
    scale : float or None
        Of normal columns.
    for_errors : bool
        Whether the likelihood only says what errors are.
    sparsity : object or None
        Its ``activation`` is applied to codes.
    weighed : str or None
        The text of an objective beside a likelihood, which says how its terms are weighed.
    prior : object or None
        Its ``module`` is the prior of codes that is learned.
    objective : object
        What says what is minimised: a loss, a likelihood, or the text of an objective.
    """

    network: type
    n_features: int
    n_inputs: int
    n_outputs: int
    latent_dim: int
    hidden: tuple
    activation: str
    plain: bool
    hides: bool
    encoder: object
    decoder: object
    likelihoods: tuple
    scale: float | None
    for_errors: bool
    sparsity: object
    weighed: str | None
    prior: object
    objective: object

    @property
    def given(self):
        """Encoder and decoder of a user's, those that there are."""
        return [part for part in (self.encoder, self.decoder) if part is not None]

    def check_memory(self, batch_size):
        """Refuse linear layers for which memory is too little, and warn where it may be.

        At least there are weights, gradients and two moments of each; likely copies for inference,
        and batches with their gradients, too.
        """
        free = free_memory()
        if free is None:
            return
        n_weights = 0
        if self.encoder is None:
            widths = (self.n_inputs, *self.hidden, self.network.numbers_per_code * self.latent_dim)
            n_weights += sum(a * b for a, b in pairwise(widths))
        if self.decoder is None:
            n_weights += sum(
                a * b for a, b in pairwise((self.latent_dim, *self.hidden[::-1], self.n_outputs))
            )
        cells = batch_size * (self.n_inputs + self.n_outputs)
        likely = 28 * n_weights + 32 * cells
        if likely <= free:
            return
        message = too_little(
            f"This fit, of a network of {self.n_inputs:,} inputs and {self.n_outputs:,} outputs,",
            likely,
            free,
        )
        if 16 * n_weights > free:
            raise MemoryError(message)
        warnings.warn(message, UserWarning, stacklevel=2)

    def build(self, rows, scaler, generator):
        """A network with initial weights drawn from ``generator``.

        Parameters
        ----------
        rows : Rows
        scaler : Scaler
        generator : torch.Generator

        Returns
        -------
        torch.nn.Module
        """
        # Of what is learned nothing has to be checked, value by value.
        with config_context(skip_parameter_validation=True):
            return self._built(rows, scaler, generator)

    def _built(self, rows, scaler, generator):
        n_out = self.network.numbers_per_code * self.latent_dim
        if self.encoder is None:
            encoder = rows.encoder(self, n_out, generator)
        else:
            with named("encoder"):
                encoder = rows.given_encoder(self, n_out)
        if self.decoder is None:
            decoder = rows.decoder(self, generator)
        else:
            with named("decoder"):
                decoder = rows.given_decoder(self)
        likelihood = rows.likelihood(self.likelihoods, scaler, self.scale, self.for_errors)
        inputs = rows.encoding(scaler, self.hides)
        beside = {"inputs": inputs}
        if is_foreign(rows):
            name, cells = type(rows).__name__, torch.zeros(2, self.n_features, dtype=torch.float32)
            seen = cells if inputs is None else inputs(cells)
            encoder = checked(copy.deepcopy(encoder), f"{name}.encoder", seen, n_out)
            codes = torch.zeros(2, self.latent_dim, dtype=torch.float32)
            decoder = checked(copy.deepcopy(decoder), f"{name}.decoder", codes, self.n_outputs)
        if self.sparsity is not None:
            beside["activation"] = self.sparsity.activation(self.latent_dim)
        if self.prior is not None:
            with named("prior"):
                beside["prior"] = self.prior.module(self.n_inputs, self.latent_dim, generator)
        return self.network(encoder, decoder, likelihood, self.latent_dim, **beside)

    def changed(self, other):
        """Names of what differs from another plan."""
        mine, others = vars(self), vars(other)
        return [name for name in mine if not same(mine[name], others[name])]


@dataclass(frozen=True, eq=False)
class Model:
    """What an estimator has learned in fit: all that ``transform`` and a stored file are about.

    Attributes
    ----------
    rows : Rows
        As in fit.
    schema : Schema
        Of the table of fit.
    scaler : Scaler
    plan : NetworkPlan
    arrays : dict of str to ndarray
        The weights of the network.
    seed : int
        Of the draws of scores, the same for all rows.
    history : History
    extras : object, default=None
        What an estimator has learned from the trained network beside that.
    resumable : dict, default=None
        What training goes on from with ``warm_start``.
    stream : Stream, default=None
        What ``partial_fit`` goes on from beside that.
    novelties : Novelties, default=None
        What rows had that came after the first fit; None: none came.
    """

    rows: Rows
    schema: Schema
    scaler: Scaler
    plan: NetworkPlan
    arrays: dict = field(repr=False)
    seed: int
    history: History = field(repr=False)
    extras: object = None
    resumable: dict | None = field(default=None, repr=False)
    stream: object = field(default=None, repr=False)
    novelties: object = field(default=None, repr=False)

    @property
    def parts(self):
        """Parts that may be a user's and draw from the global generators."""
        return [*self.rows.parts(), *self.plan.given, *dict.fromkeys(self.plan.likelihoods)]

    def network(self):
        """The trained network, float32, on the CPU, in evaluation mode."""
        network = self.plan.build(self.rows, self.scaler, new_generator(0))
        network.load_state_dict(to_tensors(self.arrays))
        return network.eval()


@contextmanager
def named(parameter):
    """Errors that say of which parameter they speak."""
    try:
        yield
    except (TypeError, ValueError) as problem:
        raise type(problem)(f"{parameter}: {problem}") from problem


def n_weights(module):
    """Number of the weights of a module."""
    return sum(weight.numel() for weight in module.parameters())
