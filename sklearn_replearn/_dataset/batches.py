"""Rows to training batches, by whole-tensor slices."""

import math
from dataclasses import dataclass

import torch
from torch.utils.data import Dataset

from .._runtime.arrays import CELLS, slices
from .epochs import is_large, stretches

# Scaled rows of up to this many bytes are kept; of larger tables each batch is scaled anew.
_MOST_KEPT = 2**26
# At a time, of large tables: cells by a transformer, rows however wide they are.
_CELLS_TRANSFORMED, _FEWEST_READ = 2**22, 2**6
_SHARE_OF_FREE_MEMORY = 0.5  # of a GPU
_FARTHEST = 1e15  # from the middle of a column


@dataclass(frozen=True)
class Batch:
    """What one step of training sees of some rows.

    Attributes
    ----------
    rows : Tensor of shape (n, n_features)
        Scaled rows as they are.
    left, right : Tensor of shape (n, n_features)
        The two views that an objective compares. With groups or times the right one is of another
        row that is alike.
    labels : Tensor of shape (n,), default=None
        Numbers of classes, int64, -1 for rows without a label; or targets. None where there are
        none.
    seen : Tensor of shape (n, n_features), default=None
        The rows as an encoder sees them after fit, where that may differ: those of ``X_val``, which
        may lie beyond the range of fit. None: as they are.
    """

    rows: torch.Tensor
    left: torch.Tensor
    right: torch.Tensor
    labels: torch.Tensor | None = None
    seen: torch.Tensor | None = None


class TrainingRows(Dataset):
    """Scaled rows of a multiset, and how often each is drawn in an epoch.

    Rows of small tables are scaled once and kept. Larger tables are not copied: the rows of a batch
    are taken from the table and scaled when they are needed, those of many batches together where
    an epoch is shuffled in two steps. All give the same bits.

    Parameters
    ----------
    multiset : Multiset
    scaler : Scaler
    device : torch.device, default="cpu"
    metadata : RowMetadata, default=None
        Of the rows of the table; None: there are none.
    """

    def __init__(self, multiset, scaler, device="cpu", metadata=None):
        self.multiset = multiset
        self.device = torch.device(device)
        self._scaler = scaler
        metadata = None if metadata is None else metadata.take(multiset.numbers)
        self._labels = None if metadata is None else metadata.labels
        self._partners = None if metadata is None else metadata.partners()
        self._kept = None
        fits = 4 * len(multiset) * multiset.width <= _most_kept(self.device)
        large = is_large(multiset.n_draws, multiset.width)
        if fits or (scaler.transformer is not None and not large):
            self._kept = self._all_scaled()
        #: Whether rows of many batches are read and scaled together.
        self.in_stretches = large and self._kept is None and metadata is None
        if fits:
            self._kept = self._kept.to(self.device)

    def __len__(self):
        return self.multiset.n_draws

    def __getitem__(self, number):
        return self.take(self.places([number]))[0]

    def places(self, numbers):
        """Where rows of these numbers within the multiset are taken from.

        Returns
        -------
        Tensor of int64, on the device that :meth:`take` reads from
        """
        numbers = torch.as_tensor(numbers)
        if self._kept is None:
            return torch.from_numpy(self.multiset.numbers[numbers.cpu().numpy()])
        return numbers.to(self._kept.device)

    def take(self, places):
        """Scaled rows from these places, Tensor of shape (n, n_features), float32."""
        if self._kept is not None:
            return self._kept.index_select(0, places).to(self.device)
        return self._scaled(self.multiset.table.take(places.numpy(), axis=0)).to(self.device)

    def together(self, numbers):
        """Scaled rows of many numbers within the multiset, which rise, on the CPU."""
        rows = torch.empty((len(numbers), self.multiset.width), dtype=torch.float32, device="cpu")
        # A transformer takes its time for each call.
        n_cells = CELLS if self._scaler.transformer is None else _CELLS_TRANSFORMED
        for part in slices(len(numbers), max(_FEWEST_READ, n_cells // self.multiset.width)):
            rows[part] = self._read(numbers[part])
        return rows

    @property
    def kept(self):
        """All rows, scaled, of shape (n, n_features), or None where there is no room for them."""
        return self._kept

    @property
    def has_metadata(self):
        """Whether anything stands beside the rows."""
        return self._labels is not None or self._partners is not None

    def take_with_metadata(self, numbers, generator):
        """Rows of these numbers within the multiset, and what stands beside them.

        Returns
        -------
        dict of Tensor
            ``rows``; ``labels`` if there are any; ``partners``, a row that is alike for each, if
            there are any.
        """
        batch = {"rows": self.take(self.places(numbers))}
        if self._labels is not None:
            labels = torch.from_numpy(self._labels[numbers.cpu().numpy()])
            batch["labels"] = labels.to(self.device)
        if self._partners is not None:
            batch["partners"] = self.take(self.places(self._partners.draw(numbers, generator)))
        return batch

    def rows(self, part):
        """Scaled rows of a slice of the multiset."""
        rows = self._kept[part] if self._kept is not None else self._read(part)
        return rows.to(self.device)

    def _read(self, part):
        return self._scaled(self.multiset.values(part))

    def _scaled(self, values):
        return torch.from_numpy(self._scaler.scale(values)).float()

    def _all_scaled(self):
        shape = len(self.multiset), self.multiset.width
        rows = torch.empty(shape, dtype=torch.float32, device="cpu")
        # A transformer takes its time for each call: it gets all at once.
        n_cells = CELLS if self._scaler.transformer is None else max(1, rows.numel())
        for part in self.multiset.parts(n_cells):
            rows[part] = self._read(part)
        return rows


class UnseenRows(TrainingRows):
    """Rows that fit has learned nothing from, and how an encoder sees them.

    Beyond the range of fit they are limited as they are after fit (see :meth:`Scaler.limit`), and
    cells that are missing where fit saw none that was are 0.

    Parameters
    ----------
    blind : bool
        Whether the network has no input for missing cells.
    others
        Of :class:`TrainingRows`.
    """

    def __init__(self, multiset, scaler, blind, device="cpu", metadata=None):
        super().__init__(multiset, scaler, device, metadata)
        self._blind = blind
        ends = scaler.low, scaler.high
        self._low, self._high = (torch.tensor(end, device=self.device) for end in ends)

    #: What an encoder sees stands beside them.
    has_metadata = True

    def _scaled(self, values):
        # Farther off a float32 has no room for squares.
        return super()._scaled(values).clamp_(-_FARTHEST, _FARTHEST)

    def take_with_metadata(self, numbers, generator):
        """The same, and ``seen``; partners are seen, too."""
        batch = super().take_with_metadata(numbers, generator)
        batch["seen"] = self.seen(batch["rows"])
        if "partners" in batch:
            batch["partners"] = self.seen(batch["partners"])
        return batch

    def seen(self, rows):
        """Scaled rows as an encoder sees them."""
        # What is missing is beyond nothing; unless blind, an encoder sees it as it is.
        beyond = (rows < self._low) | (rows > self._high)
        if self._blind:
            beyond |= rows.isnan()
        if not beyond.any():
            return rows
        limited = torch.from_numpy(self._scaler.limit(rows.cpu().numpy())).float()
        return (torch.nan_to_num(limited) if self._blind else limited).to(rows.device)


def _most_kept(device):
    if device.type != "cuda":
        return _MOST_KEPT if device.type == "cpu" else math.inf
    free, _ = torch.cuda.mem_get_info(device)
    return _SHARE_OF_FREE_MEMORY * free


def n_batches(n_draws, batch_size):
    """Batches in an epoch: near-equal ones, and never one of a single row beside others.

    A last batch of one row has no variance for batch normalisation and no negatives.
    """
    return max(1, min(math.ceil(n_draws / batch_size), n_draws // 2))


class Batches:
    """skorch's iterator over the batches of one epoch.

    Parameters
    ----------
    dataset : TrainingRows
    batch_size : int
    generator : torch.Generator
    shuffle : bool
        False for validation, where every pass starts the generator anew: the same noise in every
        epoch makes their losses comparable.
    """

    def __init__(self, dataset, batch_size, generator, shuffle):
        self.dataset = dataset
        self.generator = generator
        self.shuffle = shuffle
        self.n_batches = n_batches(len(dataset), batch_size)

    def __len__(self):
        return self.n_batches

    def drawn(self):
        """Numbers of the rows of an epoch within the multiset, drawn anew, where it has one part.

        That is so unless :func:`is_large`.
        """
        ((_, _, numbers, _),) = self._parts()
        return numbers

    def _parts(self):
        dataset, generator = self.dataset, self.generator
        offset, shuffling = 0.5, None
        if self.shuffle:
            device, shuffling = generator.device, generator
            offset = float(torch.rand((), generator=generator, device=device, dtype=torch.float64))
        else:
            generator.manual_seed(generator.initial_seed())
        for draws, order, n in stretches(
            len(dataset), self.n_batches, dataset.multiset.width, shuffling
        ):
            if dataset.multiset.draws_each_once and len(draws) == len(dataset):
                numbers = order
            else:
                draws = dataset.multiset.draws(offset, draws)
                numbers = torch.from_numpy(draws)[order.cpu()]
            yield draws, order, numbers, n

    def __iter__(self):
        dataset, generator = self.dataset, self.generator
        no_labels = torch.empty(0, device=dataset.device)
        for draws, order, numbers, n in self._parts():
            if dataset.has_metadata:
                for part in numbers.tensor_split(n):
                    yield dataset.take_with_metadata(part, generator), no_labels
            elif dataset.in_stretches:
                rows = dataset.together(draws)
                for part in order.cpu().tensor_split(n):
                    yield rows.index_select(0, part).to(dataset.device), no_labels
            else:
                for places in dataset.places(numbers).tensor_split(n):
                    yield dataset.take(places), no_labels
