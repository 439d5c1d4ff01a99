"""Small networks, with weights drawn from the generator they are given."""

from ._images import ConvDecoder, ConvEncoder, Pixels
from ._inputs import Inputs
from ._layers import Shortcut, TopK, linear, mlp, own_copy
from ._networks import Autoencoder, VariationalAutoencoder
from ._tokens import TokenDecoder, TokenEncoder, TokenIds

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
