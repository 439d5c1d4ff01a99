"""Objectives: what training minimises, as small cloneable classes."""

from .aggregate import BetaTCVAE, InfoVAE
from .base import Objective
from .contrastive import DCL, NTXent, SupCon
from .decorrelation import BarlowTwins, VICReg
from .distillation import BYOL, SimSiam
from .elbo import ELBO, IWAE, CapacityELBO
from .reconstruction import Reconstruction
from .sparsity import KLSparsity, L1Sparsity, TopKSparsity

__all__ = [
    "BYOL",
    "DCL",
    "ELBO",
    "IWAE",
    "BarlowTwins",
    "BetaTCVAE",
    "CapacityELBO",
    "InfoVAE",
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
