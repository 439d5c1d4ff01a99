"""Other packages, with the network and the training that all contenders of speed.py have."""

import logging
import os
import tempfile
import warnings
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from functools import partial

import numpy as np
import torch
from _speed_loops import autoencoder, mlp
from _speed_task import BATCH, HIDDEN, LATENT, LR, mean_over_parts, n_batches, squared_error


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

    return lambda: mean_over_parts(of_part, table.n_rows)


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
