"""What the docstrings of the three transformers have in common."""

TRAINING_PARAMETERS = """\
image_shape : tuple of int, default=None
        (channels, height, width) where rows are images: flat rows of that many pixels, or arrays of
        shape (n, channels, height, width), in any range. The networks are then convolutional ones,
        augmentations see images of shape (n, channels, height, width) with pixels between 0 and 1,
        ``hidden_layer_sizes`` and ``activation`` are not used, and ``encoder`` may take images or
        flat rows.
    vocabulary_size : int, default=None
        Where rows are sequences of token ids: whole numbers below it, 0 for padding. The networks
        are then those of tokens (:class:`~sklearn_replearn.modules.TokenEncoder`), augmentations
        and a given ``encoder`` see ids (int64), and ``hidden_layer_sizes`` and ``activation`` are
        not used. The id ``vocabulary_size`` itself stands for a masked token: an encoder must know
        it, too.
    categorical_features : "from_dtype", array-like of bool, int or str, or None, \
default="from_dtype"
        Columns of numbers that are categories, as a mask, by number or by name. Columns of strings
        and of a categorical dtype are categories anyway; "from_dtype" and None add none.
    scaling : {"auto", "standard", "robust", "quantile", "minmax"}, transformer or None, \
default="auto"
        How columns of numbers are scaled inside. "auto" is "standard" (mean 0, standard deviation
        1), "quantile" for heavy-tailed columns (and in VAETransformer beside categories), and None
        where the decoder takes columns within [0, 1]. "quantile" maps each column to a normal
        distribution by its ranks. A transformer of
        scikit-learn must have an ``inverse_transform``, keep the number of columns and scale each
        by itself. Pixels of images have one scale, to 0 and 1 by their range: "auto", or None where
        they are so already; tokens have none: "auto" or None.
    max_epochs : int or "auto", default="auto"
        Passes over the rows. "auto" takes as many as give about 1000 updates, at least 5 and at
        most 500.
    batch_size : int, default=256
        Rows in a batch. Batches of an epoch are of nearly equal size.
    lr : float or "auto", default="auto"
        Learning rate. "auto" is 5e-3; 2e-3 for tables with categories, for sparse counts, for
        images and for tokens; and 2e-2 for linear maps (``hidden_layer_sizes=()``).
    lr_schedule : {"cosine"} or None, default="cosine"
        Whether the learning rate rises over the first twentieth of the updates and then falls to
        zero along half a cosine. For others give None here, and ``skorch.callbacks.LRScheduler``
        among the ``callbacks``.
    optimizer : {"adamw", "adam", "sgd"} or class, default="adamw"
        A class is one of ``torch.optim``'s, or is called like one.
    optimizer_params : dict, default=None
        Further arguments of the optimizer.
    weight_decay : float, default=0.0
        Of the optimizer: added to the gradient in proportion to the weights ("adam", "sgd"), or
        taken from the weights directly ("adamw").
    gradient_clip : float or None, default=None (10.0 for VAETransformer)
        Largest norm of the gradient of each part (encoder, decoder, heads).
    early_stopping : bool, default=False
        Whether to hold out rows, to stop when their loss no longer falls, and to keep the weights
        of the best epoch.
    validation_fraction : float, default=0.1
        Share of the rows held out; used with ``early_stopping`` only.
    n_iter_no_change : int or "auto", default="auto"
        Epochs without improvement by ``tol`` after which training stops, counted from where the
        learning rate and the weight of the KL have risen. "auto" is a fifth of ``max_epochs``, at
        least 10.
    tol : float, default=1e-4
        In units of the loss.
    warm_start : bool, default=False
        Whether ``fit`` goes on from the last fit: its columns, weights and optimizer. The stored
        state then holds the objective's heads and the optimizer's state, too.
    callbacks : list of skorch callbacks, default=None
        Copied before they are used. Fits with callbacks go through skorch's and torch's general
        machinery, as callbacks may look at anything and change it: they take longer, and differ in
        the last bits.
    device : str, default="auto"
        "auto" is the GPU where there is one, else the CPU; otherwise a name such as "cuda:1".
    random_state : int, RandomState instance or None, default=0
        Seed of the one generator that a fit draws from. An int gives the same model each time,
        None another one each time.
    verbose : int, default=0
        1 prints a line an epoch."""

ATTRIBUTES = """\
n_features_in_ : int
        Number of columns seen in fit.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, if they all had one that is a string.
    n_iter_ : int
        Epochs trained.
    history_ : DataFrame
        A row an epoch: ``train_loss``, each named term of the objective for training rows and
        (with ``early_stopping``) validation rows, and ``seconds``. ``reconstruction`` is the error
        per cell (per count for counts of a sparse matrix); for VAETransformer, minus the
        log-likelihood of the scaled row in nats; for ContrastiveTransformer it is the decoder's and
        no part of the loss. A stored model keeps at most 2000 numbers of the history, evenly
        spaced, and no seconds.
    loss_curve_ : list of float
        ``history_["train_loss"]``.
    network_ : torch.nn.Module
        A copy of the trained network, on the CPU."""


def documented(cls):
    """Fill the parts that the three docstrings have in common."""
    if cls.__doc__:
        cls.__doc__ = cls.__doc__.replace("{training}", TRAINING_PARAMETERS)
        cls.__doc__ = cls.__doc__.replace("{attributes}", ATTRIBUTES)
    return cls
