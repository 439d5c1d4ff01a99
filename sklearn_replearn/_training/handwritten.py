"""Training steps by hand, for the networks that most fits have.

Autoencoders and variational autoencoders of linear layers with activations between them need no
general machinery: their forward and backward passes are a dozen matrix products. Here these go into
buffers that are made once, with all weights in one vector that the optimizer updates in one call.
Fits take two thirds to nineteen twentieths of the time of a loop with autograd (see
benchmarks/results), and give the same up to rounding.

:func:`handwritten_step` says which trainings it can do; the others go through autograd. Nothing
depends on this file: without it all do.
"""

import math
from functools import lru_cache

import torch
from torch import nn
from torch.nn import functional as F

from ..likelihoods import Bernoulli, Gaussian
from ..likelihoods.base import UNIT
from ..likelihoods.continuous import SMALLEST_VARIANCE
from ..modules import Autoencoder, VariationalAutoencoder
from ..modules.autoencoders import LOG_VARIANCE_RANGE
from ..objectives import ELBO, Reconstruction
from .optimizers import Adam, AdamW

_aten = torch.ops.aten


def handwritten_step(net):
    """A function from rows to the named terms, which updates the weights, or None.

    Parameters
    ----------
    net : RepresentationNet
        Initialised.

    Returns
    -------
    callable or None
        None where only autograd knows the gradient.
    """
    training, optimizer = net.module_, net.optimizer_
    network, objective = training.network, training.objective
    encoder, decoder = _layers(network.encoder), _layers(network.decoder)
    likelihood = type(network.likelihood)
    layers = [*(encoder or []), *(decoder or [])]
    weights = [weight for linear, _ in layers for weight in linear.parameters()]
    known = (
        network.inputs is None
        and encoder
        and decoder
        and len(set(weights)) == 2 * len(layers)  # none is used twice
        and likelihood in (Gaussian, Bernoulli)
        and type(optimizer) in (Adam, AdamW)
        and getattr(network, "prior", None) is None
        and not list(training.heads.parameters())
        and all(map(_plain, training.parameters()))
    )
    if not known:
        return None
    if type(network) is Autoencoder and type(objective) is Reconstruction:
        if objective.sparsity is not None or network.activation is not None:
            return None
        loss = {Gaussian: SquaredError, Bernoulli: _CrossEntropy}[likelihood]
        return AutoencoderStep(net, encoder, decoder, loss)
    if type(network) is VariationalAutoencoder and type(objective) is ELBO:
        loss = {Gaussian: _GaussianNats, Bernoulli: _BernoulliNats}[likelihood]
        return VariationalStep(net, encoder, decoder, loss)
    return None


def _plain(weight):
    hooks = weight._backward_hooks or weight._post_accumulate_grad_hooks
    plain = type(weight) is nn.Parameter and weight.requires_grad and not hooks
    return plain and weight.dtype == torch.float32 and weight.device.type == "cpu"


def _layers(module):
    """Pairs of a linear layer and the activation behind it (or None), or None if it is not so."""
    if type(module) is not nn.Sequential or any(map(_is_changed, module.modules())):
        return None
    layers = []
    for child in module:
        if type(child) is nn.Linear and child.bias is not None:
            layers.append((child, None))
        elif layers and layers[-1][1] is None and _known_activation(child):
            layers[-1] = (layers[-1][0], _ACTIVATIONS[type(child)])
        else:
            return None
    return layers


def _is_changed(module):
    """Whether a module has hooks or a forward pass of its own."""
    attributes = vars(module)
    return "forward" in attributes or any(
        value for name, value in attributes.items() if name.endswith("_hooks")
    )


def _known_activation(module):
    """Whether it is one of the activations, with the settings that are known here."""
    default = {nn.GELU: ("approximate", "none"), nn.ELU: ("alpha", 1.0)}
    name, value = default.get(type(module), ("training", module.training))
    if type(module) not in _ACTIVATIONS or getattr(module, name) != value:
        return False
    return _works(*_ACTIVATIONS[type(module)])


@lru_cache
def _works(overwrites, forward, backward):
    """Whether this torch has the operations, which are none of its documented ones."""
    z = torch.full((1,), 0.5, dtype=torch.float32, device="cpu")
    try:
        backward(torch.ones_like(z), forward(z, z if overwrites else torch.empty_like(z)))
    except Exception:  # whatever a torch to come may say
        return False
    return True


# For each activation: whether its gradient is told from its output alone (so that the output may
# overwrite the input), forward from z into y, and gradient in z from that in y, in place.
_ACTIVATIONS = {
    nn.ReLU: (
        True,
        lambda z, y: torch.clamp_min(z, 0.0, out=y),
        lambda g, y: _aten.threshold_backward.grad_input(g, y, 0, grad_input=g),
    ),
    nn.Tanh: (
        True,
        lambda z, y: torch.tanh(z, out=y),
        lambda g, y: _aten.tanh_backward.grad_input(g, y, grad_input=g),
    ),
    nn.SiLU: (
        False,
        lambda z, y: _aten.silu.out(z, out=y),
        lambda g, z: _aten.silu_backward.grad_input(g, z, grad_input=g),
    ),
    nn.GELU: (
        False,
        lambda z, y: _aten.gelu.out(z, out=y),
        lambda g, z: _aten.gelu_backward.grad_input(g, z, grad_input=g),
    ),
    nn.ELU: (
        False,
        lambda z, y: _aten.elu.out(z, out=y),
        lambda g, z: _aten.elu_backward.grad_input(g, 1, 1, 1, False, z, grad_input=g),
    ),
}
GELU = _ACTIVATIONS[nn.GELU]


def zeros(*shape):
    return torch.zeros(shape, dtype=torch.float32, device="cpu")


def stored_width(width):
    """Width in memory: products of odd small widths take up to twice the time of padded ones."""
    padded = -(-width // 16) * 16
    return padded if width < 48 or padded <= 1.1 * width else width


class _Flat:
    """Weights, gradients and moments of all parameters, each in one vector.

    Parameters
    ----------
    optimizer : Adam or AdamW
    parts : list of lists of (parameter, place)
        A place makes the parameter's view of a stretch of the vectors.
    clip : float or None
        Largest norm of the gradient of each part.
    """

    def __init__(self, optimizer, parts, clip):
        self.optimizer, self.clip = optimizer, clip
        self.places = [tie for part in parts for tie in part]
        self.sizes = [sum(place.size for _, place in part) for part in parts]
        self.step = zeros()
        self.lie_in([zeros(sum(self.sizes)) for _ in range(4)])

    def lie_in(self, vectors):
        """Move to these vectors, of weights, gradients and both moments."""
        self.vectors = vectors
        self.parts = vectors[1].split(self.sizes)
        start = 0
        for parameter, place in self.places:
            self._tie(parameter, place, start)
            start += place.size

    def _tie(self, parameter, place, start):
        """Make the parameter and what the optimizer knows of it views of the vectors."""
        place.take(start, [vector[start : start + place.size] for vector in self.vectors])
        weight, _, mean, square = map(place.view, place.stretches)
        state = self.optimizer.state_of(parameter)
        weight.copy_(parameter.detach())
        mean.copy_(state["exp_avg"])
        square.copy_(state["exp_avg_sq"])
        self.step.copy_(state["step"])
        parameter.data = weight
        state.update(exp_avg=mean, exp_avg_sq=square, step=self.step)

    def update(self):
        """One step of the optimizer."""
        update_together([self])

    def clip_gradients(self):
        """Shorten the gradient of each part where it is too long."""
        if self.clip is None:
            return
        for part in self.parts:
            norm = float(torch.linalg.vector_norm(part))
            if norm > self.clip:
                part.mul_(self.clip / (norm + 1e-6))


def update_together(flats):
    """One step of optimizers that have the same settings."""
    for flat in flats:
        flat.clip_gradients()
    optimizer = flats[0].optimizer
    vectors = zip(*(flat.vectors for flat in flats), strict=True)
    optimizer.update(*optimizer.param_groups, *map(list, vectors), [flat.step for flat in flats])


class _Place:
    """Where a parameter stands in the vectors of weights, gradients and moments."""

    def take(self, start, stretches):
        """Take up the stretch of each vector, and where it starts."""
        self.start, self.stretches = start, stretches
        self.gradient = self.view(stretches[1])


class _Matrix(_Place):
    """Place of a weight matrix, padded, with its longer side along the memory."""

    def __init__(self, linear):
        self.shape = linear.out_features, linear.in_features
        self.stored = tuple(map(stored_width, self.shape))
        self.size = math.prod(self.stored)
        self.wide_in = self.stored[1] > self.stored[0]

    def whole(self, stretch):
        """Stored matrix, of shape (out, in)."""
        n_out, n_in = self.stored
        return stretch.view(n_out, n_in) if self.wide_in else stretch.view(n_in, n_out).t()

    def view(self, stretch):
        return self.whole(stretch)[: self.shape[0], : self.shape[1]]


class _Vector(_Place):
    """Place of a vector, padded."""

    def __init__(self, width):
        self.width = width
        self.size = stored_width(width)

    def view(self, stretch):
        return stretch[: self.width]


class _Layer:
    """A linear layer and the activation behind it, with the buffers of their passes."""

    def __init__(self, linear, activation):
        self.linear, self.activation = linear, activation
        self.matrix, self.bias = _Matrix(linear), _Vector(linear.out_features)
        n_out, n_in = self.matrix.stored
        # What goes into the activation, the gradients in output and input, and the output where it
        # may not overwrite what went in.
        own_output = [n_out] if activation is not None and not activation[0] else []
        self.buffers = _Buffers(n_out, n_out, n_in, *own_output)

    @property
    def places(self):
        return [(self.linear.weight, self.matrix), (self.linear.bias, self.bias)]

    def bind(self):
        """Take up the places that the parameters have got."""
        weight, weight_gradient, *_ = map(self.matrix.whole, self.matrix.stretches)
        self.weight, self.weight_in_out = weight, weight.t()
        self.weight_gradient, self.weight_gradient_in_out = weight_gradient, weight_gradient.t()
        self.shift, self.shift_gradient, *_ = self.bias.stretches

    def forward(self, x):
        z, _, _, *y = self.buffers[x.shape[0]]
        self.x = x
        torch.addmm(self.shift, x, self.weight_in_out, out=z)
        if self.activation is None:
            return z
        return self.activation[1](z, y[0] if y else z)

    def backward(self, g, wants_g_in):
        """From the gradient in the output, which is overwritten, to that in the input."""
        z, _, g_in, *_ = self.buffers[g.shape[0]]
        if self.activation is not None:
            self.activation[2](g, z)
        if self.matrix.wide_in:
            torch.mm(g.t(), self.x, out=self.weight_gradient)
        else:
            torch.mm(self.x.t(), g, out=self.weight_gradient_in_out)
        torch.sum(g, 0, out=self.shift_gradient)
        return torch.mm(g, self.weight, out=g_in) if wants_g_in else None


class _Buffers(dict):
    """For each number of rows, tensors of these widths in the memory of the longest ones."""

    def __init__(self, *widths):
        super().__init__()
        self.widths, self.longest = widths, [zeros(0, width) for width in widths]

    def __missing__(self, n):
        if any(len(tensor) < n for tensor in self.longest):
            self.clear()
            self.longest = [zeros(n, width) for width in self.widths]
        self[n] = tuple(tensor[:n] for tensor in self.longest)
        return self[n]


class _Chain:
    """Layers one after the other."""

    def __init__(self, layers):
        self.layers = [_Layer(*layer) for layer in layers]
        self.places = [place for layer in self.layers for place in layer.places]
        self.n_in, self.n_out = layers[0][0].in_features, layers[-1][0].out_features

    def bind(self):
        for layer in self.layers:
            layer.bind()

    def g(self, n):
        """Where the gradient in the output of n rows is to be written."""
        return self.layers[-1].buffers[n][1]

    def forward(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self, g, wants_g_in):
        for number in reversed(range(len(self.layers))):
            g = self.layers[number].backward(g, wants_g_in or number > 0)
        return g


class _Padded:
    """Rows in a buffer of the stored width; the rows themselves where that is theirs."""

    def __init__(self, width):
        self.width, self.stored = width, stored_width(width)
        self.buffers = _Buffers(self.stored)

    def __call__(self, rows):
        if self.stored == self.width:
            return rows.contiguous()
        (padded,) = self.buffers[rows.shape[0]]
        padded[:, : self.width] = rows
        return padded


class _Step:
    """What the two kinds of steps share: views, chains, the update.

    A kind has ``gradients(rows)``, which fills the vector of gradients and returns the terms.
    """

    def __init__(self, net, encoder, decoder, loss):
        self.training = net.module_
        likelihood = self.training.network.likelihood
        self.encoder, self.decoder = _Chain(encoder), _Chain(decoder)
        self.loss = loss(likelihood, self.decoder.n_out)
        parts = [self.encoder.places, self.decoder.places, self.loss.places]
        with torch.no_grad():
            self.flat = _Flat(net.optimizer_, [part for part in parts if part], net.gradient_clip)
            self.places = [place for part in parts for place in part]
        self._bind()
        self.left, self.right = _Padded(self.encoder.n_in), _Padded(self.decoder.n_out)

    def _bind(self):
        self.encoder.bind()
        self.decoder.bind()

    def lie_in(self, vectors):
        """Move weights, gradients and both moments to these vectors."""
        with torch.no_grad():
            self.flat.lie_in(vectors)
        self._bind()

    def __call__(self, rows):
        """Train on these rows; return the named terms."""
        with torch.no_grad():
            terms = self.gradients(rows)
            self.flat.update()
        return terms

    def _views(self, rows):
        batch = self.training.batch(rows)
        padded = self.left(batch.left)
        return padded, (padded if batch.right is batch.left else self.right(batch.right))


class AutoencoderStep(_Step):
    """Reconstruction error of an autoencoder."""

    def gradients(self, rows):
        left, right = self._views(rows)
        output = self.decoder.forward(self.encoder.forward(left))
        error, g = self.loss(right, output, self.decoder.g(right.shape[0]))
        self.encoder.backward(self.decoder.backward(g, True), False)
        return {"reconstruction": error}


class VariationalStep(_Step):
    """Evidence lower bound of a variational autoencoder."""

    def __init__(self, net, encoder, decoder, loss):
        super().__init__(net, encoder, decoder, loss)
        self.codes = _Buffers(stored_width(self.decoder.n_in))

    def gradients(self, rows):
        left, right = self._views(rows)
        n = left.shape[0]
        moments = self.encoder.forward(left)
        (code,) = self.codes[n]
        drawn = self.draw(moments, code)
        error, g = self.loss(right, self.decoder.forward(code), self.decoder.g(n))
        g_code = self.decoder.backward(g, True)
        g = self.encoder.g(n)
        terms = {"reconstruction": error, "kl": self.divergence(drawn, g_code, g)}
        self.encoder.backward(g, False)
        return terms

    def draw(self, moments, code):
        """Draw codes, written to ``code``; return what their gradient is told from."""
        n, latent = moments.shape[0], self.decoder.n_in
        mean, raw = moments[:, :latent], moments[:, latent : 2 * latent]
        log_variance = raw.clamp(*LOG_VARIANCE_RANGE)
        noise = torch.randn((n, latent), generator=self.training.generator, dtype=torch.float32)
        deviation = (0.5 * log_variance).exp_()
        torch.addcmul(mean, noise, deviation, out=code[:, :latent])
        return mean, raw, log_variance, noise, deviation

    def divergence(self, drawn, g_code, g):
        """Weighted divergence from the prior; the gradient in the moments, written to ``g``."""
        mean, raw, log_variance, noise, deviation = drawn
        n, latent = mean.shape
        g_code = g_code[:, :latent]
        weight = self.training.objective.weight(self.training.heads)
        variance = deviation.square()
        divergence = 0.5 * (mean.square() + variance - 1.0 - log_variance).sum() / n
        torch.add(g_code, mean, alpha=weight / n, out=g[:, :latent])
        g_raw = torch.mul(g_code, noise.mul_(deviation), out=g[:, latent : 2 * latent])
        g_raw.add_(variance.sub_(1.0), alpha=weight / n).mul_(0.5)
        g_raw.mul_(raw == log_variance)  # nothing flows where it was cut off
        return weight * divergence


class SquaredError:
    """Squared error, averaged over cells."""

    def __init__(self, likelihood, width):
        self.width = width
        self.places = []

    def __call__(self, x, output, g):
        """The error, and its gradient in the output, written to ``g``."""
        torch.sub(output, x, out=g)
        n_cells = x.shape[0] * self.width
        error = torch.dot(g.view(-1), g.view(-1)) / n_cells
        return error, g.mul_(2 / n_cells)


class _CrossEntropy:
    """Binary cross-entropy, averaged over cells."""

    def __init__(self, likelihood, width):
        self.width = width
        self.places = []

    def __call__(self, x, output, g):
        width = self.width
        error = F.binary_cross_entropy_with_logits(output[:, :width], x[:, :width])
        torch.sigmoid(output, out=g).sub_(x).mul_(1 / (x.shape[0] * width))
        g[:, width:] = 0.0
        return error, g


class _GaussianNats:
    """Minus the normal log-likelihood of a row, averaged over rows."""

    def __init__(self, likelihood, width):
        self.likelihood, self.width = likelihood, width
        self.places = []
        if likelihood.log_scale is not None:
            self.scale = _Vector(width)
            self.places = [(likelihood.log_scale, self.scale)]
        self.varies = (~likelihood.constant).float()
        self.of_constants = _OfConstants(likelihood)
        self.precision = zeros(stored_width(width))

    def __call__(self, x, output, g):
        n, width = x.shape[0], self.width
        variance = self.likelihood.variance
        precision = torch.div(self.varies, variance, out=self.precision[:width])
        torch.sub(output, x, out=g)
        squares = g.square().sum(0)[:width]
        fit = torch.dot(squares, precision) / n
        volume = torch.dot(self.varies, torch.log(2 * math.pi * variance))
        if self.places:
            # From the variance to the parameter, see Gaussian.variance.
            slope = (variance - SMALLEST_VARIANCE).mul_(2 * UNIT)
            excess = (1 - squares * precision / n).mul_(precision)
            torch.mul(excess, slope, out=self.scale.gradient).mul_(0.5)
        g.mul_(self.precision).mul_(1 / n)
        return 0.5 * (fit + volume) + self.of_constants(x), g


class _BernoulliNats:
    """Minus the Bernoulli log-probability of a row, averaged over rows."""

    def __init__(self, likelihood, width):
        self.width = width
        self.places = []
        self.varies = zeros(stored_width(width))
        self.varies[:width] = (~likelihood.constant).float()
        self.of_constants = _OfConstants(likelihood)

    def __call__(self, x, output, g):
        n, width = x.shape[0], self.width
        of_constants = self.of_constants(x)
        x = x.clamp(0, 1)
        errors = F.binary_cross_entropy_with_logits(
            output[:, :width], x[:, :width], weight=self.varies[:width], reduction="sum"
        )
        torch.sigmoid(output, out=g).sub_(x).mul_(self.varies).mul_(1 / n)
        return errors / n + of_constants, g


class _OfConstants:
    """What columns that were constant in the first fit add when later ones change them."""

    def __init__(self, likelihood):
        self.columns = likelihood.constant.nonzero()[:, 0]

    def __call__(self, x):
        if not len(self.columns):
            return 0.0
        return 0.5 * x[:, self.columns].square().sum() / x.shape[0]
