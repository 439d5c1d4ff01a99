"""How much memory there is, and what to do where there is too little."""

import os
import re
from contextlib import contextmanager
from pathlib import Path

import torch

try:
    import resource
except ModuleNotFoundError:  # on Windows
    resource = None

_CGROUP = Path("/sys/fs/cgroup")
# Of version 2 and 1: the limit, what is used, and what of it is cache that the kernel gives up.
_CGROUP_FILES = (
    ("memory.max", "memory.current", "memory.stat", "inactive_file"),
    (
        "memory/memory.limit_in_bytes",
        "memory/memory.usage_in_bytes",
        "memory/memory.stat",
        "total_inactive_file",
    ),
)
_REMEDY = (
    "Give fewer columns (HashingVectorizer(n_features=2**14), or TruncatedSVD first), smaller "
    "hidden_layer_sizes, or a smaller batch_size."
)


def free_memory():
    """Bytes that this process may still take, as far as is known; None: nothing is known."""
    bounds = [_available(), _within_limit(), _within_cgroup()]
    return min((bound for bound in bounds if bound is not None), default=None)


def _available():
    """Of the machine."""
    found = re.search(r"MemAvailable:\s+(\d+) kB", _text(Path("/proc/meminfo")))
    return None if found is None else 1024 * int(found[1])


def _within_limit():
    """Of the address space that ``ulimit -v`` leaves."""
    used = _text(Path("/proc/self/statm")).split()
    if resource is None or not used:
        return None
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit == resource.RLIM_INFINITY:
        return None
    return max(0, limit - int(used[0]) * os.sysconf("SC_PAGE_SIZE"))


def _within_cgroup():
    """Of what a container may take."""
    for *sizes, stat, cached in _CGROUP_FILES:
        limit, used = (_text(_CGROUP / size) for size in sizes)
        if limit.isdigit() and used.isdigit():
            found = re.search(rf"^{cached} (\d+)$", _text(_CGROUP / stat), re.MULTILINE)
            given_up = 0 if found is None else min(int(found[1]), int(used))
            return max(0, int(limit) - int(used) + given_up)
    return None


def _text(path):
    try:
        return path.read_text().strip()
    except OSError:
        return ""


def in_words(n_bytes):
    """Such as "1.2 GB"."""
    return f"{n_bytes / 1e9:.2g} GB" if n_bytes >= 1e8 else f"{n_bytes / 1e6:.2g} MB"


def too_little(what, needed, free):
    """The sentence that says what is needed, what there is, and what to do."""
    return f"{what} needs about {in_words(needed)}, and {in_words(free)} are free. {_REMEDY}"


@contextmanager
def fitting_batches(batch_size, n_weights, n_cells, device):
    """Say which size of batches would fit, where memory runs out in training.

    Parameters
    ----------
    batch_size : int
        Rows of a batch.
    n_weights : int
        Of the network.
    n_cells : int
        Numbers that a row has in and out of it.
    device : torch.device

    Raises
    ------
    MemoryError
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not _is_shortage(error) or _REMEDY in str(error):
            raise
        fits = batch_that_fits(batch_size, n_weights, n_cells, _room(device))
        said = (
            f"By a rough count batches of {fits:,} rows would fit: set batch_size={fits}."
            if fits
            else "By a rough count no batch fits beside these weights."
        )
        elsewhere = "" if device.type == "cpu" else ' Or set device="cpu".'
        raise MemoryError(
            f"fit ran out of memory on {device} ({_first_line(error)}) with batches of "
            f"{batch_size:,} rows, and {n_weights:,} weights. {said} {_REMEDY}{elsewhere}"
        ) from error


def batch_that_fits(failed, n_weights, n_cells, room):
    """Rows of a batch that would fit, a power of two below half of what did not; 0: none does.

    Weights have gradients, two moments and copies for inference; cells of a batch have gradients,
    too. Layers between may take more than that, which is why half of what failed is the most.
    """
    most = failed // 2
    if room is not None:
        most = min(most, int(room - 28 * n_weights) // (32 * n_cells))
    return 1 << (most.bit_length() - 1) if most > 0 else 0


def _room(device):
    """Bytes that a fit may have on a device, what torch keeps of it too; None: nothing is known."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0] + torch.cuda.memory_reserved(device)
    return free_memory() if device.type == "cpu" else None


@contextmanager
def fewer_rows_asked(device):
    """Ask for fewer rows at a time, where memory of a device runs out after fit.

    Raises
    ------
    MemoryError
    """
    try:
        yield
    except RuntimeError as error:
        if device.type == "cpu" or not _is_shortage(error):
            raise
        raise MemoryError(
            f"The memory of {device} ran out ({_first_line(error)}). Give fewer rows at a time, or "
            'compute on the CPU: set_params(device="cpu").'
        ) from error


@contextmanager
def shortage_explained():
    """Say what to do where memory runs out.

    Raises
    ------
    MemoryError
        For that of Python and NumPy and for the RuntimeError of torch.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if _REMEDY in str(error) or not _is_shortage(error):
            raise
        raise MemoryError(f"fit ran out of memory ({_first_line(error)}). {_REMEDY}") from error


def _is_shortage(error):
    """Whether memory ran out: that of Python and NumPy, of torch, of a GPU."""
    text = str(error)
    return isinstance(error, MemoryError) or "allocate memory" in text or "out of memory" in text


def _first_line(error):
    return (str(error).strip() or type(error).__name__).splitlines()[0]
