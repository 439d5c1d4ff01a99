"""What type checkers must refuse, a slip a line; read by them, never run."""

from sklearn_replearn import AutoencoderTransformer, OutlierDetector, VAETransformer
from sklearn_replearn.augmentations import SwapNoise
from sklearn_replearn.metrics import effective_rank

VAETransformer(latent_dim="32")
VAETransformer(likelihood="gausian")
AutoencoderTransformer(max_epochs="many")
AutoencoderTransformer(early_stoping=True)
OutlierDetector().fit([[0.0]]).predict_at([[0.0]], 0.1, control="none")
VAETransformer().score_samples([[0.0]], return_std=True).mean()
SwapNoise(p="0.1")
effective_rank([[0.0]]).mean()
