"""Neurons of two runs that stand for each other: by number in one network, else by how they fire."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float64, Int64

from csp.errors import BadInputError
from csp.keeping.run_folder.run import Run
from csp.method.matching import matched_neurons
from csp.work.attribution.told_head import spread_evenly

ALIKE = 0.5
"""From this correlation on two neurons are taken for counterparts."""
FEWEST = 30
"""On fewer shared images correlations are mostly chance."""
MOST = 8192
"""Neurons of a layer that can be matched: each is compared with each."""
MOST_NUMBERS = 2**27
"""Activations of a run that are held: where there are more, images spread evenly stand for all."""


@dataclass(frozen=True, eq=False)
class Counterparts:
    """For each neuron of run a its counterpart in run b."""

    neuron_b: Int64[np.ndarray, " a"]
    """-1 without one."""
    alike: Float64[np.ndarray, " a"]
    """Correlation of the pair on the shared images; NaN without a partner, and by number."""
    images: int | None
    """Shared images that they were matched on; None: one network, so numbers name the same neurons."""

    @property
    def paired_b(self) -> Int64[np.ndarray, " a"]:
        """The counterparts that are alike enough, -1 where there is none."""
        return self.neuron_b if self.images is None else np.where(self.alike >= ALIKE, self.neuron_b, -1)


def counterparts(a: Run, b: Run, layer: str) -> Counterparts:
    """By number where both runs hold the same weights, else one to one by activations on shared images.

    Raises BadInputError where neither is possible.
    """
    sizes = [run.layer(layer).neurons for run in (a, b)]
    hashes = {run.manifest.target.hash for run in (a, b)}
    if len(hashes) == 1 and "" not in hashes and sizes[0] == sizes[1]:
        return Counterparts(np.arange(sizes[0]), np.full(sizes[0], np.nan), None)
    left, right = _shared_images(a, b)
    other = f"{a.name} and {b.name} are not of the same weights, so equal numbers name different neurons"
    if len(left) < FEWEST:
        raise BadInputError(
            f"{other}, and with {len(left)} images in common they can't be matched by how they fire either: "
            f"make both runs with the same images (at least {FEWEST})"
        )
    if max(sizes) > MOST:
        raise BadInputError(f"{other}, and {layer} has too many to match ({max(sizes):,}; at most {MOST:,})")
    some = spread_evenly(len(left), MOST_NUMBERS // max(sizes))
    left, right = left[some], right[some]
    partner, alike = matched_neurons(a.of_images(layer, left), b.of_images(layer, right))
    return Counterparts(partner, alike, len(left))


def _shared_images(a: Run, b: Run) -> tuple[Int64[np.ndarray, " s"], Int64[np.ndarray, " s"]]:
    """Rows of the same images in both: of one dataset by place, else by path and size."""
    hashes = {run.manifest.dataset.hash for run in (a, b)}
    if len(hashes) == 1 and "" not in hashes and a.manifest.images == b.manifest.images:
        return np.arange(a.manifest.images), np.arange(b.manifest.images)
    names = ["path", "width", "height"]
    left, right = (run.images[["image", *names]].dropna().drop_duplicates(names) for run in (a, b))
    both = pd.merge(left, right, on=names)
    return both["image_x"].to_numpy(dtype=np.int64), both["image_y"].to_numpy(dtype=np.int64)
