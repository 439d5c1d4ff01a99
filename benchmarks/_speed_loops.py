"""Loops written by hand, and the floor: what speed.py measures our fits by.

Networks, batches, views and losses are written here as someone would write them who has PyTorch and
nothing else: what they share with the package would not be a measure of it.
"""

import math
from collections import deque
from functools import partial
from itertools import pairwise

import torch
from _speed_task import BATCH, HIDDEN, LATENT, LR, n_batches, squared_error
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset


def mlp(*widths):
    """Linear layers with ReLU between them and torch's initial weights."""
    layers = [
        layer for n_in, n_out in pairwise(widths) for layer in (nn.Linear(n_in, n_out), nn.ReLU())
    ]
    return nn.Sequential(*layers[:-1])


def autoencoder(n_columns, latent_dim=LATENT):
    """Encoder and decoder, without an activation on the code."""
    return nn.Sequential(mlp(n_columns, HIDDEN, latent_dim), mlp(latent_dim, HIDDEN, n_columns))


def train(objective, modules, batches, epochs):
    """The loop itself: nothing in it that training does not need."""
    parameters = [parameter for module in modules for parameter in module.parameters()]
    optimizer = torch.optim.Adam(parameters, lr=LR, fused=True)
    for _ in range(epochs):
        for rows in batches():
            optimizer.zero_grad()
            objective(rows).backward()
            optimizer.step()


def slices(rows):
    """Batches of one epoch: slices of a permutation, gathered one at a time."""
    for index in torch.randperm(len(rows), device=rows.device).split(BATCH):
        yield rows.index_select(0, index)


def bare_autoencoder(table, epochs, seed, device):
    rows = torch.from_numpy(table.scaled).to(device)
    network = autoencoder(table.n_columns).to(device)
    train(lambda x: F.mse_loss(network(x), x), [network], partial(slices, rows), epochs)
    return partial(squared_error, network, table, device)


def loader_autoencoder(table, epochs, seed, device):
    """The bare loop with the DataLoader of every tutorial."""
    dataset = TensorDataset(torch.from_numpy(table.scaled))
    loader = DataLoader(dataset, batch_size=BATCH, shuffle=True)
    network = autoencoder(table.n_columns).to(device)

    def batches():
        return (rows.to(device) for (rows,) in loader)

    train(lambda x: F.mse_loss(network(x), x), [network], batches, epochs)
    return partial(squared_error, network, table, device)


def bare_vae(table, epochs, seed, device):
    """The objective of VAETransformer: a variance learned for each column, and the divergence."""
    rows = torch.from_numpy(table.scaled).to(device)
    encoder = mlp(table.n_columns, HIDDEN, 2 * LATENT).to(device)
    decoder = mlp(LATENT, HIDDEN, table.n_columns).to(device)
    # Ours keeps it in units of ten, so that it gets as far in as many updates; so does this loop.
    log_scale = nn.ParameterList([torch.zeros(table.n_columns, device=device)])

    def objective(x):
        mean, log_variance = encoder(x).chunk(2, dim=1)
        code = mean + torch.randn_like(mean) * (0.5 * log_variance).exp()
        variance = (20 * log_scale[0]).exp() + 1e-4
        # The mean over rows comes first: what follows is a vector of one value per column.
        error = (x - decoder(code)).square().mean(0)
        reconstruction = 0.5 * (error / variance + (2 * math.pi * variance).log()).sum()
        divergence = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(1).mean()
        return reconstruction + divergence

    train(objective, [encoder, decoder, log_scale], partial(slices, rows), epochs)
    return partial(squared_error, lambda x: decoder(encoder(x)[:, :LATENT]), table, device)


def bare_contrastive(table, epochs, seed, device):
    """The objective of ContrastiveTransformer: NT-Xent, and a decoder that learns beside it."""
    rows = torch.from_numpy(table.scaled).to(device)
    encoder = mlp(table.n_columns, HIDDEN, LATENT).to(device)
    project = mlp(LATENT, 128, 64).to(device)
    decoder = mlp(LATENT, HIDDEN, table.n_columns).to(device)
    contrasts = deque(maxlen=n_batches(len(rows)))  # of the last epoch

    def objective(x):
        contrast = nt_xent(project(encoder(torch.cat([swapped(x), swapped(x)]))))
        contrasts.append(contrast.detach())
        with torch.no_grad():
            code = encoder(x)
        return contrast + F.mse_loss(decoder(code), x)

    train(objective, [encoder, project, decoder], partial(slices, rows), epochs)
    return lambda: float(torch.stack(list(contrasts)).mean())


def swapped(rows, rate=0.3):
    """Cells replaced by cells of the same column in other rows of the batch."""
    donors = torch.randint(len(rows), rows.shape, device=rows.device)
    replaced = torch.rand(rows.shape, device=rows.device) < rate
    return torch.where(replaced, rows.gather(0, donors), rows)


def nt_xent(projections, temperature=0.5):
    views = F.normalize(projections, dim=1)
    similarity = (views @ views.T / temperature).fill_diagonal_(float("-inf"))
    positives = torch.arange(len(views), device=views.device).roll(len(views) // 2)
    return F.cross_entropy(similarity, positives)


def floor(code_width):
    """A contender: the matrix products of training and the optimiser's update, nothing else.

    Forward and backward but not the gradient of the rows, into outputs allocated beforehand, and
    fused Adam on one flat vector: no batches are gathered, no activation or loss is computed.
    """

    @torch.no_grad()
    def fit(table, epochs, seed, device):
        n_columns, batches = table.n_columns, n_batches(table.n_rows)
        size = math.ceil(table.n_rows / batches)
        layers = [(n_columns, HIDDEN), (HIDDEN, code_width), (LATENT, HIDDEN), (HIDDEN, n_columns)]
        n_weights = sum((n_in + 1) * n_out for n_in, n_out in layers)  # with biases
        flat = nn.Parameter(torch.randn(n_weights, device=device))
        flat.grad = torch.zeros_like(flat)
        # A learning rate of 0 costs as much as any other and keeps the numbers in range.
        optimizer = torch.optim.Adam([flat], lr=0.0, fused=True)
        weights, gradients = _matrices(flat.detach(), layers), _matrices(flat.grad, layers)
        normal = partial(torch.randn, device=device)
        inputs = [normal(size, n_in) for n_in, _ in layers]
        outputs = [normal(size, n_out) for _, n_out in layers]
        deltas = [normal(size, n_out) for _, n_out in layers]
        returned = [normal(size, n_in) for n_in, _ in layers]
        products = [(x, w.T, y) for x, w, y in zip(inputs, weights, outputs, strict=True)]
        for layer in reversed(range(len(layers))):
            products.append((deltas[layer].T, inputs[layer], gradients[layer]))
            if layer:  # the rows need no gradient
                products.append((deltas[layer], weights[layer], returned[layer]))
        for _ in range(epochs * batches):
            for left, right, out in products:
                torch.mm(left, right, out=out)
            optimizer.step()
        return lambda: None

    return fit


def _matrices(flat, layers):
    """Views of a flat vector as the weights of the layers."""
    sizes = [n_in * n_out for n_in, n_out in layers]
    parts = flat[: sum(sizes)].split(sizes)
    return [part.view(n_out, n_in) for part, (n_in, n_out) in zip(parts, layers, strict=True)]
