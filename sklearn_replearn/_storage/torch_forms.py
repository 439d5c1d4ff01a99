"""How what users give of torch is written plainly."""

import torch

from .forms import Form, by_text


def _tensor(value):
    return {"cells": value.detach().cpu().numpy()}


FORMS = (
    by_text("device", torch.device),
    Form("tensor", torch.Tensor, _tensor, lambda cells: torch.from_numpy(cells.copy("K"))),
)
