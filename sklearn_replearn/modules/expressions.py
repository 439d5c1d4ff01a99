"""Modules that look at values or at layouts, called as one expression."""

import copy

from torch import nn

from .encoding import ColumnEncoding
from .images import ConvEncoder
from .tokens import TokenEncoder

_LOOKING = (ColumnEncoding, ConvEncoder, TokenEncoder)


class Expression(nn.Module):
    """A module of this package, called as one expression."""

    def __init__(self, module):
        super().__init__()
        self.module = module

    def forward(self, x):
        """Return what the module would."""
        return self.module.as_expression(x)


def as_expressions(module):
    """A copy of a module whose forward looks at no value, for what traces or maps it.

    A network is quick where it leaves out what is not there; ``torch.export``, ``torch.func`` and
    ONNX take what is the same for all rows.
    """
    if isinstance(module, _LOOKING):
        return Expression(module)
    module = copy.copy(module)
    module._modules = {name: as_expressions(part) for name, part in module._modules.items()}
    return module
