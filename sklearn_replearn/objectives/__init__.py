"""Objectives: what training minimises, as small cloneable classes."""

from .base import Objective
from .contrastive import DCL, NTXent, SupCon
from .decorrelation import BarlowTwins, VICReg
from .distillation import BYOL, SimSiam
from .elbo import ELBO
from .reconstruction import Reconstruction
from .sparsity import KLSparsity, L1Sparsity, TopKSparsity

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
