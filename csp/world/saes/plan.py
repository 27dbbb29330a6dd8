"""How a sparse autoencoder is to be trained; read without torch."""

import math
from dataclasses import dataclass
from typing import Literal, get_args

from csp.errors import BadInputError

Kind = Literal["topk", "batchtopk", "relu", "jumprelu"]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True)
class SaePlan:
    """How to train. `active`: of TopK and BatchTopK, how many latents fire at a position (on average);
    `penalty`: of the others, the weight of the sum of latents beside the mean squared error."""

    kind: Kind = "topk"
    latents: int = 4096
    active: int = 32
    penalty: float = 0.003
    epochs: int = 20
    batch: int = 1024
    rate: float = 1e-3
    seed: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise BadInputError(f"The kind of SAE '{self.kind}' is none of {', '.join(KINDS)}.")
        for name in ("latents", "active", "epochs", "batch"):
            if getattr(self, name) < 1:
                raise BadInputError(f"--{name} must be at least 1, not {getattr(self, name)}.")
        if self.kind in ("topk", "batchtopk") and self.active > self.latents:
            raise BadInputError(f"Of {self.latents} latents {self.active} can't be active at a time.")
        for name in ("penalty", "rate"):
            if not (math.isfinite(getattr(self, name)) and getattr(self, name) > 0):
                raise BadInputError(f"--{name} must be a number above 0, not {getattr(self, name)}.")
