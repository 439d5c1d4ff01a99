"""Plain values and arrays in one file that is whole or not there: safetensors with a SHA-256."""

import contextlib
import hashlib
import json
import os
import re
import secrets

import safetensors.numpy

from .plain import Unreadable
from .stored import version

# Seconds after which a file beside another is that of a process that was ended while it wrote.
_ABANDONED = 60.0


def sealed(form, model, arrays):
    """The bytes of a file.

    Parameters
    ----------
    form : str
        What the file is; only what asks for the same form reads it.
    model : dict
        Plain, but for arrays.
    arrays : dict of str to ndarray

    Returns
    -------
    bytes
    """
    text = {"sha256": digest(model, arrays), "model": model}
    # One entry: the library puts several in any order, and equal models are equal bytes.
    return safetensors.numpy.save(arrays, {form: json.dumps(text, allow_nan=False)})


def opened(form, data):
    """The model and the arrays in the bytes of a file, as they were written.

    Raises
    ------
    Unreadable
        If the file is of another form, damaged or altered.
    """
    try:
        arrays = safetensors.numpy.load(data)
        length = int.from_bytes(data[:8], "little")
        metadata = json.loads(data[8 : 8 + length])["__metadata__"]
    except Exception as problem:
        raise Unreadable(_what_else(data)) from problem
    if form not in metadata:
        raise Unreadable(
            f"it is a file of safetensors, but none of save in the form {form!r} that version "
            f"{version()} reads; it has {', '.join(map(repr, metadata)) or 'nothing'}"
        )
    text = json.loads(metadata[form])
    if text["sha256"] != digest(text["model"], arrays):
        raise Unreadable("its contents are not those that save wrote: it is damaged or altered")
    return text["model"], {name: array.copy() for name, array in arrays.items()}


def digest(model, arrays):
    """SHA-256 of all that is in a file."""
    found = hashlib.sha256(json.dumps(model, allow_nan=False).encode())
    for name in sorted(arrays):
        array = arrays[name]
        found.update(f"\0{name}\0{array.dtype.str}\0{array.shape}\0".encode())
        found.update(array.tobytes())
    return found.hexdigest()


def _what_else(data):
    """What a file is that is not whole, or none of ours."""
    if data.startswith(b"PK"):
        return "it is an archive, such as skops writes. Read that by skops.io.load"
    if data.startswith((b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")):
        return "it looks like a pickle, which executes what it holds, and is not opened"
    return "it is no file of save, or its end is missing"


def write_whole(path, data):
    """Write a file that is there as a whole or not at all.

    It is written beside its place, and takes it when it is complete. What is left there of a
    process that was ended while it wrote is removed by the next one that writes this file, a minute
    later at the earliest.

    Parameters
    ----------
    path : Path
    data : bytes

    Raises
    ------
    OSError
        If it cannot be written, such as where the disk is full. What was there is as it was.
    """
    if not path.parent.is_dir():
        raise FileNotFoundError(f"No folder {str(path.parent)!r} to write {path.name!r} into.")
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with open(beside, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        now = beside.stat().st_mtime  # by the clock of the disk
        _remove_parts(path, lambda other: now - other.stat().st_mtime > _ABANDONED)
        os.replace(beside, path)
    except BaseException as problem:
        with contextlib.suppress(OSError):
            beside.unlink()
        if isinstance(problem, OSError) and problem.errno is not None:
            raise OSError(
                problem.errno,
                f"{problem.strerror}; {path.name} was not written, and what was there before is "
                "as it was",
                str(path),
            ) from problem
        raise


def remove_whole(path):
    """Remove a file, and what processes that were ended have left beside it."""
    with contextlib.suppress(OSError):
        path.unlink()
    _remove_parts(path, lambda other: True)


def _remove_parts(path, is_old):
    name = re.compile(rf"\.{re.escape(path.name)}\.[0-9a-f]{{8}}")
    with contextlib.suppress(OSError):  # another process may be quicker
        for other in path.parent.iterdir():
            if name.fullmatch(other.name) and is_old(other):
                other.unlink()
