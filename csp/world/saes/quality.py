"""How good a trained SAE is, as numbers and in one sentence; needs no torch."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class SaeQuality:
    """On positions that were not trained on: mean squared error by that of the mean (`unexplained`, so that
    `explained` is 1 less it), latents above 0 at a position (`l0`), share that never fire (`dead`)."""

    explained: float
    l0: float
    dead: float
    positions: int

    @property
    def sentence(self) -> str:
        """All of it in words; of one that is worse than answering the mean, what to try."""
        share = f"{100 * self.explained:.1f} % of what its layer varies by at a position"
        if self.explained > 0:
            said, tips = f"explains {share}", ""
        else:
            how = "worse" if self.explained < 0 else "no better"
            said, tips = f"is {how} than answering the mean ({share})", f" {TIPS}"
        return (
            f"The SAE {said}, with {self.l0:.1f} latents above 0; {100 * self.dead:.1f} % of latents never "
            f"fire ({self.positions:,} positions held out).{tips}"
        )


def read_quality(said: Mapping[str, Any]) -> SaeQuality:
    """As it was written beside an SAE; raises LookupError, TypeError, ValueError, OverflowError for else."""
    explained, l0, dead = (float(said[name]) for name in ("explained", "l0", "dead"))
    return SaeQuality(explained, l0, dead, int(said["positions"]))


TIPS = (
    "Train it longer (--epochs), on more positions of each image (--positions), or with another --rate or "
    "number of --latents."
)
