"""The work of a network on the rows of a batch, shared out over processes.

All processes do the same steps on the same batches. Only what costs most is shared out: each
computes what an encoder or decoder gives for its share of the rows, and gets the rest from the
others. Objectives see whole batches, so that none of them has to know.
"""

from contextlib import contextmanager
from functools import partial

import torch
from torch import distributed, nn
from torch.nn.modules.batchnorm import _BatchNorm

from .._runtime.randomness import global_draws

# What costs most in a network, or in a part of the heads that follows one.
_COSTLY = "encoder", "decoder"


class Sharing:
    """What :class:`Training` shares out.

    Parameters
    ----------
    training : Training
    processes : Alone or Several
    device : torch.device
    """

    def __init__(self, training, processes, device):
        owners = [training.network, *training.heads.modules()] if processes.size > 1 else []
        modules = (getattr(owner, name, None) for owner in owners for name in _COSTLY)
        self._parts = [
            _SharedModule(module, processes, device)
            for module in dict.fromkeys(modules)
            if isinstance(module, nn.Module)
        ]

    def state(self):
        """What was found of each module so far."""
        return [part.draws for part in self._parts]

    def resume(self, state):
        """Take up what :meth:`state` has told of the same modules."""
        for part, draws in zip(self._parts, state, strict=True):
            part.draws = draws

    @contextmanager
    def out(self):
        """What these modules compute within is shared out."""
        for part in self._parts:
            part.begins()
        try:
            yield
        finally:
            for part in self._parts:
                part.ends()


class _SharedModule:
    """A module of which each process computes some rows, and knows all.

    The first call is everyone's: a module that draws from global generators, such as one with
    dropout, stays everyone's, so that all draw the same for the same rows.
    """

    def __init__(self, module, processes, device):
        self.module, self.processes, self.device = module, processes, device
        self.norms = [part for part in module.modules() if isinstance(part, _BatchNorm)]
        self.draws = None
        self.n_rows = None  # of the batch that is shared out right now
        self._handles = []

    def begins(self):
        self._handles = [
            self.module.register_forward_pre_hook(self._before),
            self.module.register_forward_hook(self._after),
        ]
        for norm in self.norms:
            norm.forward = partial(self._normalised, norm)

    def ends(self):
        for handle in self._handles:
            handle.remove()
        self._handles = []
        for norm in self.norms:
            del norm.forward
        self.n_rows = None

    def _before(self, module, inputs):
        if self.draws is None:
            self._drew = global_draws(self.device)
        elif not self.draws and len(inputs[0]) >= self.processes.size:
            self.n_rows = len(inputs[0])
            return (_Share.apply(inputs[0], self.processes), *inputs[1:])
        return None

    def _after(self, module, inputs, output):
        if self.draws is None:
            self.draws, self._drew = self._drew(), None
        if self.n_rows is None:
            return None
        n_rows, self.n_rows = self.n_rows, None
        return _Gathered.apply(output, n_rows, self.processes)

    def _normalised(self, norm, x):
        """Batch normalisation by mean and variance of the rows of all processes."""
        if self.n_rows is None or not (norm.training or norm.running_mean is None):
            return type(norm).forward(norm, x)
        axes = [axis for axis in range(x.ndim) if axis != 1]
        shape = [-1 if axis == 1 else 1 for axis in range(x.ndim)]
        count = x.new_full((1,), x.numel() / x.shape[1])
        total = _Sum.apply(torch.cat([x.sum(axes), count]), self.processes)
        count = total[-1].detach()
        mean = total[:-1] / count
        variance = _Sum.apply((x - mean.view(shape)).square().sum(axes), self.processes) / count
        if norm.training and norm.running_mean is not None:
            _follow(norm, mean.detach(), variance.detach() * (count / (count - 1)))
        x = (x - mean.view(shape)) * (variance + norm.eps).rsqrt().view(shape)
        return x if norm.weight is None else x * norm.weight.view(shape) + norm.bias.view(shape)


def _follow(norm, mean, variance):
    """Moving averages of batch normalisation, as torch has them."""
    with torch.no_grad():
        norm.num_batches_tracked += 1
        share = norm.momentum
        if share is None:
            share = 1.0 / float(norm.num_batches_tracked)
        norm.running_mean.lerp_(mean, share)
        norm.running_var.lerp_(variance, share)


def _sizes(n_rows, n_parts):
    """Rows of each process, near-equal shares."""
    return [(n_rows + n_parts - 1 - rank) // n_parts for rank in range(n_parts)]


def _share(tensor, processes):
    return tensor.split(_sizes(len(tensor), processes.size))[processes.rank]


def _gathered(share, n_rows, processes):
    """The shares of all processes, one after the other."""
    sizes = _sizes(n_rows, processes.size)
    # All that travels has the same size: a share of one row fewer is filled up.
    sent = share.contiguous()
    if len(sent) < sizes[0]:
        sent = torch.cat([sent, sent.new_zeros(1, *sent.shape[1:])])
    parts = [torch.empty_like(sent) for _ in sizes]
    distributed.all_gather(parts, sent, group=processes.group_for(sent))
    return torch.cat([part[:size] for part, size in zip(parts, sizes, strict=True)])


# What is computed behind a gathered batch, is computed by all: each has the gradient of the one
# loss. The gradient of weights in a module that is shared out is the sum over the processes, that
# of others is the same in all. Between the two functions gradients are multiplied by the number of
# processes, so that the mean over the processes is right for both.


class _Share(torch.autograd.Function):
    """A process's share of the rows."""

    @staticmethod
    def forward(ctx, rows, processes):
        ctx.n_rows, ctx.processes = len(rows), processes
        return _share(rows, processes).clone()

    @staticmethod
    def backward(ctx, gradient):
        return _Gathered.apply(gradient, ctx.n_rows, ctx.processes) / ctx.processes.size, None


class _Gathered(torch.autograd.Function):
    """The rows of all processes, from the share of each."""

    @staticmethod
    def forward(ctx, share, n_rows, processes):
        ctx.processes = processes
        return _gathered(share, n_rows, processes)

    @staticmethod
    def backward(ctx, gradient):
        return _Share.apply(gradient, ctx.processes) * ctx.processes.size, None, None


class _Sum(torch.autograd.Function):
    """Sum of a tensor over the processes."""

    @staticmethod
    def forward(ctx, tensor, processes):
        ctx.processes = processes
        total = tensor.clone()
        distributed.all_reduce(total, group=processes.group_for(total))
        return total

    @staticmethod
    def backward(ctx, gradient):
        return _Sum.apply(gradient.contiguous(), ctx.processes), None
