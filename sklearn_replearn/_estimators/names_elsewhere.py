"""Names that are typed in other libraries, and what to type here: a table for each estimator.

They are those of scikit-learn's PCA, MLP, detectors and imputers, UMAP, PyOD, SDV, skorch, pythae,
Keras and torch, as their documentation has them.
"""


def _by_name(table: dict[str, str]) -> dict[str, str]:
    """A table whose keys are several names each, as one whose keys are names."""
    return {name: sentence for names, sentence in table.items() for name in names.split()}


# Parameters of the transformers: an example, what they are, what they are called elsewhere.
_PARAMETERS = {
    "latent_dim": (
        "8",
        "The number of columns of the code",
        "n_components n_components_ n_latent latent_size z_dim encoding_dim embedding_dim",
    ),
    "max_epochs": (
        "100",
        "The number of passes over the rows",
        "epochs n_epochs num_epochs epoch_num max_iter n_iter",
    ),
    "lr": ("1e-3", "The learning rate", "learning_rate learning_rate_init"),
    "batch_size": ("256", "The number of rows in a batch", "batch per_device_train_batch_size"),
    "hidden_layer_sizes": (
        "(128, 64)",
        "The list of widths of the hidden layers, which the decoder has in reverse,",
        "hidden_sizes hidden_dim hidden_dims hidden_units hidden_layers hidden_neurons "
        "hidden_neuron_list encoder_neurons encoder_neuron_list encoder_layer_sizes "
        "encoder_layers decoder_neurons decoder_neuron_list decoder_layer_sizes compress_dims "
        "decompress_dims layers",
    ),
    "activation": (
        '"relu"',
        "The activation between layers",
        "hidden_activation hidden_activation_name",
    ),
    "optimizer": ('"adam"', "The optimizer", "solver optimizer_name optimizer_cls"),
    "weight_decay": ("1e-4", "The weight of the L2 penalty", "l2_regularizer l2scale"),
    "device": (
        '"cuda"',
        "Where the network is, by default on a GPU if there is one,",
        "cuda use_gpu enable_gpu",
    ),
    "random_state": ("0", "The seed", "seed random_seed"),
    "n_iter_no_change": (
        "10, early_stopping=True",
        "The number of epochs without improvement after which training stops",
        "patience",
    ),
    "validation_fraction": (
        "0.1, early_stopping=True",
        "The share of the rows that is held out",
        "validation_split validation_size",
    ),
}


def _called(own: str) -> str:
    value, meaning, _ = _PARAMETERS[own]
    return f"{meaning} is {own}: {{cls}}({own}={value})."


_TRANSFORMER = _by_name(
    {
        **{names: _called(own) for own, (_, _, names) in _PARAMETERS.items()},
        "alpha": _called("weight_decay"),
        "dropout dropout_rate batch_norm": "Networks with layers of your choice are given as "
        "encoder and decoder: modules of torch, or callables that build them from two widths, "
        "{cls}(encoder=lambda n_in, n_out: torch.nn.Sequential(torch.nn.Dropout(0.2), "
        "torch.nn.Linear(n_in, n_out))).",
        "standardize normalize scaling scaler preprocessing": "Columns are scaled inside, as rows "
        'says: {cls}(rows=Table(scaling="standard")), with Table from sklearn_replearn.rows.',
        "categorical_features cat_features discrete_columns": "Columns of strings and of a "
        "categorical dtype are categories by themselves; which numbers are, says rows: "
        "{cls}(rows=Table(categorical_features=[0])), with Table from sklearn_replearn.rows.",
        "n_jobs num_workers": "A fit is one process; several run side by side in a search, "
        'GridSearchCV({cls}(), {{"latent_dim": [2, 8]}}, n_jobs=2).',
        "input_dim n_features input_shape metadata": "Columns and what they hold are learned by "
        "fit(X): leave it out.",
        "validation_data eval_set": "Rows that judge each epoch are given to fit: fit(X, "
        "X_val=X_val).",
        "contamination fit_predict decision_function decision_scores_ labels_ threshold_": (
            "Anomalies are called by a detector that asks the transformer: "
            "OutlierDetector({cls}(), contamination=0.05)."
        ),
        "predict predict_proba": "Codes are transform(X); labels are predicted from them by "
        "EncoderClassifier({cls}()) or EncoderRegressor({cls}()).",
        "encode embed embedding_": "Codes are transform(X), those of the training rows too.",
        "decode": "Codes are decoded by inverse_transform(codes).",
        "reconstruct": "Rows go there and back by inverse_transform(transform(X)).",
        "module model": "Networks of your own are given as encoder and decoder; the one that fit "
        "has trained is network_.",
        "components_ coefs_ intercepts_ module_ parameters state_dict encoder_": (
            "What fit has learned are the weights of a network of torch: network_.state_dict(); "
            "from rows to codes it is encoder_module()."
        ),
        "explained_variance_ explained_variance_ratio_ singular_values_": "Codes share out no "
        "variance; how well rows come back says reconstruction_error(X), and how many columns of "
        "the codes differ effective_rank(codes) of sklearn_replearn.metrics.",
        "loss_ history losses get_loss_values": "Losses of all epochs are in history_, those of "
        "training are loss_curve_, the last of them loss_curve_[-1].",
        "best_loss_ best_validation_score_ validation_scores_": "With early_stopping=True or "
        'X_val in fit the losses of rows held out are history_["valid_loss"].',
        "save save_model": "Models are saved by sklearn_replearn.save(estimator, "
        '"model.safetensors").',
        "to": 'The device is a parameter: {cls}(device="cpu"), also after fit: '
        'set_params(device="cpu").',
    }
)

_ONLY_VAE = _by_name(
    {
        "beta kl_weight kld_weight kl_warmup likelihood prior density posterior elbo_terms": (
            "Only VAETransformer has a posterior, a prior and a likelihood: "
            "VAETransformer(beta=1.0)."
        ),
        "sample generate": "It knows no distribution of rows; new ones are drawn by "
        "VAETransformer().fit(X).sample(n_samples=10).",
    }
)

AUTOENCODER = _by_name(
    {
        **_TRANSFORMER,
        **_ONLY_VAE,
        "noise noise_std noise_level denoising augmentation": "What makes it a denoising "
        "autoencoder is corruption: {cls}(corruption=GaussianNoise(0.1)), with GaussianNoise from "
        "sklearn_replearn.augmentations.",
        "criterion loss_fn loss_function reconstruction_loss objective": "The loss is called "
        'loss: {cls}(loss="mse").',
        "l1 sparsity_weight": "What makes it a sparse autoencoder is sparsity: "
        "{cls}(sparsity=L1Sparsity(1e-3)), with L1Sparsity from sklearn_replearn.objectives.",
        "temperature": "Views are contrasted by "
        "ContrastiveTransformer(objective=NTXent(temperature=0.5)), with NTXent from "
        "sklearn_replearn.objectives.",
    }
)

VAE = _by_name(
    {
        **_TRANSFORMER,
        "seed random_seed": "The seed of a fit is random_state: {cls}(random_state=0); that of "
        "rows drawn is sample(n_samples=100, random_state=0).",
        "kl_weight kld_weight": "The weight of the divergence from the prior is beta: "
        "{cls}(beta=1.0).",
        "kl_anneal kl_annealing kl_anneal_epochs warmup_epochs": "The weight of the divergence "
        "rises over a share of the updates, kl_warmup: {cls}(kl_warmup=0.1).",
        "capacity": "The divergence is held at a number of nats by an objective: "
        "{cls}(objective=CapacityELBO(capacity=5.0)), with CapacityELBO from "
        "sklearn_replearn.objectives.",
        "loss criterion loss_fn loss_function reconstruction_loss": "What a decoded cell is "
        'compared by is its likelihood: {cls}(likelihood="gaussian").',
        "corruption noise augmentation": "Rows are corrupted by "
        "AutoencoderTransformer(corruption=SwapNoise(0.3)), with SwapNoise from "
        "sklearn_replearn.augmentations.",
        "sparsity": "Sparse codes have AutoencoderTransformer(sparsity=L1Sparsity(1e-3)), with "
        "L1Sparsity from sklearn_replearn.objectives.",
        "num_rows n_rows num_samples size generate fit_resample": "Rows are drawn by "
        "sample(n_samples=100).",
        "conditions sample_from_conditions sample_remaining_columns": "What cells shall be is "
        'given to sample: sample(n_samples=100, given={{"city": "Oslo"}}).',
        "log_prob log_likelihood elbo": "Log-likelihoods of rows are score_samples(X), their "
        "bounds and parts elbo_terms(X).",
    }
)

CONTRASTIVE = _by_name(
    {
        **_TRANSFORMER,
        **_ONLY_VAE,
        "temperature tau": "The temperature is the objective's: "
        "{cls}(objective=NTXent(temperature=0.5)), with NTXent from sklearn_replearn.objectives.",
        "projection_dim proj_dim projector_sizes": "The projector is the objective's: "
        "{cls}(objective=NTXent(projector_sizes=(128, 64))), with NTXent from "
        "sklearn_replearn.objectives.",
        "loss criterion loss_fn loss_function": "What is minimised is the objective: "
        "{cls}(objective=NTXent()), with NTXent from sklearn_replearn.objectives.",
        "augmentations transforms views corruption corruption_rate noise": "Views are made by "
        "augmentation: {cls}(augmentation=SwapNoise(0.3)), with SwapNoise from "
        "sklearn_replearn.augmentations.",
    }
)


def _of_a_part(transformer: str, *, but: tuple[str, ...] = ()) -> dict[str, str]:
    """Parameters of a transformer, for an estimator that has one, but for those it has itself."""
    return {
        f"{own} {names}": "It is a parameter of the transformer: "
        f"{{cls}}({transformer}({own}={value}))."
        for own, (value, _, names) in _PARAMETERS.items()
        if own not in but
    }


DETECTOR = _by_name(
    {
        **_of_a_part("VAETransformer", but=("random_state",)),
        "seed random_seed": _called("random_state"),
        "decision_scores_ decision_scores anomaly_scores outlier_scores": "Scores are of the rows "
        "that are asked for, and higher for normal ones; those of PyOD, higher for anomalies, are "
        "-detector.score_samples(X).",
        "threshold_": "score_samples below offset_ is anomalous; the threshold of "
        "-score_samples(X), as PyOD has it, is -detector.offset_.",
        "labels_": "detector.predict(X) is -1 for anomalies and 1 for normal rows; PyOD's 1 and 0 "
        "are (detector.predict(X) == -1).astype(int).",
        "predict_proba predict_confidence": "How likely a normal row is to be as anomalous says "
        "detector.p_values(X).",
        "negative_outlier_factor_": "Scores of rows, lower for anomalies, are "
        "detector.score_samples(X).",
        "feature_importances_ shap_values": "Which cells make a row anomalous say "
        "detector.explain(X), in nats, and detector.top_reasons(X), in words.",
        "threshold nu fpr false_alarm_rate": "The share of normal rows that is called anomalous "
        "is alpha: {cls}(alpha=0.05); of training rows with anomalies among them it is "
        "contamination.",
        "n_estimators max_samples n_neighbors": "The default judges have no such setting; another "
        "detector is given as the estimator: {cls}(IsolationForest(n_estimators=100)).",
        "base_estimator base_estimators detectors": "A detector to ask is the estimator, several "
        "are judges: {cls}(judges=[NearestDistance(), PairDensity()]), both from "
        "sklearn_replearn.outliers.",
        "preprocessing standardize normalize scaler": "Judges scale columns for themselves: leave "
        "it out.",
        "n_jobs": "A fit is one process: leave it out.",
    }
)

_PREDICTOR = _by_name(
    {
        **_of_a_part("AutoencoderTransformer"),
        "encoder": "What learns codes is the transformer: "
        "{cls}(transformer=AutoencoderTransformer()).",
        "base_estimator classifier regressor head model": "What predicts from codes is the "
        "estimator: {cls}(estimator=None) is a linear one.",
        "alpha C": "The penalty on the head's weights is a parameter of the estimator, such as "
        "Ridge(alpha=1.0) or LogisticRegression(C=1.0).",
        "finetune fine_tuning": 'Fine-tuning is fine_tune: {cls}(fine_tune="full").',
        "transform encode": "Codes are transformer_.transform(X).",
        "coef_ intercept_ feature_importances_": "The fitted head, with its coefficients, is "
        "estimator_.",
        "loss_curve_ loss_": "Losses of training are transformer_.loss_curve_.",
        "network_ module_": "The network is transformer_.network_.",
        "n_jobs": "A fit is one process: leave it out.",
    }
)

CLASSIFIER = _PREDICTOR

REGRESSOR = _by_name(
    {
        **_PREDICTOR,
        "class_weight predict_proba decision_function classes_": "Classes are predicted by "
        "EncoderClassifier(AutoencoderTransformer()).",
    }
)

IMPUTER = _by_name(
    {
        **_of_a_part("VAETransformer"),
        "strategy initial_strategy n_neighbors n_nearest_features imputation_order": (
            "All cells are filled from the code of their row, which is the transformer's: "
            "{cls}(VAETransformer(latent_dim=8))."
        ),
        "sample_posterior": "Several filled tables are drawn by a transformer: "
        "VAETransformer().fit(X).impute(X, n_draws=5).",
        "missing_values": "Missing cells are NaN, None, NaT or NA: give X.replace(-999, np.nan).",
        "statistics_ initial_imputer_": "What fills cells is the transformer, estimator_.",
        "indicator_": "Columns with missing cells in fit are indicated_.",
        "impute predict": "Cells are filled by transform(X).",
        "loss_curve_ history_": "Losses of training are estimator_.history_.",
    }
)
