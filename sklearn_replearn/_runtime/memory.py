"""How much memory there is, and what to do where there is too little."""

import os
import re
from contextlib import contextmanager
from pathlib import Path

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
        text = str(error)
        short = isinstance(error, MemoryError) or "allocate memory" in text
        if _REMEDY in text or not (short or "out of memory" in text):
            raise
        said = (text.strip() or type(error).__name__).splitlines()[0]
        raise MemoryError(f"fit ran out of memory ({said}). {_REMEDY}") from error
