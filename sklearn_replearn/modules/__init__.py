"""Small networks, with weights drawn from the generator they are given."""

from .autoencoders import Autoencoder, VariationalAutoencoder
from .encoding import Inputs
from .images import ConvDecoder, ConvEncoder, Pixels
from .layers import Shortcut, TopK, linear, mlp, own_copy
from .tokens import TokenDecoder, TokenEncoder, TokenIds

__all__ = [
    "Autoencoder",
    "ConvDecoder",
    "ConvEncoder",
    "Inputs",
    "Pixels",
    "Shortcut",
    "TokenDecoder",
    "TokenEncoder",
    "TokenIds",
    "TopK",
    "VariationalAutoencoder",
    "linear",
    "mlp",
    "own_copy",
]
