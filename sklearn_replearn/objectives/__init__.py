"""Objectives: what training minimises, as small cloneable classes."""

from ._base import Objective
from ._contrast import DCL, NTXent, SupCon
from ._decorrelation import BarlowTwins, VICReg
from ._distillation import BYOL, SimSiam
from ._reconstruction import ELBO, KLSparsity, L1Sparsity, Reconstruction, TopKSparsity

__all__ = [
    "BYOL",
    "DCL",
    "ELBO",
    "BarlowTwins",
    "KLSparsity",
    "L1Sparsity",
    "NTXent",
    "Objective",
    "Reconstruction",
    "SimSiam",
    "SupCon",
    "TopKSparsity",
    "VICReg",
]
