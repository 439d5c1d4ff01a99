"""Arrays of other libraries (torch, CuPy, JAX, …) as those of NumPy, and results as theirs."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from sklearn import get_config

from .sklearn import convert_to_numpy, get_namespace_and_device

_FLOATS = (torch.float16, torch.float32, torch.float64)


def of_another_library(array):
    """Whether it is an array, and none of NumPy."""
    if isinstance(array, np.ndarray):
        return False
    return hasattr(array, "__dlpack__") and hasattr(array, "shape")


def as_numpy(array):
    """An array of another library as one of NumPy on the CPU; anything else as it is.

    Raises
    ------
    ValueError
        If it is a tensor that holds no numbers, or not one for each cell.
    """
    if isinstance(array, torch.Tensor):
        return _of_tensor(array)
    if of_another_library(array):
        namespace = getattr(array, "__array_namespace__", None)
        array = np.from_dlpack(array) if namespace is None else convert_to_numpy(array, namespace())
    if isinstance(array, np.ndarray) and array.dtype.kind == "V" and array.dtype.names is None:
        return array.astype(np.float32)  # bfloat16 and such, which NumPy has no name for
    return array


def as_cell(cell):
    """A tensor or array of no axis as a number; anything else as it is, or an array of NumPy."""
    array = as_numpy(cell)
    return array[()] if isinstance(array, np.ndarray) and array.ndim == 0 else array


def _of_tensor(tensor):
    if hasattr(tensor, "get_mask"):
        data, known = _of_tensor(tensor.get_data()), _of_tensor(tensor.get_mask())
        return np.ma.MaskedArray(data, mask=~known)
    if tensor.is_meta:
        raise ValueError(
            'The tensor is on the device "meta" and holds no numbers. Give one that is on the CPU '
            "or on an accelerator."
        )
    if tensor.layout is not torch.strided or tensor.is_nested:
        raise ValueError(
            f"The tensor is sparse or nested (layout {tensor.layout}). Make it dense first: "
            "tensor.to_dense(), or tensor.to_padded_tensor(nan) where its rows differ in length."
        )
    tensor = tensor.detach().as_subclass(torch.Tensor)
    tensor = tensor.dequantize() if tensor.is_quantized else tensor
    tensor = tensor.cpu().resolve_conj().resolve_neg()
    if tensor.is_floating_point() and tensor.dtype not in _FLOATS:
        tensor = tensor.float()
    return tensor.numpy()


@dataclass(frozen=True)
class Namespace:
    """Where results go while scikit-learn's ``array_api_dispatch`` is on.

    Attributes
    ----------
    xp : module
        Of the array API.
    device : object
        Of the array that was given.
    """

    xp: Any
    device: Any

    def holding(self, result):
        """Arrays of numbers as those of the namespace; what else there is as it is."""
        if isinstance(result, tuple | list):
            return type(result)(map(self.holding, result))
        if not isinstance(result, np.ndarray) or result.dtype.kind not in "fiub":
            return result
        try:
            return self.xp.asarray(result, device=self.device)
        except TypeError:  # some devices have no float64
            return self.xp.asarray(result.astype(np.float32), device=self.device)


def dispatching():
    """Whether the caller wants results in the namespace of what it gives."""
    return get_config()["array_api_dispatch"]


def namespace_of(array):
    """The namespace that results for an array go to, or None: they stay as they are."""
    if not dispatching() or not of_another_library(array):
        return None
    xp, _, device = get_namespace_and_device(array)
    return Namespace(xp, device)
