"""Where the codes of a trained VAE come from: its prior, drawn from and asked for densities."""

import numpy as np
import torch

from .._mixtures import fitted_mixture

_COMPONENTS, _MOST_NUMBERS = 10, 2500  # components, and numbers stored for all of them
_MOST_ACTIVE = 64  # values of the code; others have the standard normal
# A value of the code whose mean hardly varies says nothing: there the posterior is the prior.
_SMALLEST_VARIANCE = 0.01
_TINY = 1e-300


class Prior:
    """The standard normal."""

    #: Whether it may have several peaks.
    has_peaks = False

    def draw(self, n, latent_dim, generator):
        """Codes, ndarray of shape (n, latent_dim), float64."""
        shape = n, latent_dim
        return torch.randn(shape, generator=generator, dtype=torch.float64, device="cpu").numpy()

    def log_density(self, codes):
        """Of codes, Tensor of shape (..., latent_dim), but for what it has in any normal density.

        That is half the logarithm of 2π for each value of the code.
        """
        return -0.5 * codes.square().sum(-1)

    def curvature(self, codes):
        """Gradient of the log-density, and a positive matrix for minus its curvature.

        Parameters
        ----------
        codes : Tensor of shape (n, latent_dim)

        Returns
        -------
        gradient : Tensor of shape (n, latent_dim)
        precision : Tensor of shape (n or 1, latent_dim, latent_dim)
        """
        return -codes, torch.eye(codes.shape[1], dtype=codes.dtype, device=codes.device)[None]

    def codes(self, noise):
        """Codes from draws of the standard normal.

        Parameters
        ----------
        noise : Tensor of shape (n, n_draws, latent_dim + 1)

        Returns
        -------
        Tensor of shape (n, n_draws, latent_dim)
        """
        return noise[..., :-1]

    def divergence_of(self, posterior):
        """Of normal distributions from the prior, where it is known in closed form, or None."""
        return posterior.divergence()


class MixturePrior(Prior):
    """A Gaussian mixture for some values of the code, and the standard normal for the others.

    Parameters
    ----------
    active : ndarray of int
        Values of the code that have the mixture.
    shares : ndarray of shape (n_components,)
    means : ndarray of shape (n_components, n_active)
    roots : ndarray of shape (n_components, n_active) or (n_components, n_triangle)
        Standard deviations, or the lower triangles of Cholesky factors of covariances.
    """

    has_peaks = True

    def __init__(self, active, shares, means, roots):
        self.active, self.shares, self.means, self.roots = active, shares, means, roots

    def draw(self, n, latent_dim, generator):
        """Codes, ndarray of shape (n, latent_dim), float64."""
        codes = super().draw(n, latent_dim, generator)
        if not len(self.active):
            return codes
        uniform = torch.rand(n, generator=generator, dtype=torch.float64, device="cpu").numpy()
        chosen = np.searchsorted(np.cumsum(self.shares)[:-1], uniform)
        for number, (mean, root) in enumerate(zip(self.means, self._factors(), strict=True)):
            rows = np.flatnonzero(chosen == number)
            normal = codes[np.ix_(rows, self.active)]
            codes[np.ix_(rows, self.active)] = mean + np.einsum("ij,nj->ni", root, normal)
        return codes

    @property
    def _places(self):
        # A copy, because torch refuses what may not be written to, such as a memory map.
        return torch.from_numpy(np.array(self.active))

    def codes(self, noise):
        """See :meth:`Prior.codes`."""
        codes, active = super().codes(noise).clone(), self._places
        if not len(active):
            return codes
        uniform = torch.special.ndtr(noise[..., -1])
        ends = torch.from_numpy(np.cumsum(self.shares)[:-1]).to(noise.device)
        chosen, active = torch.searchsorted(ends, uniform), active.to(noise.device)
        for number, (mean, root) in enumerate(zip(self.means, self._factors(), strict=True)):
            row, place = (chosen == number).nonzero(as_tuple=True)
            mean, root = (torch.from_numpy(np.array(x, dtype=np.float64)) for x in (mean, root))
            normal = codes[row[:, None], place[:, None], active]
            scaled = mean.to(noise.device) + normal @ root.to(noise.device).T
            codes[row[:, None], place[:, None], active] = scaled
        return codes

    def log_density(self, codes):
        """See :meth:`Prior.log_density`."""
        if not len(self.active):
            return super().log_density(codes)
        some = codes[..., self._places]
        rest = super().log_density(codes) - super().log_density(some)
        return rest + self._of_components(some)[0].logsumexp(-1)

    def curvature(self, codes):
        """See :meth:`Prior.curvature`; both are means over components, by how likely each is."""
        gradient, precision = super().curvature(codes)
        if not len(self.active):
            return gradient, precision
        log_p, across = self._of_components(codes[:, self._places])
        shares, active = log_p.softmax(-1), self._places.to(codes.device)
        roots = self._inverses().to(codes.device)
        gradient[:, active] = -torch.einsum("nk,nki,kij->nj", shares, across, roots)
        precision = precision.repeat(len(codes), 1, 1)
        precisions = torch.einsum("nk,kij->nij", shares, roots.mT @ roots)
        precision[:, active[:, None], active] = precisions
        return gradient, precision

    def _factors(self):
        """What a standard normal is multiplied with in each component."""
        width, roots = len(self.active), self.roots.astype(np.float64)
        factors = np.zeros((len(roots), width, width))
        places = (
            np.diag_indices(width) if roots.shape == self.means.shape else np.tril_indices(width)
        )
        factors[:, places[0], places[1]] = roots
        return factors

    def _inverses(self):
        return torch.from_numpy(np.linalg.inv(self._factors()))

    def _of_components(self, codes):
        """Log of share times density of each component, and codes in units of each."""
        roots, (n_components, width) = self._inverses(), self.means.shape
        means = torch.from_numpy(np.array(self.means, dtype=np.float64))
        offsets = (roots @ means[:, :, None]).flatten()
        logs = torch.from_numpy(np.log(np.maximum(self.shares, _TINY)))
        logs = logs + roots.diagonal(dim1=1, dim2=2).log().sum(1)
        roots, offsets, logs = (x.to(codes.device) for x in (roots, offsets, logs))
        # One product for all components.
        across = codes.reshape(-1, width) @ roots.flatten(0, 1).T
        across = (across - offsets).view(*codes.shape[:-1], n_components, width)
        return logs - 0.5 * across.square().sum(-1), across


class AggregatePosterior(MixturePrior):
    """A Gaussian mixture fitted to codes drawn from the posteriors of the training rows.

    Parameters
    ----------
    mean, std : ndarray of shape (n_rows, latent_dim)
        Posteriors of training rows.
    seed : int

    References
    ----------
    Ghosh et al. (2020), *From variational to deterministic autoencoders*: ex-post density
    estimation.
    """

    def __init__(self, mean, std, seed):
        variance = mean.var(axis=0)
        most = np.argsort(-variance, kind="stable")[:_MOST_ACTIVE]
        active = np.sort(most[variance[most] > _SMALLEST_VARIANCE])
        # In an order of their own: that of the rows changes with the units of a column.
        order = np.lexsort(mean[:, active[::-1]].T) if len(active) else np.arange(len(mean))
        noise = np.random.RandomState(seed).normal(size=mean.shape)
        draws, width = mean[order] + std[order] * noise, len(active)
        if not width:
            super().__init__(active, np.ones(0), np.ones((0, 0)), np.ones((0, 0)))
            return
        n_numbers = width + width * (width + 1) // 2
        n_components = min(_COMPONENTS, _MOST_NUMBERS // n_numbers, len(mean) // (4 * width))
        mixture = fitted_mixture(
            draws[:, active],
            max(1, n_components),
            seed=seed,
            reg_covar=1e-4,
            tol=1e-2,
            init_params="k-means++",
        )
        below = np.tril_indices(width)
        roots = np.linalg.cholesky(mixture.covariances_)[:, below[0], below[1]]
        # In half precision, which is ample for codes of deviation 1.
        means = mixture.means_.astype(np.float16)
        super().__init__(active, mixture.weights_, means, roots.astype(np.float16))


def learned_prior(network):
    """The mixture that a network has learned as the prior of its codes."""
    log_shares, means, log_variances = (
        x.detach().cpu().double() for x in network.prior.components(network)
    )
    deviations = (0.5 * log_variances).exp()
    shares = log_shares.softmax(0).numpy()
    return MixturePrior(
        np.arange(means.shape[1]),
        shares,
        means.float().numpy(),
        deviations.float().numpy(),
    )
