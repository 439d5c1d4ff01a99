"""Convolutional networks for small images, each image a flat row."""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

import torch
from torch import nn
from torch.nn import functional as F

from .._runtime.parameters import Each, Number, Whole, validated
from .layers import ACTIVATION, ACTIVATIONS, GENERATOR, WIDTH, linear

#: Channels, height and width.
IMAGE_SHAPE = [Each(Whole(), length=3)]
_CHANNELS = [Each(WIDTH[0], least=1)]
_SMALLEST = 4  # sides that are not halved


class ChannelStandardization(nn.Module):
    """Standardise each channel of images: mean 0 and standard deviation 1 over the training pixels.

    Parameters
    ----------
    image_shape : tuple of int
        (channels, height, width).
    mean, scale : sequence of float
        Of each channel.

    Attributes
    ----------
    width : int

    Examples
    --------
    >>> import torch
    >>> from sklearn_replearn.modules import ChannelStandardization
    >>> ChannelStandardization((1, 1, 2), mean=[0.5], scale=[0.25])(torch.tensor([[0.0, 1.0]]))
    tensor([[-2.,  2.]])
    """

    @validated({"image_shape": IMAGE_SHAPE, "mean": [Each(Number())], "scale": [Each(Number(0))]})
    def __init__(
        self, image_shape: Sequence[int], mean: Sequence[float], scale: Sequence[float]
    ) -> None:
        super().__init__()
        self.width, self.n_channels = math.prod(image_shape), image_shape[0]
        for name, values in (("mean", mean), ("scale", scale)):
            if len(values) != self.n_channels:
                raise ValueError(
                    f"{name} must have one number for each of the {self.n_channels} channels; got "
                    f"{values!r}."
                )
            values = torch.tensor(values, dtype=torch.float32, device="cpu")[:, None]
            self.register_buffer(name, values, persistent=False)

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """Return inputs, Tensor of shape (n, width)."""
        channels = rows.reshape(rows.shape[0], self.n_channels, -1)
        return ((channels - self.mean) / self.scale).flatten(1)


class _Convolution(nn.Module):
    """A convolution of 3 x 3 pixels with torch's usual initial weights, drawn from a generator."""

    def __init__(self, n_in, n_out, generator, stride=(1, 1)):
        super().__init__()
        bound = 1 / math.sqrt(9 * n_in)
        for name, shape in (("weight", (n_out, n_in, 3, 3)), ("bias", (n_out,))):
            values = torch.empty(shape, dtype=torch.float32, device="cpu")
            values.uniform_(-bound, bound, generator=generator)
            setattr(self, name, nn.Parameter(values))
        self.stride = stride

    def forward(self, images):
        return F.conv2d(images, self.weight, self.bias, self.stride, padding=1)


class ConvEncoder(nn.Module):
    """Convolutions of 3 x 3 pixels that halve an image each, then a linear map.

    Each is normalised over the batch (Ioffe and Szegedy 2015). Sides of up to 4 pixels are not
    halved any more.

    Parameters
    ----------
    image_shape : tuple of int
        (channels, height, width).
    n_out : int
    generator : torch.Generator, on the CPU
    channels : sequence of int, default=(32, 64, 128)
        Of the convolutions, one after the other.
    activation : {"relu", "gelu", "silu", "elu", "tanh"}, default="relu"

    Examples
    --------
    >>> import torch
    >>> from sklearn_replearn.modules import ConvEncoder
    >>> encoder = ConvEncoder((3, 32, 32), 64, torch.Generator().manual_seed(0))
    >>> encoder(torch.zeros(5, 3 * 32 * 32)).shape
    torch.Size([5, 64])
    """

    @validated(
        {
            "image_shape": IMAGE_SHAPE,
            "n_out": WIDTH,
            "generator": GENERATOR,
            "channels": _CHANNELS,
            "activation": ACTIVATION,
        }
    )
    def __init__(
        self,
        image_shape: Sequence[int],
        n_out: int,
        generator: torch.Generator,
        channels: Sequence[int] = (32, 64, 128),
        activation: Literal["relu", "gelu", "silu", "elu", "tanh"] = "relu",
    ) -> None:
        super().__init__()
        self.image_shape = tuple(image_shape)
        layers, sizes = [], _halved(image_shape, len(channels))
        widths = pairwise((image_shape[0], *channels))
        for (n_in, n_next), (size, smaller) in zip(widths, pairwise(sizes), strict=True):
            stride = tuple(1 + (a != b) for a, b in zip(size, smaller, strict=True))
            layers += [
                _Convolution(n_in, n_next, generator, stride),
                nn.BatchNorm2d(n_next, device="cpu", dtype=torch.float32),
                ACTIVATIONS[activation](),
            ]
        self.convolutions = nn.Sequential(*layers)
        self.code = linear(channels[-1] * math.prod(sizes[-1]), n_out, generator)

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """Return codes, Tensor of shape (n, n_out), of flat rows or of images."""
        images = rows.reshape(rows.shape[0], *self.image_shape)
        # In this layout normalisation over the batch is quicker; the values are the same.
        images = images.contiguous(memory_format=torch.channels_last)
        return self.code(self.convolutions(images).flatten(1))

    def as_expression(self, rows: torch.Tensor) -> torch.Tensor:
        """The same in no layout of its own, for what traces, or maps rows."""
        images = rows.reshape(rows.shape[0], *self.image_shape)
        return self.code(self.convolutions(images).flatten(1))


class ConvDecoder(nn.Module):
    """A linear map, then convolutions behind enlargements to twice the size each.

    Parameters
    ----------
    n_in : int
        Width of a code.
    image_shape : tuple of int
        (channels, height, width).
    generator : torch.Generator, on the CPU
    channels : sequence of int, default=(32, 16)
        Before each of the convolutions.
    activation : {"relu", "gelu", "silu", "elu", "tanh"}, default="relu"

    References
    ----------
    Odena et al. (2016), *Deconvolution and checkerboard artifacts*: why no transposed convolutions.

    Examples
    --------
    >>> import torch
    >>> from sklearn_replearn.modules import ConvDecoder
    >>> decoder = ConvDecoder(64, (1, 28, 28), torch.Generator().manual_seed(0))
    >>> decoder(torch.zeros(5, 64)).shape
    torch.Size([5, 784])
    """

    @validated(
        {
            "n_in": WIDTH,
            "image_shape": IMAGE_SHAPE,
            "generator": GENERATOR,
            "channels": _CHANNELS,
            "activation": ACTIVATION,
        }
    )
    def __init__(
        self,
        n_in: int,
        image_shape: Sequence[int],
        generator: torch.Generator,
        channels: Sequence[int] = (32, 16),
        activation: Literal["relu", "gelu", "silu", "elu", "tanh"] = "relu",
    ) -> None:
        super().__init__()
        *sizes, first = _halved(image_shape, len(channels))
        self.sizes = sizes[::-1]
        self.first = channels[0], *first
        self.spread = linear(n_in, math.prod(self.first), generator)
        self.activation = ACTIVATIONS[activation]()
        self.convolutions = nn.ModuleList(
            _Convolution(n_in, n_out, generator)
            for n_in, n_out in pairwise((*channels, image_shape[0]))
        )

    def forward(self, codes: torch.Tensor) -> torch.Tensor:
        """Return flat images, Tensor of shape (n, channels * height * width)."""
        images = self.spread(codes).reshape(codes.shape[0], *self.first)
        for size, convolution in zip(self.sizes, self.convolutions, strict=True):
            images = convolution(F.interpolate(self.activation(images), size=size))
        return images.flatten(1)


def _halved(image_shape, times):
    """Heights and widths of an image, and of the smaller ones that it becomes one by one."""
    sizes = [tuple(image_shape[1:])]
    for _ in range(times):
        sizes.append(tuple(-(-size // 2) if size > _SMALLEST else size for size in sizes[-1]))
    return sizes
