"""Parts that several objectives put behind the encoder while they train."""

import copy

import torch
from torch import nn

from .._runtime.parameters import WIDEST, Each, Whole, check_parameters
from ..modules import mlp

#: What ``projector_sizes`` may be.
PROJECTOR_SIZES = [Each(Whole(1, WIDEST), least=1)]


def projector(objective, network, generator, batch_norm):
    """Codes to the space in which views are compared."""
    check_parameters(objective)
    sizes = network.latent_dim, *objective.projector_sizes
    return mlp(sizes, "relu", generator, batch_norm=batch_norm)


class MovingAverage(nn.Module):
    """An encoder and projector that follow others slowly and get no gradient."""

    def __init__(self, network, project):
        super().__init__()
        self.inputs = network.inputs
        self.encoder = copy.deepcopy(network.encoder).requires_grad_(False)
        self.project = copy.deepcopy(project).requires_grad_(False)

    def forward(self, rows):
        with torch.no_grad():
            inputs = rows if self.inputs is None else self.inputs(rows)
            return self.project(self.encoder(inputs))

    def follow(self, network, project, momentum):
        slow = nn.ModuleList([self.encoder, self.project])
        fast = nn.ModuleList([network.encoder, project])
        for kept, current in zip(slow.parameters(), fast.parameters(), strict=True):
            kept.lerp_(current.detach(), 1 - momentum)
        for kept, current in zip(slow.buffers(), fast.buffers(), strict=True):
            kept.copy_(current)
