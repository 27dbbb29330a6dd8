"""CoSy: do images made from a label activate the neuron? Source: arXiv 2405.20331, sections 3.2 and 3.3."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64

from csp.method.metrics.statistics import auroc

RESAMPLES = 1000


@dataclass(frozen=True)
class Cosy:
    """How a neuron answers to generated images, beside control images of the probe dataset."""

    auc: float
    """Chance that a generated image activates it more than a control image, ties counted half. 0 to 1;
    higher is better, 0.5 is chance."""
    auc_low: float
    auc_high: float
    """The middle 95 % over resamplings of the generated images."""
    mad: float
    """Mean activation difference: (mean generated - mean control) / standard deviation of the control. Any
    size; higher is better, 0 is no difference. NaN where the control does not vary."""
    mean: float
    """Mean over the generated images, as a share of the neuron's largest activation on the probe dataset (the
    paper's DMA): about 0 to 1, higher is better. NaN for a neuron that never fires."""
    maximum: float
    """Largest over the generated images, in the same unit."""


def cosy(
    control: Float[np.ndarray, " n"],
    generated: Float[np.ndarray, " g"],
    largest: float,
    rng: np.random.Generator,
) -> Cosy:
    """Compare activations on generated images with those on control images; `largest` is its largest.

    Non-finite activations are left out. NaN throughout where either side is empty.
    """
    control = control[np.isfinite(control)].astype(np.float64)
    generated = generated[np.isfinite(generated)].astype(np.float64)
    if not len(control) or not len(generated):
        return Cosy(*[float("nan")] * 6)
    deviation = control.std()
    low, high = np.quantile(_resampled(_wins(control, generated), rng), [0.025, 0.975])
    share = 1 / largest if largest > 0 else float("nan")
    return Cosy(
        auc=auroc(
            np.concatenate([control, generated]), np.arange(len(control) + len(generated)) >= len(control)
        ),
        auc_low=float(low),
        auc_high=float(high),
        mad=float((generated.mean() - control.mean()) / deviation) if deviation > 0 else float("nan"),
        mean=float(generated.mean() * share),
        maximum=float(generated.max() * share),
    )


def _wins(
    control: Float64[np.ndarray, " n"], generated: Float64[np.ndarray, " g"]
) -> Float64[np.ndarray, " g"]:
    """For each generated image, the share of control images below it, ties half: its mean is the AUC."""
    ordered = np.sort(control)
    below = np.searchsorted(ordered, generated, side="left")
    up_to = np.searchsorted(ordered, generated, side="right")
    shares: Float64[np.ndarray, " g"] = (below + up_to) / (2 * len(control))
    return shares


def _resampled(
    values: Float64[np.ndarray, " g"], rng: np.random.Generator
) -> Float64[np.ndarray, " resamples"]:
    chosen = rng.integers(len(values), size=(RESAMPLES, len(values)))
    means: Float64[np.ndarray, " resamples"] = values[chosen].mean(axis=1)
    return means
