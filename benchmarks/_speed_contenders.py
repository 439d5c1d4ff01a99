"""What speed.py compares: our transformers, loops written by hand, other packages, and the floor.

A contender is a function ``fit(table, epochs, seed, device)``. It does all that a user of it pays
for and returns a function without arguments that gives the final loss, or None where there is none;
that one is called after the clock has stopped. Loops by hand and packages that do not scale columns
themselves are given standardised float32 rows, which they get for nothing.
"""

from _speed_loops import (
    bare_autoencoder,
    bare_contrastive,
    bare_vae,
    floor,
    loader_autoencoder,
)
from _speed_packages import (
    cebra,
    pyod_autoencoder,
    pyod_vae,
    pythae_autoencoder,
    pythae_vae,
    sklearn_autoencoder,
    skorch_autoencoder,
)
from _speed_task import BATCH, HIDDEN, LATENT, LR, mean_over_parts

from sklearn_replearn import AutoencoderTransformer, ContrastiveTransformer, VAETransformer
from sklearn_replearn.augmentations import GaussianNoise, Identity, MaskFeatures, SwapNoise

OURS, BARE, FLOOR = "ours", "bare loop", "floor"


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
        return mean_over_parts(self._mean_error, self.table.n_rows)

    def _mean_error(self, part):
        return self.estimator.reconstruction_error(self.table.raw[part]).mean()


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
