"""What speed.py compares: our transformers, loops written by hand, other packages, and the floor.

A contender is a function ``fit(table, epochs, seed, device)``. It does all that a user of it pays
for and returns a function without arguments that gives the final loss, or None where there is none;
that one is called after the clock has stopped. Loops by hand and packages that do not scale columns
themselves are given standardised float32 rows, which they get for nothing.
"""

import logging
import math
import os
import tempfile
import warnings
from collections import deque
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from functools import cached_property, partial
from itertools import pairwise

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

from sklearn_replearn import AutoencoderTransformer, ContrastiveTransformer, VAETransformer
from sklearn_replearn.augmentations import GaussianNoise, Identity, MaskFeatures, SwapNoise

HIDDEN, LATENT, BATCH, LR = 256, 16, 256, 1e-3
OURS, BARE, FLOOR = "ours", "bare loop", "floor"
_FACTORS, _CURVES, _NOISE = 12, 64, 0.3


# ------------------------------------------------------------------------- the rows


def make_rows(n_rows, n_columns):
    """Low-rank nonlinear structure and noise, in units that differ by column; float32, C order."""
    generator = np.random.default_rng(0)
    inner = generator.normal(size=(_FACTORS, _CURVES)) / math.sqrt(_FACTORS)
    outer = generator.normal(size=(_CURVES, n_columns)) / math.sqrt(_CURVES)
    unit = 10.0 ** generator.uniform(-2, 3, size=n_columns)
    centre = generator.normal(size=n_columns)
    rows = np.empty((n_rows, n_columns), np.float32)
    for start in range(0, n_rows, 4096):  # little memory beside the table
        part = rows[start : start + 4096]
        structure = np.tanh(generator.normal(size=(len(part), _FACTORS)) @ inner) @ outer
        part[:] = unit * (centre + structure + _NOISE * generator.normal(size=part.shape))
    return rows


def standardise(rows):
    """Mean 0 and deviation 1 for each column, in place."""
    mean, deviation = rows.mean(0, dtype=np.float64), rows.std(0, dtype=np.float64)
    for start in range(0, len(rows), 4096):
        part = rows[start : start + 4096]
        part[:] = (part - mean) / deviation
    return rows


class Table:
    """The same rows as a user has them (``raw``) and standardised (``scaled``)."""

    def __init__(self, n_rows, n_columns):
        self.n_rows, self.n_columns = n_rows, n_columns

    @cached_property
    def raw(self):
        return make_rows(self.n_rows, self.n_columns)

    @cached_property
    def scaled(self):
        return standardise(self.raw.copy())


def n_batches(n_rows):
    return math.ceil(n_rows / BATCH)


# ------------------------------------------------------------------------- ours


def estimator_of_ours(cls, epochs, seed, device, **parameters):
    """A transformer with the architecture and the training that all contenders have."""
    return cls(
        LATENT,
        hidden_layer_sizes=(HIDDEN,),
        activation="relu",
        optimizer="adam",
        lr=LR,
        lr_schedule=None,
        max_epochs=epochs,
        batch_size=BATCH,
        device=device,
        random_state=seed,
        **parameters,
    )


def ours(cls, **parameters):
    """A contender: one of our transformers on the raw rows."""

    def fit(table, epochs, seed, device):
        estimator = estimator_of_ours(cls, epochs, seed, device, **parameters)
        return LossOfOurs(estimator.fit(table.raw), table)

    return fit


class LossOfOurs:
    """Gives the final loss; knows how many seconds of fit were spent in epochs."""

    def __init__(self, estimator, table):
        self.estimator, self.table = estimator, table
        self.seconds_in_epochs = float(estimator.history_["seconds"].sum())

    def __call__(self):
        if isinstance(self.estimator, ContrastiveTransformer):
            return float(self.estimator.history_["train_loss"].iloc[-1])
        # In parts, because a table of errors in float64 takes twice the memory of the rows.
        return _mean_over_parts(self._mean_error, self.table.n_rows)

    def _mean_error(self, part):
        return self.estimator.reconstruction_error(self.table.raw[part]).mean()


# ------------------------------------------------------------------------- loops by hand


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


def squared_error(reconstruct, table, device):
    """Mean over all cells of the training rows, in standardised units."""

    @torch.no_grad()
    def of_part(part):
        rows = torch.from_numpy(table.scaled[part]).to(device)
        return float(F.mse_loss(reconstruct(rows), rows))

    return _mean_over_parts(of_part, table.n_rows)


def _mean_over_parts(function, n_rows, size=50_000):
    starts = range(0, n_rows, size)
    lengths = [min(size, n_rows - start) for start in starts]
    means = [function(slice(start, start + size)) for start in starts]
    return float(np.average(means, weights=lengths))


# ------------------------------------------------------------------------- the floor


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


# ------------------------------------------------------------------------- other packages


@contextmanager
def quiet():
    """Their warnings, progress bars and logs are not what is compared here."""
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), open(os.devnull, "w") as nowhere:
            warnings.simplefilter("ignore")
            with redirect_stdout(nowhere), redirect_stderr(nowhere):
                yield
    finally:
        logging.disable(logging.NOTSET)


def skorch_regressor(n_columns, epochs, device):
    """As it comes: a fifth of the rows is held out, and losses are recorded batch by batch."""
    from skorch import NeuralNetRegressor

    return NeuralNetRegressor(
        autoencoder,
        module__n_columns=n_columns,
        optimizer=torch.optim.Adam,
        lr=LR,
        max_epochs=epochs,
        batch_size=BATCH,
        device=device,
        verbose=0,
    )


@quiet()
def skorch_autoencoder(table, epochs, seed, device):
    net = skorch_regressor(table.n_columns, epochs, device).fit(table.scaled, table.scaled)
    return partial(squared_error, net.module_.eval(), table, device)


def pyod_detector(epochs, seed, device, latent_dim=LATENT):
    """With its own scaling, and without the normalisation and dropout that it has by default."""
    from pyod.models.auto_encoder import AutoEncoder

    return AutoEncoder(
        hidden_neuron_list=[HIDDEN, latent_dim],
        batch_norm=False,
        **_pyod_settings(epochs, seed, device),
    )


def _pyod_settings(epochs, seed, device):
    return {
        "dropout_rate": 0.0,
        "lr": LR,
        "epoch_num": epochs,
        "batch_size": BATCH,
        "device": torch.device(device),
        "random_state": seed,
        "verbose": 0,
    }


@quiet()
def pyod_autoencoder(table, epochs, seed, device):
    detector = pyod_detector(epochs, seed, device).fit(table.raw)
    return partial(squared_error, detector.model, table, device)


@quiet()
def pyod_vae(table, epochs, seed, device):
    from pyod.models.vae import VAE

    detector = VAE(
        encoder_neuron_list=[HIDDEN],
        decoder_neuron_list=[HIDDEN],
        latent_dim=LATENT,
        **_pyod_settings(epochs, seed, device),
    ).fit(table.raw)
    model = detector.model
    return partial(squared_error, lambda x: model.decode(model.encode(x)[0]), table, device)


@quiet()
def pythae_autoencoder(table, epochs, seed, device):
    from pythae.models import AE, AEConfig

    encoder, decoder = _pythae_coders(table.n_columns, variational=False)
    config = AEConfig(input_dim=(table.n_columns,), latent_dim=LATENT)
    model = _pythae_trained(AE(config, encoder, decoder), table, epochs, seed, device)
    return partial(
        squared_error, lambda x: model.decoder.layers(model.encoder.layers(x)), table, device
    )


@quiet()
def pythae_vae(table, epochs, seed, device):
    from pythae.models import VAE, VAEConfig

    encoder, decoder = _pythae_coders(table.n_columns, variational=True)
    config = VAEConfig(input_dim=(table.n_columns,), latent_dim=LATENT)
    model = _pythae_trained(VAE(config, encoder, decoder), table, epochs, seed, device)
    return partial(
        squared_error,
        lambda x: model.decoder.layers(model.encoder.layers(x)[:, :LATENT]),
        table,
        device,
    )


def _pythae_coders(n_columns, variational):
    """Its own default is another architecture, with a sigmoid at the end."""
    from pythae.models.base.base_utils import ModelOutput
    from pythae.models.nn import BaseDecoder, BaseEncoder

    class Encoder(BaseEncoder):
        def __init__(self):
            super().__init__()
            self.layers = mlp(n_columns, HIDDEN, 2 * LATENT if variational else LATENT)

        def forward(self, x):
            if not variational:
                return ModelOutput(embedding=self.layers(x))
            mean, log_variance = self.layers(x).chunk(2, dim=1)
            return ModelOutput(embedding=mean, log_covariance=log_variance)

    class Decoder(BaseDecoder):
        def __init__(self):
            super().__init__()
            self.layers = mlp(LATENT, HIDDEN, n_columns)

        def forward(self, code):
            return ModelOutput(reconstruction=self.layers(code))

    return Encoder(), Decoder()


def _pythae_trained(model, table, epochs, seed, device):
    from pythae.pipelines import TrainingPipeline
    from pythae.trainers import BaseTrainerConfig

    with tempfile.TemporaryDirectory() as folder:
        config = BaseTrainerConfig(
            output_dir=folder,
            num_epochs=epochs,
            learning_rate=LR,
            per_device_train_batch_size=BATCH,
            seed=seed,
            no_cuda=device == "cpu",
        )
        TrainingPipeline(model=model, training_config=config)(train_data=table.scaled)
    return model.eval()


def mlp_regressor(epochs, seed):
    from sklearn.neural_network import MLPRegressor

    return MLPRegressor(
        hidden_layer_sizes=(HIDDEN, LATENT, HIDDEN),
        activation="relu",
        solver="adam",
        learning_rate_init=LR,
        alpha=0.0,
        batch_size=BATCH,
        max_iter=epochs,
        tol=0.0,
        n_iter_no_change=10**9,
        random_state=seed,
    )


@quiet()
def sklearn_autoencoder(table, epochs, seed, device):
    regressor = mlp_regressor(epochs, seed).fit(table.scaled, table.scaled)

    def of_part(part):
        rows = table.scaled[part]
        return float(np.square(regressor.predict(rows) - rows).mean())

    return lambda: _mean_over_parts(of_part, table.n_rows)


@quiet()
def cebra(table, epochs, seed, device):
    from cebra import CEBRA

    CEBRA(
        model_architecture="offset1-model",
        num_hidden_units=HIDDEN,
        output_dimension=LATENT,
        batch_size=BATCH,
        learning_rate=LR,
        max_iterations=epochs * n_batches(table.n_rows),
        device=device,
        verbose=False,
    ).fit(table.scaled)
    return lambda: None


# ------------------------------------------------------------------------- who competes in what

_OUR_VAE = ours(VAETransformer, kl_warmup=0.0, gradient_clip=None)

JOBS = {
    "autoencoder": {
        BARE: bare_autoencoder,
        OURS: ours(AutoencoderTransformer),
        FLOOR: floor(LATENT),
        "bare loop, DataLoader": loader_autoencoder,
        "skorch": skorch_autoencoder,
        "PyOD": pyod_autoencoder,
        "pythae": pythae_autoencoder,
        "MLPRegressor": sklearn_autoencoder,
    },
    "vae": {
        BARE: bare_vae,
        OURS: _OUR_VAE,
        FLOOR: floor(2 * LATENT),
        "PyOD": pyod_vae,
        "pythae": pythae_vae,
    },
    "contrastive": {
        BARE: bare_contrastive,
        OURS: ours(ContrastiveTransformer),
        "ours, views as they are": ours(ContrastiveTransformer, augmentation=Identity()),
        "CEBRA": cebra,
    },
    "denoising": {
        OURS: ours(AutoencoderTransformer),
        "ours, SwapNoise": ours(AutoencoderTransformer, corruption=SwapNoise()),
        "ours, MaskFeatures": ours(AutoencoderTransformer, corruption=MaskFeatures()),
        "ours, GaussianNoise": ours(AutoencoderTransformer, corruption=GaussianNoise()),
    },
}

NOTES = {
    "autoencoder": [
        "skorch as it comes trains on four fifths of the rows and validates on the others.",
        "PyOD and MLPRegressor put a ReLU on the code, the others do not. PyOD scales the columns, "
        "as ours does, leaves out the last, smaller batch, and scores the training rows in fit.",
        "MLPRegressor always computes on the CPU.",
        "The floor has no loss: it is the matrix products of training and Adam, nothing else. Its "
        "widths are those of the network; at 30 columns ours computes with 32, which is quicker.",
    ],
    "vae": [
        "Loss: squared error of decoding the mean of the posterior.",
        "Ours and the bare loop learn a variance for each column. pythae fixes it at 1. PyOD's "
        "objective, as it comes (capacity=0), is the mean squared error with noise on the code, "
        "without the divergence.",
    ],
    "contrastive": [
        "Loss: NT-Xent in the last epoch.",
        "CEBRA does a job of its own (InfoNCE over neighbours in time, another network) for as "
        "many batches of as many rows; its loss does not compare.",
        "Views as they are: ours with Identity() for the augmentation, to see what that costs.",
    ],
    "denoising": ["Loss: squared error of decoding the rows as they are, after the fit."],
}
