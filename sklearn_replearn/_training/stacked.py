"""Steps by hand of many networks at once, each with the bits that a step of its own computes.

Networks of the same widths lie in one tensor, a slice each, and a layer of all of them is one
batched product. Slices are aligned as tensors are, with a gap behind each, so that torch goes over
a slice as over a tensor of its own. That batched products give the same bits, too, no library
promises: :meth:`StackedStep.same_bits` looks.
"""

from itertools import groupby

import torch

from .handwritten import GELU, AutoencoderStep, SquaredError, stored_width, update_together, zeros

_LINE = 16  # numbers of float32 in a line of the cache, at which tensors begin


def shape_of(step):
    """What steps by hand must have in common to be stacked, hashable."""
    chains = [
        [(layer.matrix.stored, layer.activation) for layer in chain.layers]
        for chain in (step.encoder, step.decoder)
    ]
    widths = step.encoder.n_in, step.decoder.n_out, *step.flat.sizes
    return type(step), type(step.loss), widths, *map(tuple, chains)


def n_products(step, n):
    """Multiplications of a forward pass of n rows."""
    return n * sum(step.flat.sizes)


class StackedStep:
    """A training step of several networks, each on rows of its own.

    Parameters
    ----------
    nets : list of RepresentationNet
        With steps by hand of one shape. Their weights, gradients and moments move into the stack.
    """

    def __init__(self, nets):
        self.steps = steps = [net.handwritten_ for net in nets]
        vectors = [_gapped(len(steps), sum(steps[0].flat.sizes)) for _ in range(4)]
        for number, step in enumerate(steps):
            step.lie_in([vector[number] for vector in vectors])
        self.gradient_vectors = vectors[1]
        self.encoder, self.decoder = (
            [_Layer(layers, vectors) for layers in zip(*chains, strict=True)]
            for chains in (
                [step.encoder.layers for step in steps],
                [step.decoder.layers for step in steps],
            )
        )
        self.codes = _Slices(len(steps), steps[0].decoder.layers[0].matrix.stored[1])
        self.plain = type(steps[0]) is AutoencoderStep
        self.squares = type(steps[0].loss) is SquaredError
        #: Lists of nets that are updated alike.
        self.alike = [list(group) for _, group in groupby(nets, key=_settings)]

    def __call__(self, rows):
        """Train on rows of shape (n_networks, n, width).

        Returns
        -------
        dict of str to Tensor of shape (n_networks,)
            The named terms of each network.
        """
        terms = self.gradients(rows)
        for nets in self.alike:
            nets[0].set_learning_rate()
            update_together([net.handwritten_.flat for net in nets])
        return terms

    def let_go(self, net):
        """Update this net no more."""
        self.alike = [left for nets in self.alike if (left := [n for n in nets if n is not net])]
        step = net.handwritten_
        step.lie_in([vector.clone() for vector in step.flat.vectors])

    def gradients(self, rows):
        """Fill the gradients of all networks and return their terms."""
        n = rows.shape[1]
        if self.plain:
            output = _forward(self.decoder, _forward(self.encoder, rows))
            errors, g = self._losses(rows, output)
            _backward(self.encoder, _backward(self.decoder, g, True), False)
            return {"reconstruction": errors}
        (codes,) = self.codes[n]
        moments = _forward(self.encoder, rows)
        drawn = [step.draw(*each) for step, *each in zip(self.steps, moments, codes, strict=True)]
        errors, g = self._losses(rows, _forward(self.decoder, codes))
        g_codes = _backward(self.decoder, g, True)
        g = self.encoder[-1].buffers[n][1]
        each_step = zip(self.steps, drawn, g_codes, g, strict=True)
        divergences = [step.divergence(*tensors) for step, *tensors in each_step]
        _backward(self.encoder, g, False)
        return {"reconstruction": errors, "kl": torch.stack(divergences)}

    def _losses(self, rows, output):
        g = self.decoder[-1].buffers[rows.shape[1]][1]
        if not self.squares:
            each = zip(self.steps, rows, output, g, strict=True)
            return torch.stack([step.loss(*tensors)[0] for step, *tensors in each]), g
        torch.sub(output, rows, out=g)
        n_cells = rows.shape[1] * self.steps[0].loss.width
        squares = [torch.dot(own, own) for own in g.flatten(1).unbind()]
        return torch.stack(squares).div_(n_cells), g.mul_(2 / n_cells)

    def same_bits(self, rows, width):
        """Whether gradients of these rows are those that each network gets by itself."""
        generators = [step.training.generator for step in self.steps]
        before = [generator.get_state() for generator in generators]

        def put_back():
            for generator, state in zip(generators, before, strict=True):
                generator.set_state(state)

        self.gradients(rows)
        together = self.gradient_vectors.clone()
        put_back()
        for step, own in zip(self.steps, rows, strict=True):
            step.gradients(own[:, :width])
        put_back()
        return torch.equal(together, self.gradient_vectors)


def _settings(net):
    """All that must be the same for one update of several."""
    (group,) = net.optimizer_.param_groups
    settings = [(name, value) for name, value in group.items() if name != "params"]
    return type(net.optimizer_), net.lr, net.schedule is None, settings


class _Layer:
    """A linear layer of each network, and the activation behind it."""

    def __init__(self, layers, vectors):
        first = layers[0]
        self.activation, self.matrix = first.activation, first.matrix
        self.weight, self.weight_gradient = map(self._matrices, vectors[:2])
        start, size = first.bias.start, first.bias.size
        self.shift, self.shift_gradient = (v[:, start : start + size] for v in vectors[:2])
        n_out, n_in = self.matrix.stored
        own_output = [n_out] if self.activation is not None and not self.activation[0] else []
        self.buffers = _Slices(len(layers), n_out, n_out, n_in, *own_output)

    def _matrices(self, vectors):
        """Views of shape (n_networks, out, in)."""
        start, (n_out, n_in) = self.matrix.start, self.matrix.stored
        stretch = vectors[:, start : start + self.matrix.size]
        if self.matrix.wide_in:
            return stretch.view(-1, n_out, n_in)
        return stretch.view(-1, n_in, n_out).transpose(1, 2)

    def forward(self, x):
        z, _, _, *y = self.buffers[x.shape[1]]
        self.x = x
        torch.baddbmm(self.shift[:, None], x, self.weight.transpose(1, 2), out=z)
        if self.activation is None:
            return z
        y = y[0] if y else z
        self._activate(1, z, y)
        return y

    def _activate(self, direction, *tensors):
        if self.activation is GELU:  # of a whole tensor torch computes it in another way
            for slices in zip(*tensors, strict=True):
                self.activation[direction](*slices)
        else:
            self.activation[direction](*tensors)

    def backward(self, g, wants_g_in):
        z, _, g_in, *_ = self.buffers[g.shape[1]]
        if self.activation is not None:
            self._activate(2, g, z)
        if self.matrix.wide_in:
            torch.bmm(g.transpose(1, 2), self.x, out=self.weight_gradient)
        else:
            torch.bmm(self.x.transpose(1, 2), g, out=self.weight_gradient.transpose(1, 2))
        torch.sum(g, 1, out=self.shift_gradient)
        return torch.bmm(g, self.weight, out=g_in) if wants_g_in else None


def _forward(layers, x):
    for layer in layers:
        x = layer.forward(x)
    return x


def _backward(layers, g, wants_g_in):
    for number in reversed(range(len(layers))):
        g = layers[number].backward(g, wants_g_in or number > 0)
    return g


class _Slices(dict):
    """For each number of rows, tensors of shape (n_networks, n, width) for each width."""

    def __init__(self, n_networks, *widths):
        super().__init__()
        self.n_networks, self.widths = n_networks, widths

    def __missing__(self, n):
        self[n] = tuple(_gapped(self.n_networks, n, width) for width in self.widths)
        return self[n]


def _gapped(n_slices, *shape):
    """Zeros of shape (n_slices, ...), with a gap behind each slice."""
    size = torch.Size(shape).numel()
    length = (size // _LINE + 1) * _LINE
    return zeros(n_slices, length)[:, :size].view(n_slices, *shape)


class StackedRows:
    """Rows of several trainings, each of which draws batches of its own.

    Parameters
    ----------
    datasets : list of TrainingRows
        Kept, of as many draws and columns each. Rows that several have in common are there once.
    """

    def __init__(self, datasets):
        self.width = datasets[0].multiset.width
        tables, numbers = [], []
        for rows in (dataset.kept for dataset in datasets):
            known = (n for n, table in enumerate(tables) if torch.equal(rows, table))
            numbers.append(next(known, len(tables)))
            if numbers[-1] == len(tables):
                tables.append(rows)
        starts = torch.tensor([0, *map(len, tables)]).cumsum(0)
        self.starts = starts[numbers][:, None]
        self.rows = zeros(int(starts[-1]), stored_width(self.width))
        self.rows[:, : self.width] = torch.cat(tables)
        self.buffers = _Slices(len(datasets), self.rows.shape[1])

    def take(self, places):
        """Padded rows from these places, (n_networks, n), of each training's own rows."""
        rows = self.rows.index_select(0, (places + self.starts).view(-1))
        rows = rows.view(*places.shape, -1)
        if rows.shape[2] % _LINE == 0:
            return rows
        (aligned,) = self.buffers[places.shape[1]]
        return aligned.copy_(rows)
