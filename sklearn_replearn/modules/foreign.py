"""Networks that users give: copied or built, and checked for their shapes."""

import copy

import torch
from torch import nn


def own_copy(module, n_in, n_out, example=None):
    """A module of a user's, copied or built, and checked for its shape.

    Parameters
    ----------
    module : torch.nn.Module or callable
        A module is copied, never changed; a callable is called with ``(n_in, n_out)``.
    n_in, n_out : int
        Widths wanted.
    example : Tensor of shape (2, ...), default=None
        What it is tried with. None: zeros of shape (2, ``n_in``).

    Returns
    -------
    torch.nn.Module, float32, on the CPU

    Raises
    ------
    TypeError
        If the callable returns something else than a module.
    ValueError
        If the callable fails, or rows of width ``n_in`` do not become rows of width ``n_out``.

    Examples
    --------
    >>> from torch import nn
    >>> from sklearn_replearn.modules.foreign import own_copy
    >>> own_copy(nn.Linear, 3, 2)
    Linear(in_features=3, out_features=2, bias=True)
    """
    if isinstance(module, nn.Module):
        built = copy.deepcopy(module)
    else:
        try:
            built = module(n_in, n_out)
        except Exception as error:
            raise ValueError(
                f"{module!r}, called with the widths ({n_in}, {n_out}), raised: {error}"
            ) from error
        if not isinstance(built, nn.Module):
            raise TypeError(
                f"{module!r} must return a torch.nn.Module when called with the widths "
                f"({n_in}, {n_out}); it returned {type(built).__name__}."
            )
    if example is None:
        example = torch.zeros((2, n_in), dtype=torch.float32, device="cpu")
    return checked(built, type(built).__name__, example, n_out)


def checked(module, name, example, n_out):
    """A module of a user's, if it computes rows of width ``n_out``.

    Parameters
    ----------
    module : torch.nn.Module
    name : str
        For messages.
    example : Tensor of shape (2, ...)
        What it is tried with.
    n_out : int

    Returns
    -------
    torch.nn.Module, float32, on the CPU

    Raises
    ------
    TypeError
        If it is no module.
    ValueError
        If it fails, or its rows are of another shape.
    """
    if not isinstance(module, nn.Module):
        raise TypeError(f"{name} must return a torch.nn.Module; got {type(module).__name__}.")
    built = module.to(device="cpu", dtype=torch.float32)
    shown = ", ".join(map(str, example.shape[1:]))
    wanted = f"{name} must turn rows of shape (n, {shown}) into rows of shape (n, {n_out})"
    for dtype in (torch.float32, torch.float64):  # of training, of inference on the CPU
        probe = example.to(dtype) if example.is_floating_point() else example
        # The module itself first: a lazy one learns its sizes by that.
        probed = built if dtype == torch.float32 else copy.deepcopy(built).to(dtype)
        try:
            with torch.no_grad():
                shape = tuple(probed.eval()(probe).shape)
        except Exception as error:
            raise ValueError(
                f"{wanted}; on {dtype} zeros of shape (2, {shown}) it raised: {error}"
            ) from error
        if shape != (2, n_out):
            raise ValueError(f"{wanted}; zeros of shape (2, {shown}) became shape {shape}.")
    return built.train()
