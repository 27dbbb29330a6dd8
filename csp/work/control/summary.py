"""A run's first labels beside the controls, as a table: one row for each layer and labeler."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from csp.method.labelers.registry import LABELERS
from csp.work.control.control import LabelFits, LayerControl, first_scores, label_fits, layer_control
from csp.work.control.untrained import untrained_control
from csp.work.explorer.explorer import Explorer


def control_rows(explorer: Explorer, layers: Sequence[str]) -> list[dict[str, Any]]:
    """Medians of what first labels score and how well they fit, each beside noise (mean, 95 % quantile).

    `above` counts the labels that fit above noise, `by_chance` how many of noise would, `above_untrained` how
    many with random weights would; None where those were not measured. No row for a labeler without labels.
    """
    found = []
    for layer in layers:
        control, untrained = layer_control(explorer, layer), untrained_control(explorer, layer)
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
                    **_with_random_weights(untrained, labeler, fits),
                }
            )
    return found


def _with_random_weights(untrained: LayerControl | None, labeler: str, fits: LabelFits) -> dict[str, Any]:
    found = {
        "score_untrained": untrained and untrained.noise(labeler),
        "fit_untrained": untrained and untrained.noise_of_fit(labeler),
    }
    reach = untrained and untrained.by_chance(labeler, bool, len(fits.fits), fits.noise)
    means = {name: one.mean if one else None for name, one in found.items()}
    return {**means, "above_untrained": reach.expected if reach else None}
