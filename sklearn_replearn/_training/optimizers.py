"""Adam in one fused call, ready without what torch loads for its compiler.

The optimizers of ``torch.optim`` import ``torch._dynamo`` when the first one of a process is made,
which takes a second of CPU in every worker of a grid search. These do not: they replace the methods
that torch marks as "not to be compiled". The operations underneath are private: where a torch has
none of that name, or none that is called so, ``OPTIMIZERS`` has the classes of ``torch.optim``.
"""

from functools import partial

import torch

# One step of weights, gradients and moments of 1 goes by the learning rate.
_TRIED = {"lr": 0.1, "beta1": 0.0, "beta2": 0.0, "weight_decay": 0.0, "eps": 1e-8}


def _fused(name):
    """A fused operation of torch's, or None where there is none that does what is done here."""
    update = getattr(torch, name, None)
    if update is None or not hasattr(torch, "_foreach_add_"):
        return None
    weight, *others = (torch.ones(1, dtype=torch.float32, device="cpu") for _ in range(5))
    try:
        _apply(update, *([tensor] for tensor in (weight, *others)), **_TRIED)
    except Exception:  # whatever a torch to come may say
        return None
    return update if abs(float(weight) - 0.9) < 1e-3 else None


def _apply(update, weights, gradients, means, squares, steps, **settings):
    update(weights, gradients, means, squares, [], steps, amsgrad=False, maximize=False, **settings)


class Adam(torch.optim.Optimizer):
    """Adam (Kingma and Ba 2015), as ``torch.optim.Adam(fused=True)``.

    Parameters
    ----------
    params : iterable of parameters or of groups
    lr : float
    betas : tuple of two floats
    eps : float
    weight_decay : float
        Added to the gradient, in proportion to the weights.
    """

    fused = _fused("_fused_adam_")

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
        for name, value, holds, wanted in (
            ("lr", lr, lr >= 0, "0 or more"),
            ("betas", betas, all(0 <= beta < 1 for beta in betas), "at least 0 and below 1"),
            ("eps", eps, eps >= 0, "0 or more"),
            ("weight_decay", weight_decay, weight_decay >= 0, "0 or more"),
        ):
            if not holds:
                raise ValueError(f"{type(self).__name__}: {name} must be {wanted}; got {value!r}.")
        super().__init__(
            params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay}
        )

    def add_param_group(self, param_group):
        """Take these parameters, with the defaults for settings that the group does not have."""
        self.param_groups.append(
            {**self.defaults, **param_group, "params": [*param_group["params"]]}
        )

    def zero_grad(self, set_to_none=True):
        """Forget all gradients."""
        for group in self.param_groups:
            for weight in group["params"]:
                weight.grad = None

    def state_dict(self):
        """Settings, and the state of each weight by its number."""
        weights = self._weights()
        groups = [
            {name: value for name, value in group.items() if name != "params"}
            for group in self.param_groups
        ]
        state = {i: dict(self.state[w]) for i, w in enumerate(weights) if self.state[w]}
        return {"state": state, "param_groups": groups}

    def load_state_dict(self, state_dict):
        """Take over what :meth:`state_dict` returned, on the devices of the weights here."""
        for group, settings in zip(self.param_groups, state_dict["param_groups"], strict=True):
            group.update({name: settings[name] for name in self.defaults})
        self.state.clear()
        weights = self._weights()
        for number, state in state_dict["state"].items():
            weight = weights[number]
            self.state[weight] = {name: _laid_out(value, weight) for name, value in state.items()}

    def _weights(self):
        return [weight for group in self.param_groups for weight in group["params"]]

    @torch.no_grad()
    def step(self, closure=None):
        """Compute the loss by ``closure``, and update every weight that has a gradient."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            weights = [weight for weight in group["params"] if weight.grad is not None]
            states = [self.state_of(weight) for weight in weights]
            self.update(
                group,
                weights,
                [weight.grad for weight in weights],
                *([state[name] for state in states] for name in ("exp_avg", "exp_avg_sq", "step")),
            )
        return loss

    def state_of(self, weight):
        """The moments of one weight, and how often it was updated."""
        state = self.state[weight]
        if not state:
            state["step"] = torch.zeros((), dtype=torch.float32, device=weight.device)
            state["exp_avg"] = torch.zeros_like(weight)
            state["exp_avg_sq"] = torch.zeros_like(weight)
        return state

    def update(self, group, weights, gradients, means, squares, steps):
        """One step with the settings of a group, on lists of tensors."""
        if not weights:
            return
        torch._foreach_add_(steps, 1)
        beta1, beta2 = group["betas"]
        settings = {name: group[name] for name in ("lr", "weight_decay", "eps")}
        _apply(
            type(self).fused,
            weights,
            gradients,
            means,
            squares,
            steps,
            beta1=beta1,
            beta2=beta2,
            **settings,
        )


def _laid_out(value, weight):
    """A copy on the device of a weight, and in its order: fused operations take both as it lies."""
    if value.shape != weight.shape:
        return value.to(weight.device)
    return torch.empty_like(weight, dtype=value.dtype, requires_grad=False).copy_(value)


class AdamW(Adam):
    """Adam whose weight decay does not pass through the moments (Loshchilov and Hutter 2019)."""

    fused = _fused("_fused_adamw_")


def check_optimizer(optimizer, **settings):
    """Refuse what is called like no class of ``torch.optim``.

    Raises
    ------
    ValueError
        Says what went wrong when it was tried.
    """
    wanted = "optimizer must be called like a class of torch.optim, with weights and lr=..."
    try:
        made = optimizer([torch.nn.Parameter(torch.zeros(1, dtype=torch.float32))], **settings)
    except Exception as problem:
        raise ValueError(f"{wanted}; {optimizer!r} raised: {problem}") from problem
    if not (hasattr(made, "step") and hasattr(made, "zero_grad")):
        raise ValueError(
            f"{wanted}, and return an optimizer; {optimizer!r} returned {type(made).__name__}."
        )


#: By the names that estimators take.
OPTIMIZERS = {
    "adam": Adam if Adam.fused else torch.optim.Adam,
    "adamw": AdamW if AdamW.fused else torch.optim.AdamW,
    "sgd": partial(torch.optim.SGD, momentum=0.9, nesterov=True),
}
