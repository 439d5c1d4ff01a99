"""Augmentations of images: Tensor of shape (n, channels, height, width), values between 0 and 1.

Each image has parameters of its own. Those of SimCLR (Chen et al. 2020, appendix A) are
:class:`RandomResizedCrop`, :class:`RandomHorizontalFlip`, :class:`ColorJitter`,
:class:`RandomGrayscale` and :class:`GaussianBlur`. Names and parameters are those of torchvision,
with ``p`` where it would need ``RandomApply``.
"""

import math

import torch
from torch.nn import functional as F

from .._runtime.sklearn import BaseEstimator
from ._ranges import (
    check_generator,
    check_number,
    check_probability,
    check_tensor,
    check_whole,
    checked_range,
)

# Shares of red, green and blue in what looks equally bright (ITU-R recommendation BT.601).
_LUMA = (0.299, 0.587, 0.114)


class RandomResizedCrop(BaseEstimator):
    """Cut a random rectangle out of each image and enlarge it to the size of the image.

    Parameters
    ----------
    scale : pair of float, default=(0.2, 1.0)
        Smallest and largest share of the image's area.
    ratio : pair of float, default=(3/4, 4/3)
        Smallest and largest width of the rectangle as a multiple of its height. Where a rectangle
        of the area drawn does not fit into the image, that nearest to it which fits is taken.

    References
    ----------
    Szegedy et al. (2015), *Going deeper with convolutions*.

    Chen et al. (2020), *A simple framework for contrastive learning of visual representations*.

    Notes
    -----
    Rectangles need not begin at whole pixels. Values between pixels are interpolated, and a
    rectangle reaches from the middle of a pixel to the middle of another, so that none is made up.

    Examples
    --------
    >>> import torch
    >>> from sklearn_replearn.augmentations import RandomResizedCrop
    >>> crop = RandomResizedCrop(scale=(0.2, 0.5))
    >>> crop(torch.rand(5, 3, 8, 8), torch.Generator().manual_seed(0)).shape
    torch.Size([5, 3, 8, 8])
    """

    def __init__(
        self, scale: tuple[float, float] = (0.2, 1.0), ratio: tuple[float, float] = (3 / 4, 4 / 3)
    ) -> None:
        self.scale = scale
        self.ratio = ratio

    def __call__(self, images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Return crops, Tensor of shape (n, channels, height, width)."""
        _check(images, generator)
        scale = checked_range("scale", self.scale, 1e-6, 1)
        ratio = checked_range("ratio", self.ratio, 1e-6)
        height, width = images.shape[2:]
        area, stretch, x, y = _uniform(images, generator, 4)
        area = _between(area, *scale)
        stretch = _between(stretch, *map(math.log, ratio)).exp() * (height / width)
        stretch = torch.clamp(stretch, area, 1 / area)
        # From here in units in which the image reaches from -1 to 1.
        across, down = (area * stretch).sqrt(), (area / stretch).sqrt()
        grid = images.new_empty((len(images), height, width, 2))
        for axis, place, reach, size in ((0, x, across, width), (1, y, down, height)):
            steps = torch.linspace(-1, 1, size, device=images.device, dtype=images.dtype)
            steps = _between(place, -1, 1) * (1 - reach) + reach * steps
            grid[..., axis] = steps[:, None, :] if axis == 0 else steps[:, :, None]
        crops = F.grid_sample(images, grid, padding_mode="border", align_corners=True)
        return crops.clamp_(0, 1)


class RandomHorizontalFlip(BaseEstimator):
    """Mirror a random subset of the images, left to right.

    Parameters
    ----------
    p : float, default=0.5
        Probability that an image is mirrored.

    References
    ----------
    Chen et al. (2020), *A simple framework for contrastive learning of visual representations*.

    Examples
    --------
    >>> import torch
    >>> from sklearn_replearn.augmentations import RandomHorizontalFlip
    >>> RandomHorizontalFlip(p=1.0)(torch.tensor([[[[0.0, 0.5, 1.0]]]]), torch.Generator())
    tensor([[[[1.0000, 0.5000, 0.0000]]]])
    """

    def __init__(self, p: float = 0.5) -> None:
        self.p = p

    def __call__(self, images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Return mirrored images, Tensor of shape (n, channels, height, width)."""
        _check(images, generator)
        return _changed(images, self.p, generator, lambda some, chosen: some.flip(-1))


class ColorJitter(BaseEstimator):
    """Change brightness, contrast and saturation of each image.

    Parameters
    ----------
    brightness : float, default=0.4
        Largest change: factors are drawn uniformly between 1 minus and 1 plus this, and are at
        least 0. 0 leaves it as it is.
    contrast : float, default=0.4
        The same for contrast.
    saturation : float, default=0.4
        The same for saturation, which only images of three channels have.

    References
    ----------
    Chen et al. (2020), *A simple framework for contrastive learning of visual representations*.

    Notes
    -----
    The order is that of the parameters, where others draw it. Hue stays. Values are cut off at 0
    and 1 after each change.

    Examples
    --------
    >>> import torch
    >>> from sklearn_replearn.augmentations import ColorJitter
    >>> images = torch.full((1_000, 1, 1, 1), 0.5)
    >>> jittered = ColorJitter(brightness=0.2)(images, torch.Generator().manual_seed(0))
    >>> round(float(jittered.min()), 2), round(float(jittered.max()), 2)
    (0.4, 0.6)
    """

    def __init__(
        self, brightness: float = 0.4, contrast: float = 0.4, saturation: float = 0.4
    ) -> None:
        self.brightness = brightness
        self.contrast = contrast
        self.saturation = saturation

    def __call__(self, images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Return changed images, Tensor of shape (n, channels, height, width)."""
        _check(images, generator)
        for name in ("brightness", "contrast", "saturation"):
            check_number(name, getattr(self, name), "a largest change of at least 0", 0)
        brightness, contrast, saturation = _uniform(images, generator, 3)[..., None, None]
        jittered = (images * _factor(brightness, self.brightness)).clamp_(0, 1)
        if self.contrast:
            mean = _gray(jittered).mean((1, 2, 3), keepdim=True)
            _move_away(jittered, mean, _factor(contrast, self.contrast))
        if self.saturation and images.shape[1] == 3:
            _move_away(jittered, _gray(jittered), _factor(saturation, self.saturation))
        return jittered


class RandomGrayscale(BaseEstimator):
    """Take the colour from a random subset of the images.

    Parameters
    ----------
    p : float, default=0.2
        Probability that an image becomes grey. Images of other than three channels stay.

    References
    ----------
    Chen et al. (2020), *A simple framework for contrastive learning of visual representations*.

    Examples
    --------
    >>> import torch
    >>> from sklearn_replearn.augmentations import RandomGrayscale
    >>> red = torch.tensor([1.0, 0.0, 0.0]).reshape(1, 3, 1, 1)
    >>> RandomGrayscale(p=1.0)(red, torch.Generator()).flatten()
    tensor([0.2990, 0.2990, 0.2990])
    """

    def __init__(self, p: float = 0.2) -> None:
        self.p = p

    def __call__(self, images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Return images, some of them grey, Tensor of shape (n, channels, height, width)."""
        _check(images, generator)
        check_probability(self.p)
        if images.shape[1] != 3:
            return images
        return _changed(images, self.p, generator, lambda some, chosen: _gray(some).expand_as(some))


class GaussianBlur(BaseEstimator):
    """Blur a random subset of the images, each by a Gaussian of its own width.

    Parameters
    ----------
    kernel_size : int, default=None
        Pixels in a line that are averaged, an odd number. None takes about a tenth of the shorter
        side, at least 3.
    sigma : pair of float, default=(0.1, 2.0)
        Smallest and largest standard deviation in pixels, drawn uniformly.
    p : float, default=0.5
        Probability that an image is blurred.

    References
    ----------
    Chen et al. (2020), *A simple framework for contrastive learning of visual representations*.

    Notes
    -----
    Images go on as their mirror images, edges included, so that the mean of an image stays.

    Examples
    --------
    >>> import torch
    >>> from sklearn_replearn.augmentations import GaussianBlur
    >>> dot = torch.tensor([0.0, 0.0, 1.0, 0.0, 0.0]).reshape(1, 1, 1, 5)
    >>> GaussianBlur(p=1.0, sigma=(1.0, 1.0))(dot, torch.Generator()).flatten()
    tensor([0.0000, 0.2741, 0.4519, 0.2741, 0.0000])
    """

    def __init__(
        self,
        kernel_size: int | None = None,
        sigma: tuple[float, float] = (0.1, 2.0),
        p: float = 0.5,
    ) -> None:
        self.kernel_size = kernel_size
        self.sigma = sigma
        self.p = p

    def __call__(self, images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Return images, some of them blurred, Tensor of shape (n, channels, height, width)."""
        _check(images, generator)
        low, high = checked_range("sigma", self.sigma, 1e-3)
        height, width = images.shape[2:]
        reach = self._reach(min(height, width))
        (sigma,) = _between(_uniform(images, generator, 1), low, high)

        def blurred(some, chosen):
            down = _smoothing(sigma[chosen], height, reach)
            across = _smoothing(sigma[chosen], width, reach)
            lines = (some.flatten(1, 2) @ across).view_as(some)
            return (down[:, None] @ lines).clamp_(0, 1)

        return _changed(images, self.p, generator, blurred)

    def _reach(self, side):
        """How many pixels to each side of one are averaged with it."""
        size = self.kernel_size
        if size is None:
            return max(1, side // 20)
        wanted = "an odd number of pixels, or None"
        check_whole("kernel_size", size, wanted, 1)
        if size % 2 == 0:
            raise ValueError(f"kernel_size is {wanted}; got {size!r}.")
        return size // 2


class RandomRotation(BaseEstimator):
    """Turn each image about its centre; what comes in from outside is 0.

    Parameters
    ----------
    degrees : float, default=15.0
        Largest angle, in either direction; angles are drawn uniformly.

    References
    ----------
    Simard et al. (2003), *Best practices for convolutional neural networks applied to visual
    document analysis*.

    Examples
    --------
    >>> import torch
    >>> from sklearn_replearn.augmentations import RandomRotation
    >>> RandomRotation(degrees=10)(torch.rand(5, 1, 8, 8), torch.Generator().manual_seed(0)).shape
    torch.Size([5, 1, 8, 8])
    """

    def __init__(self, degrees: float = 15.0) -> None:
        self.degrees = degrees

    def __call__(self, images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Return turned images, Tensor of shape (n, channels, height, width)."""
        _check(images, generator)
        check_number("degrees", self.degrees, "an angle between 0 and 180", 0, 180)
        if self.degrees == 0:
            return images
        height, width = images.shape[2:]
        largest = math.radians(self.degrees)
        (angle,) = _between(_uniform(images, generator, 1), -largest, largest)[..., None]
        # In pixels from the centre, as turning in shares of an oblong image would shear it.
        x, y = (
            torch.arange(size, device=images.device, dtype=images.dtype) - (size - 1) / 2
            for size in (width, height)
        )
        y, sine, cosine = y[:, None], angle.sin(), angle.cos()
        grid = images.new_empty((len(images), height, width, 2))
        grid[..., 0] = (cosine * x - sine * y) * (2 / width)
        grid[..., 1] = (sine * x + cosine * y) * (2 / height)
        return F.grid_sample(images, grid, align_corners=False).clamp_(0, 1)


def _check(images, generator):
    check_generator(generator)
    check_tensor("images", images)
    if images.ndim != 4 or not images.is_floating_point():
        raise ValueError(
            "images must be a floating-point tensor of shape (n, channels, height, width); got "
            f"{images.dtype} of shape {tuple(images.shape)}. Flat rows become images with "
            "rows.reshape(-1, channels, height, width)."
        )


def _uniform(images, generator, n_draws):
    """Uniform draws for each image, Tensor of shape (n_draws, n, 1)."""
    shape = (n_draws, len(images), 1)
    return torch.rand(shape, generator=generator, device=images.device, dtype=images.dtype)


def _between(draws, low, high):
    return low + (high - low) * draws


def _factor(draws, change):
    return _between(draws, max(0.0, 1 - change), 1 + change)


def _move_away(images, origin, factor):
    """Multiply distances to ``origin``, in place; torch.lerp takes several times as long."""
    images.mul_(factor).add_(origin * (1 - factor)).clamp_(0, 1)


def _changed(images, p, generator, change):
    """Images of which each is changed with probability ``p``, at the cost of those only.

    Parameters
    ----------
    images : Tensor of shape (n, channels, height, width)
    p : float
    generator : torch.Generator
    change : callable
        Changed images, from those drawn and their numbers.
    """
    check_probability(p)
    if p == 0:
        return images
    chosen = (_uniform(images, generator, 1).flatten() < p).nonzero().flatten()
    return images.index_copy(0, chosen, change(images.index_select(0, chosen), chosen))


def _gray(images):
    """How bright images are, Tensor of shape (n, 1, height, width)."""
    if images.shape[1] != 3:
        return images.mean(1, keepdim=True)
    (red, green, blue), shares = images.split(1, dim=1), _LUMA
    return (shares[0] * red).add_(green, alpha=shares[1]).add_(blue, alpha=shares[2])


def _smoothing(sigma, size, reach):
    """Matrices that blur ``size`` pixels in a line, Tensor of shape (n, size, size), symmetric.

    As matrices, because images that go on as their mirror images need no padding then, and each has
    its own: that is faster than a convolution with a kernel for each image.
    """
    steps = torch.arange(-reach, reach + 1, device=sigma.device)
    weights = torch.softmax(-0.5 * (steps / sigma).square(), 1)
    pixels = (torch.arange(size, device=sigma.device) + steps[:, None]) % (2 * size)
    pixels = torch.minimum(pixels, 2 * size - 1 - pixels)
    reached = F.one_hot(pixels, size).to(sigma.dtype)
    return (weights @ reached.flatten(1)).view(-1, size, size)
