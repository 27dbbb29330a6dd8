"""A run's first labels beside noise, as a table: one row for each layer and labeler."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from csp.method.labelers.registry import LABELERS
from csp.work.control.control import first_scores, label_fits, layer_control
from csp.work.explorer.explorer import Explorer


def control_rows(explorer: Explorer, layers: Sequence[str]) -> list[dict[str, Any]]:
    """Medians of what first labels score and how well they fit, each beside noise (mean, 95 % quantile).

    `above` counts the labels that fit above noise, `by_chance` how many of noise would. No row for a labeler
    without labels in the run.
    """
    found = []
    for layer in layers:
        control = layer_control(explorer, layer)
        for labeler in LABELERS:
            noise, fits = control.noise(labeler), label_fits(explorer, layer, labeler)
            if noise is None or fits is None:
                continue
            found.append(
                {
                    "layer": layer,
                    "labeler": labeler,
                    "neurons": len(fits.fits),
                    "score": float(np.median(first_scores(explorer, layer, labeler))),
                    "score_noise": noise.mean,
                    "score_noise_high": noise.high,
                    "fit": float(fits.fits.median()),
                    "fit_noise": fits.noise.mean,
                    "fit_noise_high": fits.noise.high,
                    "above": len(fits.above),
                    "by_chance": fits.by_chance,
                }
            )
    return found
