# pyright: strict
"""Public names, used: read by type checkers in strict mode, never run."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from sklearn_replearn import (
    AutoencoderTransformer,
    ContrastiveTransformer,
    EncoderClassifier,
    EncoderRegressor,
    OutlierDetector,
    RepresentationImputer,
    VAETransformer,
    augmentations,
    losses,
    metrics,
    modules,
    objectives,
    outliers,
    priors,
    rows,
)
from sklearn_replearn.densities import Autoregressive
from sklearn_replearn.inspection import (
    CodeDependenceDisplay,
    HistoryDisplay,
    LatentDimDisplay,
    LatentMapDisplay,
    PValueDisplay,
    ReasonsDisplay,
    ReconstructionDisplay,
    SampleDisplay,
    TraversalDisplay,
    code_dependence,
    code_traversal,
)
from sklearn_replearn.likelihoods import Gaussian, Likelihood
from sklearn_replearn.model_selection import StackedSearchCV
from sklearn_replearn.onnx import inputs_for, to_onnx


def optimizer(weights: Any, lr: float) -> Any:
    return [weights, lr]


X: NDArray[np.float64] = np.zeros((20, 3))
vae = VAETransformer(
    4,
    beta=2,
    likelihood={"a": "student_t", 1: Gaussian},
    prior=priors.Mixture(4),
    density=Autoregressive(n_components="auto"),
    objective=objectives.IWAE(n_samples=4),
    hidden_layer_sizes=(32, 16),
    max_epochs=20,
    lr=1e-3,
    optimizer=optimizer,
    callbacks=[],
    device=torch.device("cpu"),
    random_state=np.random.RandomState(0),
).fit(X, sample_weight=[1.0] * 20)
codes = vae.transform(X)
print(codes.shape, codes[:, 0].mean(), vae.fit_transform(X), vae.get_params()["beta"])
print(vae.set_output(transform="pandas").set_params(beta=1.0))
print(vae.history_["train_kl"].tail(1), vae.loss_curve_[0], vae.n_iter_ + 1, vae.n_features_in_)
scores = vae.score_samples(X)
print(scores.mean(), vae.score(X) + 1.0, vae.measures_)
both, std = vae.score_samples(X, return_std=True)
mean, deviation = vae.posterior(X)
print(both[0], std[0], mean.shape, deviation.shape, vae.elbo_terms(X).shape)
drawn = vae.sample(5, random_state=0, given={"a": (0.0, None)}, missing="as_fit")
print(drawn, vae.impute(X, n_draws=5, random_state=0), vae.interpolate(X[0], X[1]))
print(vae.encoder_module()(torch.zeros(1, 3)), vae.decoder_module(), vae.to_numbers(X).mean())
search = StackedSearchCV(vae, {"latent_dim": [2, 4]}, cv=3, refit=False).fit(X)
print(search.n_stacked_ + 1)
print(vae.traverse(X[0], 1, width=3), vae.reconstruction_error(X)[0, 0], vae.network_)

autoencoder = AutoencoderTransformer(
    hidden_layer_sizes=64,
    activation="relu",
    encoder=nn.Linear(3, 2),
    decoder=lambda n_in, n_out: nn.Linear(n_in, n_out),
    corruption=augmentations.SwapNoise(0.2),
    sparsity=objectives.TopKSparsity(4),
    loss="mse",
    rows=rows.Images((1, 8, 8), scaling=None),
    lr_schedule=None,
    gradient_clip=1,
    n_iter_no_change=5,
)
contrastive = ContrastiveTransformer(
    objective=objectives.NTXent(temperature=0.2, queue_size=256),
    augmentation=(augmentations.CutMix(), augmentations.Identity()),
    reconstruction_weight="auto",
    rows=rows.Tokens(100),
).fit(X, groups=[0] * 20, times=None)
print(contrastive.info_nce_bits(X) + 1.0)

classifier = EncoderClassifier(contrastive, fine_tune="full", class_weight="balanced").fit(
    X, [0, 1]
)
print(classifier.predict(X)[0], classifier.predict_proba(X).shape, classifier.classes_)
print(classifier.score(X, [0, 1]) + 1.0, classifier.decision_function(X).shape)
print(EncoderRegressor(autoencoder, passthrough=True).fit(X, [0.5, 1.0]).predict(X).mean())
print(RepresentationImputer(vae, add_indicator=True).fit(X).get_feature_names_out())


class Far(outliers.Judge):
    def statistic(self, rows: outliers.Observations) -> NDArray[np.float64]:
        return np.abs(rows.points()).sum(axis=1)


detector = OutlierDetector(judges=[outliers.NearestDistance("quantile"), Far()], alpha=0.01).fit(X)
print(detector.predict(X).sum(), detector.p_values(X, ties="random").min(), detector.offset_ + 1)
print(detector.predict_at(X, 0.1, control="fdr")[0], detector.explain(X).sum())
print(detector.top_reasons(X, n=2).iloc[0].to_list(), detector.decision_function(X).max())

print(metrics.effective_rank(codes) + 1, metrics.dci(codes, X).completeness + 1)
print(metrics.procrustes_r2(codes, codes, X), metrics.linear_probe(codes, [0, 1], codes, [0, 1]))
print(losses.nt_xent(torch.eye(2), torch.eye(2), temperature=0.5).item())
print(modules.mlp((3, 4, 2), "silu", torch.Generator())(torch.zeros(1, 3)))
joint, marginals = losses.log_aggregate_posterior(torch.eye(2), torch.eye(2), torch.eye(2), 10)
print(joint.sum(), marginals.sum())


class Close(objectives.Objective):
    def terms(
        self, network: Any, heads: Any, batch: Any, generator: torch.Generator
    ) -> dict[str, torch.Tensor]:
        return {"gap": (network.code(batch.left) - network.code(batch.right)).square().mean()}


class Laplace(Likelihood):
    def cell_log_prob(self, x: torch.Tensor, output: torch.Tensor) -> torch.Tensor:
        return -(x - output).abs()


class Noisy(rows.Rows):
    hidden_layer_sizes = None
    padded = ("latent_dim",)
    n_decoded = 64

    def augmentation(self) -> augmentations.GaussianNoise:
        return augmentations.GaussianNoise(0.2)


anything: Mapping[str, object] = {"prior": priors.VampPrior(), "steps": augmentations.Compose([])}

model = to_onnx(vae, X, method="inverse_transform")
print(model.graph, inputs_for(model, X)["X"].shape)

history = HistoryDisplay.from_estimator(vae).plot(alpha=0.5)
print(history.kept_epoch, history.train["loss"], HistoryDisplay.from_predictions(vae.history_))
latent_map = LatentMapDisplay.from_estimator(vae, X, [0] * 20, beside="pca", subsample=None)
print(latent_map.points, LatentMapDisplay.from_predictions(codes, method="umap").axis_names)
cells = ReconstructionDisplay.from_estimator(autoencoder, X, image_shape=(1, 3), n_rows=4)
print(cells.original, ReconstructionDisplay.from_predictions(X, X, error=X).error)
pairs = SampleDisplay.from_estimator(vae, X, n_samples=5, kind="pairs", columns=[("x0", "x1")])
print(pairs.marginals["x0"].distance, pairs.associations[0], SampleDisplay.from_predictions(X, X))
shares = code_dependence(vae, X, groups={"both": [0, 1]}, n_repeats=2, random_state=None)
print(CodeDependenceDisplay.from_predictions(shares).dependence.max(), code_traversal(vae, X))
print(CodeDependenceDisplay.from_estimator(vae, X, max_features=3).features[0].upper())
print(TraversalDisplay.from_estimator(vae, X, codes=[0], image_shape=(1, 3)).deviations.sum())
print(ReasonsDisplay.from_estimator(detector, X, [1, -1], max_columns=3).contributions.sum())
print(PValueDisplay.from_estimator(detector, X).share_below([0.1]).max())
print(LatentDimDisplay.from_predictions([2, 4], [[0.1], [0.2]]).standard_errors.mean())
