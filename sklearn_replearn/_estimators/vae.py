"""VAETransformer: variational autoencoders and β-VAE."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, overload

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted
from torch import nn

from .._runtime.parameters import SEED, Number, Whole, validated
from .._runtime.randomness import draw_seed, new_generator
from .._runtime.sklearn import StrOptions
from .._runtime.typing import Folder, Seed, TableLike
from .._scaling.cells import check_table_in_unit_interval
from .._tables.conditions import conditions_of
from .._tables.holes import with_holes
from .._tables.results import named_results
from .._tables.schema import table_of_row
from .._tables.validation import names_of
from ..densities import Autoregressive
from ..likelihoods import Bernoulli, Likelihood
from ..likelihoods.names import NAMED, Name
from ..modules import VariationalAutoencoder
from ..objectives.base import OBJECTIVE_OF_VAE, Objective
from ..priors import PRIOR, Prior
from ..rows.base import Rows
from .base import RepresentationTransformer
from .code_statistics import learn_variances
from .drawing import Drawing, DrawsInParts
from .importance import Draws, cells_from_posterior, drawn_codes
from .likelihood_bounds import N_FIGURES, bounds_of
from .minimised import asked_likelihoods, objective_of
from .names_elsewhere import VAE
from .row_density import STAGES, drawn_cells, expected_cells, log_likelihoods, with_density
from .sampling import learned_generation

_BERNOULLI = 'likelihood="bernoulli"', 'likelihood="gaussian"'
_IMPUTATION_DRAWS, _DRAWS = 256, Whole(1, 2**20)
_Scores = NDArray[np.float64]


class VAETransformer(DrawsInParts, RepresentationTransformer):
    """Codes from a variational autoencoder: posterior means, a likelihood, and samples.

    Parameters
    ----------
    latent_dim : int, default=32
        Number of columns of the code; it may exceed that of the table. Columns that the data do not
        need stay near 0.
    beta : float, default=1.0
        Weight of the divergence from the prior; above 1 a β-VAE.
    likelihood : {"auto", "gaussian", "student_t", "atoms", "bernoulli", "poisson", \
"negative_binomial"} or dict, default="auto"
        Of the columns of numbers given a code; a dict says it for some columns by name or number.
        "auto" is "bernoulli" for columns of 0 and 1, "gaussian" for others, and for a sparse matrix
        of counts "poisson". "atoms" scales columns by their ranks and gives each repeated value a
        probability. "bernoulli" takes columns within [0, 1], the last two take counts. Categories
        have a softmax, ordered ones thresholds; see :mod:`sklearn_replearn.likelihoods`.
    scale : float or None, default=None
        Standard deviation of the Gaussian in units of the scaled columns. None learns one per
        column (σ-VAE).
    kl_warmup : float, default=0.1
        Share of the updates over which the weight of the divergence rises to ``beta``.
    n_importance_samples : int, default=64
        Draws per row in :meth:`score_samples`, at first, also when changed after fit. More give a
        tighter bound, in proportion to time.
    objective : Objective, default=None
        What is minimised, such as ``IWAE()``, ``BetaTCVAE()``, ``CapacityELBO()`` or ``InfoVAE()``
        of :mod:`sklearn_replearn.objectives`. None is ``ELBO(beta, kl_warmup)``; where one is given
        it has weights and a warm-up of its own, and ``beta`` and ``kl_warmup`` are left out.
    prior : {"auto", "normal", "mixture"}, Mixture or VampPrior, default="auto"
        Of the codes, by which rows are drawn, scored and imputed. "normal" is the standard normal;
        "mixture" a Gaussian mixture fitted after training to the codes of the training rows; "auto"
        is "mixture" for tables, "normal" for images, tokens and other arrays. One of
        :mod:`sklearn_replearn.priors` is trained with the network, which takes longer.
    density : {"independent", "autoregressive"} or Autoregressive, default="independent"
        What :meth:`score_samples`, :meth:`sample` and :meth:`impute` go by. "independent": columns
        are, given the code. "autoregressive" trains a second network after the first, for which
        each column depends on those before it, and a third that fills missing cells: far better
        densities and drawn tables for 10 to 40 seconds more in fit, codes the same to the last bit.
        :class:`~sklearn_replearn.densities.Autoregressive` has parameters.
    hidden_layer_sizes : int, sequence of int or "auto", default="auto"
        Widths of the encoder's hidden layers; the decoder has them in reverse. () is a linear map.
        "auto" is (256,) for tables and arrays, narrower beyond 32,768 inputs (32 from 262,144 on);
        images and tokens have networks without such layers.
    activation : {"auto", "relu", "gelu", "silu", "elu", "tanh"}, default="auto"
        Between layers. "auto" is "silu", "relu" for images.
    encoder : torch.nn.Module or callable, default=None
        Network to use instead: a module that turns (n, n_features) into (n, 2 * latent_dim), mean
        and log-variance side by side, or a callable that builds one from the two widths
        ``(n_in, n_out)``. Beside categories and missing cells it takes more numbers than there are
        columns: a callable is told how many. Modules are copied. Fits with such parts draw from
        torch's global generator, seeded and restored, in turns.
    decoder : torch.nn.Module or callable, default=None
        The same for the way back, from (n, latent_dim) to (n, n_features), and beside categories or
        where likelihoods take several numbers for a column to more than there are columns.
    rows : Rows, default=None
        What a row is, with all that follows from it (see :mod:`sklearn_replearn.rows`): None is
        :class:`~sklearn_replearn.rows.Table`, whose parameters say which columns are categories and
        how numbers are scaled; :class:`~sklearn_replearn.rows.Images`,
        :class:`~sklearn_replearn.rows.Tokens`, :class:`~sklearn_replearn.rows.Arrays`, or a kind of
        your own.
    max_epochs : int or "auto", default="auto"
        Passes over the rows. "auto" takes as many as give about 1000 updates, at least 5 and at
        most 500, and up to four times as many where cells of a column are often missing.
    batch_size : int, default=256
        Rows in a batch. Batches of an epoch are of nearly equal size.
    lr : float or "auto", default="auto"
        Learning rate. "auto" is 5e-3; 2e-3 for tables with categories, for sparse counts, for
        images and for tokens; and 2e-2 for linear maps (``hidden_layer_sizes=()``).
    lr_schedule : {"cosine"} or None, default="cosine"
        Whether the learning rate rises over the first twentieth of the updates and then falls to
        zero along half a cosine. For others give None here, and ``skorch.callbacks.LRScheduler``
        among the ``callbacks``.
    optimizer : {"adamw", "adam", "sgd"} or callable, default="adamw"
        A class of ``torch.optim``, or what is called like one, such as
        ``functools.partial(torch.optim.AdamW, betas=(0.9, 0.95))``.
    weight_decay : float, default=0.0
        Of the optimizer: added to the gradient in proportion to the weights ("adam", "sgd"), or
        taken from the weights directly ("adamw").
    gradient_clip : float or None, default=10.0
        Largest norm of the gradient of each part (encoder, decoder, heads).
    early_stopping : bool, default=False
        Whether to hold out rows, to stop when their loss no longer falls, and to keep the weights
        of the best epoch. With ``X_val`` in ``fit`` none are held out, and the loss is of these.
    validation_fraction : float, default=0.1
        Share of the rows held out; used with ``early_stopping`` and without ``X_val`` only.
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
        the last bits. Those of scikit-learn, which do not, are given by ``set_callbacks``.
    checkpoint : str or path, default=None
        A folder, made if there is none. Where a fit takes long, the state of its training is
        written there every 30 seconds, at the end of an epoch, and removed when the fit ends well:
        after a crash the same ``fit`` of the same rows goes on from there, to the same model bit by
        bit. One folder does for all fits. Not with ``random_state=None`` or ``callbacks``.
    device : str, default="auto"
        "auto" is the GPU where there is one, else the CPU; otherwise a name such as "cuda:1".
    random_state : int, RandomState instance or None, default=0
        Seed of the one generator that a fit draws from. An int gives the same model each time,
        None another one each time.
    verbose : int, default=0
        1 shows how far the fit is: a bar where there is a terminal or a notebook, else a plain line
        each tenth of the way.

    Attributes
    ----------
    n_features_in_ : int
        Number of columns seen in fit.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the columns, if they all had one that is a string.
    n_iter_ : int
        Epochs trained.
    novelties_ : frame
        What rows had that came after the first fit, by ``partial_fit`` or ``warm_start``: see
        :meth:`partial_fit`.
    history_ : frame
        Of the library that ``set_output`` asks for, or else of fit, pandas for arrays. A row an
        epoch: ``train_loss``, each named term of the objective for training rows and (with
        ``early_stopping`` or ``X_val``) validation rows, and ``seconds``. ``reconstruction`` is the
        error per cell (per count for counts of a sparse matrix); for VAETransformer, minus the
        log-likelihood of the scaled row in nats; for ContrastiveTransformer it is the decoder's and
        not counted in ``train_loss``. ``valid_loss`` is minus the evidence lower bound by one draw
        a row, in units of the scaled columns; ``elbo_terms`` has it in those of the table. A stored
        model keeps at most 2000 numbers of the history, evenly spaced, and no seconds.
    loss_curve_ : list of float
        ``history_["train_loss"]``.
    network_ : torch.nn.Module
        A copy of the trained network, on the CPU.
    measures_ : dict of str to str
        By what :meth:`score_samples` measures each column: "density", per unit of the column,
        "probability", or both.

    See Also
    --------
    AutoencoderTransformer : Without a likelihood.

    References
    ----------
    Kingma and Welling (2014), *Auto-encoding variational Bayes*.
    Higgins et al. (2017), *beta-VAE*.
    Rybkin et al. (2021), *Simple and effective VAE training with calibrated decoders*.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from sklearn_replearn import VAETransformer
    >>> X = load_wine().data
    >>> vae = VAETransformer(latent_dim=4, max_epochs=20).fit(X)
    >>> vae.transform(X).shape
    (178, 4)
    >>> vae.sample(3, random_state=0).shape
    (3, 13)
    """

    _other_names = VAE

    _parameter_constraints = {
        **RepresentationTransformer._parameter_constraints,
        "beta": [Number(0, closed="left")],
        "likelihood": [StrOptions({"auto", *NAMED}), dict, type],
        "scale": [Number(0), None],
        "kl_warmup": [Number(0, 1, closed="both")],
        "objective": [OBJECTIVE_OF_VAE, None],
        "prior": [StrOptions({"auto", "normal", "mixture"}), PRIOR],
        "n_importance_samples": [_DRAWS],
        "density": [StrOptions({"independent", "autoregressive"}), Autoregressive],
    }

    def __init__(
        self,
        latent_dim: int = 32,
        *,
        beta: float = 1.0,
        likelihood: Name | type[Likelihood] | Mapping[Any, Name | type[Likelihood]] = "auto",
        scale: float | None = None,
        kl_warmup: float = 0.1,
        n_importance_samples: int = 64,
        objective: Objective | None = None,
        prior: Literal["auto", "normal", "mixture"] | Prior = "auto",
        density: Literal["independent", "autoregressive"] | Autoregressive = "independent",
        hidden_layer_sizes: int | Sequence[int] | Literal["auto"] = "auto",
        activation: Literal["auto", "relu", "gelu", "silu", "elu", "tanh"] = "auto",
        encoder: nn.Module | Callable[[int, int], nn.Module] | None = None,
        decoder: nn.Module | Callable[[int, int], nn.Module] | None = None,
        rows: Rows | None = None,
        max_epochs: int | Literal["auto"] = "auto",
        batch_size: int = 256,
        lr: float | Literal["auto"] = "auto",
        lr_schedule: Literal["cosine"] | None = "cosine",
        optimizer: Literal["adamw", "adam", "sgd"] | Callable[..., Any] = "adamw",
        weight_decay: float = 0.0,
        gradient_clip: float | None = 10.0,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int | Literal["auto"] = "auto",
        tol: float = 1e-4,
        warm_start: bool = False,
        callbacks: Sequence[Any] | None = None,
        checkpoint: Folder | None = None,
        device: str | torch.device = "auto",
        random_state: Seed = 0,
        verbose: int = 0,
    ) -> None:
        self.latent_dim = latent_dim
        self.beta = beta
        self.likelihood = likelihood
        self.scale = scale
        self.kl_warmup = kl_warmup
        self.n_importance_samples = n_importance_samples
        self.objective = objective
        self.prior = prior
        self.density = density
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.encoder = encoder
        self.decoder = decoder
        self.rows = rows
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.lr = lr
        self.lr_schedule = lr_schedule
        self.optimizer = optimizer
        self.weight_decay = weight_decay
        self.gradient_clip = gradient_clip
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.warm_start = warm_start
        self.callbacks = callbacks
        self.checkpoint = checkpoint
        self.device = device
        self.random_state = random_state
        self.verbose = verbose

    def posterior(self, X: TableLike) -> tuple[Any, Any]:
        """Mean and standard deviation of the code of each row.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        mean, std : ndarray or frame of shape (n_samples, latent_dim)
            In the dtype of :meth:`transform`, whose codes the means are, and in the container that
            ``set_output`` asks for, or else that fit saw; with the names of the columns of codes.
        """
        table, width = self._table(X), self._n_features_out

        def mean_and_std(network, part):
            mean, log_variance = network.posterior(part.seen)
            return torch.cat([mean[:, :width], (0.5 * log_variance).exp()[:, :width]], dim=1)

        dtype = self._dtype_of_codes(table)
        both = self._applied().of_table(mean_and_std, table, 2 * width, dtype)
        mean, std, names = both[:, :width], both[:, width:], self.get_feature_names_out()
        return self._told(mean.copy(), names, X), self._told(std.copy(), names, X)

    @overload
    def score_samples(self, X: TableLike, return_std: Literal[False] = ...) -> _Scores: ...

    @overload
    def score_samples(self, X: TableLike, return_std: Literal[True]) -> tuple[_Scores, _Scores]: ...

    @validated({"return_std": ["boolean"]})
    def score_samples(self, X: TableLike, return_std: bool = False) -> Any:
        r"""Lower bound of each row's log-likelihood, in nats, in the original units of ``X``.

        :math:`\log\frac1K\sum_k \frac{p(x|z_k)\,p(z_k)}{q(z_k|x)}` with :math:`z_k` drawn from the
        posterior (Burda et al. 2016). It does not depend on ``beta`` and compares with
        ``score_samples`` of scikit-learn's ``FactorAnalysis`` and ``GaussianMixture``; higher is
        more normal.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        return_std : bool, default=False
            Whether to return the standard errors, too.

        Returns
        -------
        scores : ndarray of shape (n_samples,), float64
            Draws are a row's own and follow from its cells, so the result repeats. Missing cells
            add nothing: it is the likelihood of the cells that are there. A column that was
            constant in fit adds nothing for a row that has its value.
        std : ndarray of shape (n_samples,), float64
            Standard error of each score by its draws; NaN where there is one draw or one pair. Only
            with ``return_std``.

        Notes
        -----
        Columns of categories, counts, or 0 and 1 add log-probabilities, others log-densities per
        unit of the column; ``measures_`` says it for each. A cell of a column with a grain (two
        decimals, whole numbers, days) stands for the interval of one step around it, and its
        density is the probability of that interval divided by the step. So rounding adds nothing,
        and whole numbers have probabilities. A value that many rows have in a column that is
        otherwise continuous has a probability. ``likelihood="atoms"`` gives each repeated value of
        a column one.

        :math:`p(z)` is the ``prior``. ``n_importance_samples`` codes are drawn from the encoder's
        posterior. Where too few of them weigh something (effective sample size) or cells are
        missing, they are drawn from a normal distribution fitted to the exact posterior of the row,
        or where cells are missing from a prior that is a mixture; and where that does not suffice,
        four and sixteen times as many, but for rows so wide that memory has no room for them.
        """
        bounds = self._bounds(X)
        scores = bounds[:, 0].copy()
        return (scores, bounds[:, 1].copy()) if return_std else scores

    def elbo_terms(self, X: TableLike) -> Any:
        r"""What each column and the divergence from the prior contribute to each row's bound.

        :math:`E_q[\log p(x_j|z)]` for each column j, in nats in the measure of ``measures_``, and
        minus :math:`KL(q(z|x)\,\|\,p(z))`; their sum is the evidence lower bound, which is at most
        :meth:`score_samples`: both are estimated from the same draws. It does not depend on
        ``beta``. :math:`q` is what these are drawn from, the encoder's posterior or, where it is
        far from the exact one, a normal distribution fitted to that. The divergence from a prior
        that is a mixture is estimated from these draws, too.

        Parameters
        ----------
        X : array-like, frame or sparse matrix of shape (n_samples, n_features)

        Returns
        -------
        frame of shape (n_samples, n_features + 1)
            Of the library that ``set_output`` asks for, or else of fit, pandas for arrays. A column
            for each column of ``X``, 0 where a cell is missing, and ``"kl"``, at most 0 (``"kl of
            the code"`` where a column has that name).
        """
        bounds = self._bounds(X)
        values = np.column_stack([bounds[:, N_FIGURES:], bounds[:, 3]])
        # Rounding must not lift a sum above the score.
        excess = values.sum(axis=1) - bounds[:, 0] + 1e-15 * np.abs(values).sum(axis=1)
        values[:, -1] -= np.maximum(excess, 0.0)
        names = self._column_names()
        divergence = "kl" if "kl" not in names else "kl of the code"
        return self._told(values, [*names, divergence], X, named_results)

    @property
    def measures_(self) -> dict[Any, str]:
        """By what :meth:`score_samples` measures each column, dict of name to str."""
        check_is_fitted(self)
        return dict(zip(self._column_names(), self._model.extras.measure.words(), strict=True))

    def _bounds(self, X):
        extras, table = self._model.extras, self._likely_table(X)
        draws = self._noise(self.n_importance_samples)
        if extras.density is not None:
            return log_likelihoods(self._applied(), table, extras)
        return bounds_of(self._applied(), table, extras.measure, draws, extras.prior)

    def _likely_table(self, X):
        """A table, of which columns that were given as within [0, 1] still are."""
        table, within = self._table(X), self._model.extras.in_unit_interval
        check_table_in_unit_interval(table, within, names_of(self), *_BERNOULLI)
        return table

    def _noise(self, n_draws, least=1):
        """So many draws from the standard normal for each row, the same each time."""
        if not _DRAWS.is_satisfied_by(self.n_importance_samples):  # it may change after fit
            raise ValueError(
                f"n_importance_samples must be {_DRAWS}; got {self.n_importance_samples!r}."
            )
        return Draws(max(n_draws, least), self._n_features_out, self._model.seed)

    @validated({"n_draws": [Whole(), None], "random_state": SEED})
    def impute(self, X: TableLike, n_draws: int | None = None, random_state: Seed = None) -> Any:
        """Fill missing cells from what the cells that are there tell of them.

        Parameters
        ----------
        X : array-like or frame of shape (n_samples, n_features)
        n_draws : int, default=None
            How many tables to draw (multiple imputation). None: one table, of conditional means and
            likeliest categories.
        random_state : int, RandomState instance or None, default=None
            Of the draws; None draws others each time.

        Returns
        -------
        ndarray or frame of shape (n_samples, n_features), or list of them
            Like ``X``; cells that are there are not changed.

        References
        ----------
        Mattei and Frellsen (2019), *MIWAE: deep generative modelling and imputation of incomplete
        data sets*.

        Notes
        -----
        Codes are drawn from the posterior that the encoder gives and weighted by importance, as in
        the paper; with ``n_draws`` one of them is drawn by its weight, and the cells from the
        likelihood. Means are over at least 256 codes for each row. With
        ``density="autoregressive"`` a network that has learned to predict any cells from any others
        fills them: numbers around what a normal distribution tells, and one after the other where
        they are drawn.

        Only rows with missing cells are computed. What is drawn for a row follows from the seed,
        from its place in the table and from the row; where columns of counts or likelihoods of
        one's own are drawn, all rows are computed, as each takes more or fewer random numbers.
        """
        if n_draws is None:
            return super().impute(X)
        table, generator = self._table(X), new_generator(draw_seed(random_state))
        which = with_holes(table)
        draws = (self._drawn_values(table, which, generator) for _ in range(n_draws))
        return [self._filled(X, table, values, which) for values in draws]

    def _expected_cells(self, table):
        prediction = self._model.extras.prediction
        if prediction is not None:
            return expected_cells(self._applied(), table, prediction)
        noise = self._noise(self.n_importance_samples, _IMPUTATION_DRAWS)
        prior = self._model.extras.prior

        def expected(network, part):
            output, log_weights = drawn_codes(network, part, noise, prior)
            return network.likelihood.average(output, log_weights.softmax(1))

        return self._applied().of_table(
            expected, table, self.n_features_in_, np.float64, n_each=len(noise)
        )

    def _drawn_values(self, table, which, generator):
        """Values of some rows drawn given the cells that are there, by their place in the table."""
        if not len(which):
            return np.empty((0, self.n_features_in_))
        scaler, prediction = self._model.scaler, self._model.extras.prediction
        if prediction is not None:
            cells = drawn_cells(self._applied(), table, prediction, generator)[which]
            return scaler.original(scaler.inside(cells))
        noise, extras = self._noise(self.n_importance_samples), self._model.extras
        cells = cells_from_posterior(self._applied(), table, noise, extras.prior, generator)
        return extras.shown(cells[which], scaler)

    @validated(
        {
            "n_samples": [Whole()],
            "random_state": SEED,
            "given": [object],  # conditions_of says what is wanted of one that is no dict
            "missing": [StrOptions({"as_fit"}), None],
        }
    )
    def sample(
        self,
        n_samples: int = 1,
        random_state: Seed = None,
        *,
        given: Mapping[Any, Any] | None = None,
        missing: Literal["as_fit"] | None = None,
    ) -> Any:
        """Draw a table like that of fit: codes from the model, then cells from the likelihood.

        Parameters
        ----------
        n_samples : int, default=1
        random_state : int, RandomState instance or None, default=None
            None draws other rows each time.
        given : dict, default=None
            What cells shall be, by name or number of the column; all others are drawn given these.
            A cell, ``{"sex": "Female"}``; a tuple of the two ends of a closed range,
            ``{"age": (30, 40)}``, where None is an open end; or a list, set or array of the cells
            allowed, ``{"city": ["Oslo", "Rome"]}``.
        missing : {"as_fit"} or None, default=None
            "as_fit" leaves cells missing that often, and in such patterns, as they were in fit,
            but for given ones.

        Returns
        -------
        ndarray, frame or sparse matrix of shape (n_samples, n_features)
            Like the table of fit, without missing cells unless asked for. Numbers are within the
            range of fit, with as many decimals as there (dates on days where they were), and whole
            where they were. A column of categories in which nearly each of 20 or more rows of fit
            had a level of its own, such as names or ids, is missing: copies of them say nothing
            new, and may be no one else's business. ``given`` asks for some, or for all.

        Notes
        -----
        In tables, columns of numbers that the model would draw otherwise than they were in fit are
        mapped so that they are distributed as there (quantile mapping), values that many rows had
        exactly.
        With ``given``, codes are drawn without it and then by the likelihood of the given cells
        (importance resampling); a rare combination has few codes to choose from. With
        ``density="autoregressive"`` columns are drawn one after the other from the conditional
        distribution of each, and the likelihood of given cells chooses among rows.
        """
        check_is_fitted(self)
        generator = new_generator(draw_seed(random_state))
        conditions = None
        if given is not None:
            conditions = conditions_of(given, self._model.schema, self.n_features_in_)
        drawing = Drawing(self._model, self._applied(), self._n_features_out)
        values = drawing.rows(n_samples, generator, conditions, missing == "as_fit")
        return self._model.rows.from_table(self._model.schema.decode(values, drawn=True))

    @validated({"n_steps": [Whole(2)]})
    def interpolate(self, x_a: TableLike, x_b: TableLike, n_steps: int = 10) -> Any:
        """Rows decoded along the straight line between the codes of two rows.

        Parameters
        ----------
        x_a, x_b : array-like of shape (n_features,), Series, or table of one row
        n_steps : int, default=10
            Rows returned, at least 2: the first decodes the code of ``x_a``, the last that of
            ``x_b``.

        Returns
        -------
        ndarray or frame of shape (n_steps, n_features)
            As :meth:`inverse_transform` gives it.
        """
        check_is_fitted(self)
        first, last = (self._code_of(x, name) for x, name in ((x_a, "x_a"), (x_b, "x_b")))
        share = np.linspace(0, 1, n_steps)[:, None]
        return self.inverse_transform((1 - share) * first + share * last)

    @validated({"dimension": [Whole(0)], "n_steps": [Whole(2)], "width": [Number()]})
    def traverse(self, x: TableLike, dimension: int, n_steps: int = 9, width: float = 2.0) -> Any:
        """Rows decoded from the code of a row, one of its values moved (a latent traversal).

        Parameters
        ----------
        x : array-like of shape (n_features,), Series, or table of one row
        dimension : int
            Number of the value of the code that is moved.
        n_steps : int, default=9
            Rows returned, at least 2.
        width : float, default=2.0
            The value goes from ``-width`` to ``width``, in deviations of the standard normal.

        Returns
        -------
        ndarray or frame of shape (n_steps, n_features)
            As :meth:`inverse_transform` gives it.
        """
        check_is_fitted(self)
        if dimension >= self._n_features_out:
            raise ValueError(
                f"dimension must be a whole number from 0 to {self._n_features_out - 1}; got "
                f"{dimension!r}."
            )
        codes = np.repeat(self._code_of(x, "x"), n_steps, axis=0)
        codes[:, dimension] = np.linspace(-width, width, n_steps)
        return self._decoded(codes)

    def _code_of(self, x, name):
        try:
            row = self._model.rows.row_to_table(table_of_row(x, names_of(self)))
            code = self._encoded(self._table(row))
        except (TypeError, ValueError) as problem:
            raise ValueError(f"{name} must be a row like those of fit: {problem}") from problem
        if len(code) != 1:
            raise ValueError(f"{name} must be one row; got {len(code)} rows.")
        return code.astype(np.float64)

    _network = VariationalAutoencoder
    _score_of_epochs = None  # what is learned after the epochs counts, too
    _objective_parameter = "likelihood"
    _for_counts = 'likelihood="poisson"'
    _likelihood_of_binary = Bernoulli

    _scale = property(lambda self: self.scale)

    def _asked_likelihoods(self, schema):
        return asked_likelihoods(self.likelihood, schema, self.n_features_in_)

    def _check(self, rows, scaler):
        scaler.check_unit_interval(*_BERNOULLI)

    def _check_later(self, table, schema, scaler):
        asked = [kind is Bernoulli for kind in self._asked_likelihoods(schema)]
        check_table_in_unit_interval(table, asked & scaler.as_is, names_of(self), *_BERNOULLI)

    def _users_parts(self, rows):
        asked = self.likelihood.values() if isinstance(self.likelihood, dict) else [self.likelihood]
        return [*super()._users_parts(rows), *asked, self.objective, self.prior]

    def _weighed(self):
        return None if self.objective is None else repr(self.objective)

    def _prior(self):
        return None if isinstance(self.prior, str) else clone(self.prior, safe=False)

    def _objective(self, rows, n_updates):
        return objective_of(self, n_updates)

    def _finish(self, network, train_rows, model):
        learn_variances(network, train_rows, model.seed)
        asked = np.array([kind is not None for kind in self._asked_likelihoods(model.schema)])
        return learned_generation(network, train_rows, model, self.prior, asked)

    def _stages(self):
        return ("network",) if self.density == "independent" else ("network", *STAGES)

    def _completed(self, model, train_rows):
        return with_density(model.extras, self.density, train_rows, model)
