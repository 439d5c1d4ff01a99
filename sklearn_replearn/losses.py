"""Losses: pure functions of tensors, without state and without a device of their own."""

import math

import torch
from torch.nn import functional as F

from ._runtime.parameters import Number, Rows, Whole, validated

_LOG_2PI = math.log(2 * math.pi)
_TEMPERATURE = [Number(0), torch.Tensor]  # a Tensor where it is learned
_BETA, _TAU_PLUS = [Number(0, closed="left")], [Number(0, 1, closed="left")]
_VIEWS = {"left": [Rows()], "right": [Rows()]}
_PAIRS_AT_ONCE = 2**21  # so that memory does not grow with the square of the rows


@validated({"mean": [Rows()], "log_variance": [Rows()]})
def gaussian_kl(mean: torch.Tensor, log_variance: torch.Tensor) -> torch.Tensor:
    r"""Divergence of a diagonal Gaussian from the standard normal, in nats.

    :math:`\frac12\sum_j(\mu_j^2 + \sigma_j^2 - 1 - \log\sigma_j^2)` for each row (Kingma and
    Welling 2014, appendix B).

    Parameters
    ----------
    mean, log_variance : Tensor of shape (n, latent_dim)

    Returns
    -------
    Tensor of shape (n,)

    Examples
    --------
    >>> import torch
    >>> from sklearn_replearn.losses import gaussian_kl
    >>> gaussian_kl(torch.ones(1, 2), torch.zeros(1, 2))
    tensor([1.])
    """
    _check_shapes(mean=mean, log_variance=log_variance)
    return 0.5 * (mean.square() + log_variance.exp() - 1.0 - log_variance).sum(1)


@validated({"codes": [Rows()], "mean": [Rows()], "log_variance": [Rows()]})
def gaussian_log_density(
    codes: torch.Tensor, mean: torch.Tensor, log_variance: torch.Tensor
) -> torch.Tensor:
    r"""Log-density of rows under a diagonal Gaussian each, in nats.

    Parameters
    ----------
    codes, mean, log_variance : Tensor of shape (n, latent_dim)

    Returns
    -------
    Tensor of shape (n,)

    Examples
    --------
    >>> import torch
    >>> from sklearn_replearn.losses import gaussian_log_density
    >>> gaussian_log_density(torch.zeros(1, 2), torch.zeros(1, 2), torch.zeros(1, 2))
    tensor([-1.8379])
    """
    _check_shapes(codes=codes, mean=mean)
    _check_shapes(mean=mean, log_variance=log_variance)
    return _log_densities(codes, mean, log_variance).sum(1)


@validated({"codes": [Rows()], "log_shares": [Rows(1)], "mean": [Rows()], "log_variance": [Rows()]})
def mixture_log_density(
    codes: torch.Tensor, log_shares: torch.Tensor, mean: torch.Tensor, log_variance: torch.Tensor
) -> torch.Tensor:
    r"""Log-density of rows under one mixture of diagonal Gaussians, in nats.

    Parameters
    ----------
    codes : Tensor of shape (n, latent_dim)
    log_shares : Tensor of shape (n_components,)
        Logarithms of what add up to 1.
    mean, log_variance : Tensor of shape (n_components, latent_dim)

    Returns
    -------
    Tensor of shape (n,)

    Examples
    --------
    >>> import torch
    >>> from sklearn_replearn.losses import mixture_log_density
    >>> mixture_log_density(torch.zeros(1, 1), torch.zeros(1), torch.zeros(1, 1), torch.zeros(1, 1))
    tensor([-0.9189])
    """
    _check_shapes(mean=mean, log_variance=log_variance)
    _check_shapes(log_shares=log_shares, **{"each component's mean": mean[:, 0]})
    _check_widths(codes=codes, mean=mean)
    return (log_shares + _log_density_each(codes, mean, log_variance)).logsumexp(1)


@validated(
    {"codes": [Rows()], "mean": [Rows()], "log_variance": [Rows()], "n_rows": [Whole(1, 2**63 - 1)]}
)
def log_aggregate_posterior(
    codes: torch.Tensor, mean: torch.Tensor, log_variance: torch.Tensor, n_rows: int
) -> tuple[torch.Tensor, torch.Tensor]:
    r"""Log-density of codes under the mean posterior of all rows, as a batch of them tells.

    :math:`\log q(z_i)` and :math:`\log q(z_{ij})` for each value of the code, from which follow the
    total correlation :math:`E[\log q(z) - \sum_j\log q(z_j)]`, and others (Chen et al. 2018). The
    posterior of the row that a code was drawn from has its share of one in ``n_rows``, those of the
    other rows of the batch stand for all others: their minibatch stratified sampling (appendix
    C.2), with equal shares for the others.

    Parameters
    ----------
    codes : Tensor of shape (n, latent_dim)
        Drawn from the posterior of each row.
    mean, log_variance : Tensor of shape (n, latent_dim)
        Of these posteriors.
    n_rows : int
        Of all rows.

    Returns
    -------
    joint : Tensor of shape (n,)
    marginals : Tensor of shape (n, latent_dim)

    Examples
    --------
    >>> import torch
    >>> from sklearn_replearn.losses import log_aggregate_posterior
    >>> zeros = torch.zeros(2, 1)
    >>> log_aggregate_posterior(zeros, zeros, zeros, n_rows=100)
    (tensor([-0.9189, -0.9189]), tensor([[-0.9189],
            [-0.9189]]))
    """
    _check_shapes(codes=codes, mean=mean)
    _check_shapes(mean=mean, log_variance=log_variance)
    n = len(codes)
    log_shares = codes.new_zeros((n, n))
    if n > 1:
        own = 1 / max(n_rows, n)
        log_shares.fill_(math.log((1 - own) / (n - 1)))
        log_shares.fill_diagonal_(math.log(own))
    each = _log_densities(codes[:, None], mean, log_variance)
    joint = (log_shares + each.sum(2)).logsumexp(1)
    return joint, (log_shares[:, :, None] + each).logsumexp(1)


@validated({"codes": [Rows()], "others": [Rows()], "bandwidth": [Number(0), None]})
def mmd(codes: torch.Tensor, others: torch.Tensor, bandwidth: float | None = None) -> torch.Tensor:
    r"""Squared maximum mean discrepancy between two samples, with a Gaussian kernel.

    The mean of :math:`e^{-\lVert x-y\rVert^2/2\sigma^2}` over pairs within each sample, less twice
    that over pairs of the two, a row paired with itself among them (Gretton et al. 2012, equation
    5). 0 for equal samples, near 0 for samples of one distribution, at most 2.

    Parameters
    ----------
    codes : Tensor of shape (n, width)
    others : Tensor of shape (n_others, width)
    bandwidth : float, default=None
        The deviation :math:`\sigma` of the kernel. None is the root of ``width``, about the
        distance of a standard normal row from the origin.

    Returns
    -------
    Tensor, a single value

    Examples
    --------
    >>> import torch
    >>> from sklearn_replearn.losses import mmd
    >>> mmd(torch.zeros(2, 1), torch.full((3, 1), 9.0))
    tensor(2.)
    """
    _check_widths(codes=codes, others=others)
    scale = 2 * (codes.shape[1] if bandwidth is None else bandwidth**2)

    def mean_kernel(some, rest):
        squares = some.square().sum(1)[:, None] + rest.square().sum(1) - 2 * some @ rest.T
        return (-squares.clamp_min(0) / scale).exp().mean()

    within = mean_kernel(codes, codes) + mean_kernel(others, others)
    return within - 2 * mean_kernel(codes, others)


@validated({"target": [Number(0, 1)], "activity": [Rows(1)]})
def bernoulli_kl(target: float, activity: torch.Tensor) -> torch.Tensor:
    r"""Divergence of Bernoulli units from a target rate, summed over units, in nats.

    :math:`\sum_j \rho\log\frac{\rho}{\hat\rho_j} + (1-\rho)\log\frac{1-\rho}{1-\hat\rho_j}`
    (Ng 2011, *Sparse autoencoder*).

    Parameters
    ----------
    target : float
        The rate wanted, between 0 and 1.
    activity : Tensor of shape (latent_dim,)
        Mean activity of each unit over a batch, between 0 and 1.

    Returns
    -------
    Tensor, a single value

    Examples
    --------
    >>> import torch
    >>> from sklearn_replearn.losses import bernoulli_kl
    >>> bernoulli_kl(0.25, torch.tensor([0.25, 0.25]))
    tensor(0.)
    """
    activity = activity.clamp(1e-6, 1 - 1e-6)
    on = target * (math.log(target) - activity.log())
    off = (1 - target) * (math.log1p(-target) - torch.log1p(-activity))
    return (on + off).sum()


@validated(
    {
        **_VIEWS,
        "temperature": _TEMPERATURE,
        "negatives": [Rows(), None],
        "beta": _BETA,
        "tau_plus": _TAU_PLUS,
    }
)
def nt_xent(
    left: torch.Tensor,
    right: torch.Tensor,
    temperature: float | torch.Tensor,
    negatives: torch.Tensor | None = None,
    beta: float = 0.0,
    tau_plus: float = 0.0,
) -> torch.Tensor:
    r"""Normalised temperature-scaled cross-entropy (SimCLR's InfoNCE), in nats.

    Each of the 2n views has the other view of its row as its positive and the 2n - 2 views of other
    rows, with any further ``negatives``, as its negatives (Chen et al. 2020, equation 1).

    Parameters
    ----------
    left, right : Tensor of shape (n, width)
        Two views of the same rows; rows are scaled to unit length here.
    temperature : float
    negatives : Tensor of shape (n_negatives, width), default=None
        More negatives for every view, such as a memory bank of earlier batches.
    beta : float, default=0.0
        Weight of hard negatives: each negative counts in proportion to
        ``exp(beta * similarity / temperature)`` (Robinson et al. 2021, equation 4).
    tau_plus : float, default=0.0
        Share of negatives that are positives unawares, to correct for (Chuang et al. 2020,
        equation 8).

    Returns
    -------
    Tensor, a single value

    Examples
    --------
    >>> import torch
    >>> from sklearn_replearn.losses import nt_xent
    >>> views = torch.eye(2)
    >>> nt_xent(views, views, temperature=0.5)
    tensor(0.2395)
    """
    _check_shapes(left=left, right=right)
    _check_widths(left=left, negatives=left if negatives is None else negatives)
    n = len(left)
    views = F.normalize(torch.cat([left, right]), dim=1)
    others = views if negatives is None else torch.cat([views, F.normalize(negatives, dim=1)])
    similarity = views @ others.T / temperature
    numbers = torch.arange(2 * n, device=views.device)
    positives = (numbers + n) % (2 * n)
    itself = similarity[:, : 2 * n].diagonal()
    itself.fill_(float("-inf"))
    n_negatives = len(others) - 2
    return _contrast(similarity, positives, n_negatives, temperature, beta, tau_plus)


def _contrast(similarity, positives, n_negatives, temperature, beta, tau_plus):
    """Cross-entropy of the positives, its sum over negatives weighted and corrected if asked."""
    if beta == 0 and tau_plus == 0:
        return F.cross_entropy(similarity, positives)
    column = positives[:, None]
    positive = similarity.gather(1, column)
    negative = similarity.scatter(1, column, float("-inf"))
    if n_negatives == 0:
        return (positive * 0).mean()
    # Masked after the product, because 0 times -inf is NaN.
    hardness = (beta * negative).masked_fill(negative.isneginf(), float("-inf"))
    # Relative to the largest similarity of a row, exp stays in range.
    largest = torch.maximum(negative.amax(1, keepdim=True), positive).detach()
    total = (F.softmax(hardness, 1) * (negative - largest).exp()).sum(1, keepdim=True)
    total = (total - tau_plus * (positive - largest).exp()) / (1 - tau_plus)
    log_mean = total.clamp_min(torch.finfo(total.dtype).tiny).log() + largest
    log_total = math.log(n_negatives) + log_mean.clamp_min(-1 / temperature)
    return F.softplus(log_total - positive).mean()


@validated({**_VIEWS, "temperature": _TEMPERATURE})
def decoupled(
    left: torch.Tensor, right: torch.Tensor, temperature: float | torch.Tensor
) -> torch.Tensor:
    r"""Contrast of views whose positive is no part of the denominator, in nats.

    As :func:`nt_xent`, but the sum under the logarithm runs over the 2n - 2 views of other rows
    alone: that a pair is close already does not weaken the gradient (Yeh et al. 2022,
    :math:`L_{DC}`).

    Parameters
    ----------
    left, right : Tensor of shape (n, width)
        Two views of the same rows; rows are scaled to unit length here.
    temperature : float

    Returns
    -------
    Tensor, a single value
        It may be negative. It is 0 for one row, which has no negatives.

    Examples
    --------
    >>> import torch
    >>> from sklearn_replearn.losses import decoupled
    >>> decoupled(torch.eye(2), torch.eye(2), temperature=0.5)
    tensor(-1.3069)
    """
    _check_shapes(left=left, right=right)
    n = len(left)
    similarity = _similarity(left, right, temperature)
    if n == 1:
        return (similarity * 0).sum()
    same_row = torch.eye(n, dtype=torch.bool, device=left.device).repeat(2, 2)
    total = similarity.masked_fill(same_row, float("-inf")).logsumexp(1)
    return total.mean() - similarity.diagonal(n).mean()


@validated({**_VIEWS, "labels": [torch.Tensor], "temperature": _TEMPERATURE})
def sup_con(
    left: torch.Tensor, right: torch.Tensor, labels: torch.Tensor, temperature: float | torch.Tensor
) -> torch.Tensor:
    r"""Cross-entropy of the views of the same class among all other views, in nats.

    The positives of a view are the other view of its row and both views of the rows of its class.
    Their log probabilities are averaged (Khosla et al. 2020, :math:`L_{out}`, equation 2), and so
    are the losses of the 2n views.

    Parameters
    ----------
    left, right : Tensor of shape (n, width)
        Two views of the same rows; rows are scaled to unit length here.
    labels : Tensor of shape (n,), int64
        Classes from 0 on. A row of -1 has no label: no other row is a positive of it, and it is a
        negative of all others.
    temperature : float

    Returns
    -------
    Tensor, a single value
        That of :func:`nt_xent` if no two rows are known to be of the same class.

    Examples
    --------
    >>> import torch
    >>> from sklearn_replearn.losses import sup_con
    >>> views = torch.eye(3)
    >>> sup_con(views, views, torch.tensor([0, 0, -1]), temperature=0.5)
    tensor(1.3215)
    """
    _check_shapes(left=left, right=right)
    if labels.shape != left.shape[:1] or labels.is_floating_point():
        raise ValueError(
            f"labels must be whole numbers, one for each of the {len(left)} rows; got "
            f"{labels.dtype} of shape {tuple(labels.shape)}."
        )
    similarity = _similarity(left, right, temperature)
    rows = torch.arange(len(left), device=left.device)
    classes = torch.where(labels < 0, -1 - rows, labels).repeat(2)  # one for each unlabelled row
    positive = (classes[:, None] == classes).fill_diagonal_(False)
    mean_positive = (similarity * positive).sum(1) / positive.sum(1)
    itself = torch.eye(len(similarity), dtype=torch.bool, device=left.device)
    total = similarity.masked_fill(itself, float("-inf")).logsumexp(1)
    return (total - mean_positive).mean()


def _similarity(left, right, temperature):
    """Cosines of all pairs of the 2n views, over the temperature."""
    views = F.normalize(torch.cat([left, right]), dim=1)
    return views @ views.T / temperature


@validated(
    {
        "queries": [Rows()],
        "keys": [Rows()],
        "negatives": [Rows()],
        "temperature": _TEMPERATURE,
        "beta": _BETA,
        "tau_plus": _TAU_PLUS,
    }
)
def info_nce(
    queries: torch.Tensor,
    keys: torch.Tensor,
    negatives: torch.Tensor | None,
    temperature: float | torch.Tensor,
    beta: float = 0.0,
    tau_plus: float = 0.0,
) -> torch.Tensor:
    """Cross-entropy of the right key among all keys and further negatives, in nats.

    Parameters
    ----------
    queries, keys : Tensor of shape (n, width)
        Row i of ``keys`` is the positive of row i of ``queries``, the other keys are negatives.
    negatives : Tensor of shape (n_negatives, width)
    temperature : float
    beta, tau_plus : float, default=0.0
        As in :func:`nt_xent`.

    Returns
    -------
    Tensor, a single value

    Examples
    --------
    >>> import torch
    >>> from sklearn_replearn.losses import info_nce
    >>> info_nce(torch.eye(2), torch.eye(2), torch.empty(0, 2), temperature=1.0)
    tensor(0.3133)
    """
    _check_shapes(queries=queries, keys=keys)
    _check_widths(keys=keys, negatives=negatives)
    candidates = F.normalize(torch.cat([keys, negatives]), dim=1)
    similarity = F.normalize(queries, dim=1) @ candidates.T / temperature
    positives = torch.arange(len(queries), device=queries.device)
    n_negatives = len(candidates) - 1
    return _contrast(similarity, positives, n_negatives, temperature, beta, tau_plus)


@validated({"prediction": [Rows()], "target": [Rows()]})
def negative_cosine(prediction: torch.Tensor, target: float) -> torch.Tensor:
    """Minus the cosine of the angle between matching rows, averaged over the rows.

    Parameters
    ----------
    prediction, target : Tensor of shape (n, width)

    Returns
    -------
    Tensor, a single value between -1 and 1

    Examples
    --------
    >>> import torch
    >>> from sklearn_replearn.losses import negative_cosine
    >>> negative_cosine(torch.eye(2), torch.eye(2))
    tensor(-1.)
    """
    _check_shapes(prediction=prediction, target=target)
    return -F.cosine_similarity(prediction, target, dim=1).mean()


@validated(_VIEWS)
def cross_correlation(left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
    """Correlation over the rows of each column of ``left`` with each column of ``right``.

    Parameters
    ----------
    left, right : Tensor of shape (n, width)

    Returns
    -------
    Tensor of shape (width, width)

    Examples
    --------
    >>> import torch
    >>> from sklearn_replearn.losses import cross_correlation
    >>> cross_correlation(torch.tensor([[0.], [1.]]), torch.tensor([[3.], [1.]])).round()
    tensor([[-1.]])
    """
    _check_shapes(left=left, right=right)
    return _standardized(left).T @ _standardized(right) / len(left)


def _standardized(x):
    x = x - x.mean(0)
    return x / (x.square().mean(0) + 1e-5).sqrt()


@validated({"x": [Rows()], "floor": [Number(0, closed="left")]})
def variance_hinge(x: torch.Tensor, floor: float = 1.0) -> torch.Tensor:
    """How far the standard deviation of each column falls below ``floor``, averaged.

    The variance term of VICReg (Bardes et al. 2022, equation 1).

    Parameters
    ----------
    x : Tensor of shape (n, width)
    floor : float, default=1.0

    Returns
    -------
    Tensor, a single value

    Examples
    --------
    >>> import torch
    >>> from sklearn_replearn.losses import variance_hinge
    >>> variance_hinge(torch.tensor([[0., 0.], [4., 0.]])).round(decimals=2)
    tensor(0.5000)
    """
    x = x - x.mean(0)
    deviation = (x.square().sum(0) / max(len(x) - 1, 1) + 1e-4).sqrt()
    return F.relu(floor - deviation).mean()


@validated({"x": [Rows()]})
def off_diagonal_covariance(x: torch.Tensor) -> torch.Tensor:
    """Squared covariances between different columns, summed and divided by the width.

    The covariance term of VICReg (Bardes et al. 2022, equations 3 and 4).

    Parameters
    ----------
    x : Tensor of shape (n, width)

    Returns
    -------
    Tensor, a single value

    Examples
    --------
    >>> import torch
    >>> from sklearn_replearn.losses import off_diagonal_covariance
    >>> off_diagonal_covariance(torch.tensor([[0., 0.], [1., 2.]]))
    tensor(1.)
    """
    x = x - x.mean(0)
    covariance = x.T @ x / max(len(x) - 1, 1)
    return (covariance.square().sum() - covariance.diagonal().square().sum()) / x.shape[1]


@validated({**_VIEWS, "alpha": [Number(0)]})
def alignment(left: torch.Tensor, right: torch.Tensor, alpha: float = 2) -> torch.Tensor:
    r"""Distance of the two views of a row on the unit sphere, to a power, averaged over rows.

    :math:`\frac1n\sum_i\lVert u_i - v_i\rVert^\alpha` (Wang and Isola 2020, section 4.1.1).

    Parameters
    ----------
    left, right : Tensor of shape (n, width)
        Two views of the same rows; rows are scaled to unit length here.
    alpha : float, default=2
        The power.

    Returns
    -------
    Tensor, a single value
        0 is best: views are the same.

    Examples
    --------
    >>> import torch
    >>> from sklearn_replearn.losses import alignment
    >>> alignment(torch.eye(2), -3 * torch.eye(2))
    tensor(4.)
    """
    _check_shapes(left=left, right=right)
    gaps = F.normalize(left, dim=1) - F.normalize(right, dim=1)
    return torch.linalg.vector_norm(gaps, dim=1).pow(alpha).mean()


@validated({"codes": [Rows()], "t": [Number(0)]})
def uniformity(codes: torch.Tensor, t: float = 2) -> torch.Tensor:
    r"""How evenly rows lie on the unit sphere: logarithm of a Gaussian kernel's mean over pairs.

    :math:`\log\frac1{|P|}\sum_{(i,j)\in P} e^{-t\lVert u_i - u_j\rVert^2}` over the pairs P of
    different rows (Wang and Isola 2020, section 4.1.2).

    Parameters
    ----------
    codes : Tensor of shape (n, width)
        Rows are scaled to unit length here.
    t : float, default=2
        Larger values look at closer neighbours.

    Returns
    -------
    Tensor, a single value
        Lower is more even. It is 0, the highest, if all rows are the same, and for one row.

    Examples
    --------
    >>> import torch
    >>> from sklearn_replearn.losses import uniformity
    >>> uniformity(torch.tensor([[1., 0.], [-1., 0.]]))
    tensor(-8.)
    """
    n_pairs = len(codes) * (len(codes) - 1) // 2
    if n_pairs == 0:
        return (codes * 0).sum()
    rest, potentials = F.normalize(codes, dim=1), []
    at_once = max(1, _PAIRS_AT_ONCE // len(codes))
    while len(rest):
        some, rest = rest[:at_once], rest[at_once:]
        for distances in (F.pdist(some), torch.cdist(some, rest)):
            potentials.append((-t * distances.square()).flatten().logsumexp(0))
    return torch.stack(potentials).logsumexp(0) - math.log(n_pairs)


def _log_densities(x, mean, log_variance):
    """Of each value by a normal distribution; shapes are broadcast."""
    squares = (x - mean).square() * (-log_variance).exp()
    return -0.5 * (squares + log_variance + _LOG_2PI)


def _log_density_each(codes, mean, log_variance):
    """Log-density of each row under each of some diagonal Gaussians, by two matrix products."""
    precision = (-log_variance).exp()
    squares = codes.square() @ precision.T - 2 * codes @ (mean * precision).T
    rest = (mean.square() * precision + log_variance + _LOG_2PI).sum(1)
    return -0.5 * (squares + rest)


def _check_shapes(**tensors):
    """Refuse tensors of different shapes."""
    (name, one), (other_name, other) = tensors.items()
    if one.shape != other.shape:
        raise ValueError(
            f"{name} and {other_name} must be of one shape; got {tuple(one.shape)} and "
            f"{tuple(other.shape)}."
        )


def _check_widths(**tensors):
    """Refuse rows of different widths."""
    (name, one), (other_name, other) = tensors.items()
    if one.shape[1] != other.shape[1]:
        raise ValueError(
            f"{name} and {other_name} must have the same number of columns; got {one.shape[1]} and "
            f"{other.shape[1]}."
        )
