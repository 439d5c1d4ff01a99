"""Small networks, with weights drawn from the generator they are given."""

from .autoencoders import Autoencoder, VariationalAutoencoder
from .encoding import ColumnEncoding
from .images import ChannelStandardization, ConvDecoder, ConvEncoder
from .layers import LinearSkip, TopK, linear, mlp
from .tokens import TokenDecoder, TokenEncoder, TokenIds

__all__ = [
    "Autoencoder",
    "ChannelStandardization",
    "ColumnEncoding",
    "ConvDecoder",
    "ConvEncoder",
    "LinearSkip",
    "TokenDecoder",
    "TokenEncoder",
    "TokenIds",
    "TopK",
    "VariationalAutoencoder",
    "linear",
    "mlp",
]
