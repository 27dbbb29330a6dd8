"""Made-up neurons: how much they are driven, by what, and what comes out of the layer."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32

from benchmarks.worlds.scene import Scene
from benchmarks.worlds.world import Purpose


@dataclass(frozen=True)
class Temper:
    """How cleanly a neuron follows its drive, in units of the drive."""

    noise: float
    by_class: float
    """How much it also differs between classes."""
    by_others: float
    """How much three other attributes move it."""
    by_nuisance: float
    firing: float | None
    """Share of images on which it fires; None: on all, as means over large maps do."""


def draw_temper(rng: np.random.Generator, purpose: Purpose, hardness: float = 1.0) -> Temper:
    """A neuron's temper; those of judging worlds come from wider ranges. Above hardness 1 all is worse."""
    worst = hardness * (1.25 if purpose is Purpose.JUDGING else 1.0)
    return Temper(
        noise=float(rng.uniform(0.1, 0.45) * worst),
        by_class=float(rng.uniform(0.0, 0.4) * worst),
        by_others=float(rng.uniform(0.0, 0.3) * worst),
        by_nuisance=float(rng.uniform(0.0, 0.2) * worst),
        firing=None if rng.random() < 0.4 else float(rng.uniform(0.03, 0.6)),
    )


def respond(
    rng: np.random.Generator, scene: Scene, drive: Float[np.ndarray, " n"], temper: Temper
) -> Float32[np.ndarray, " n"]:
    """The activations of a neuron that follows `drive`, about 1 where what it looks for is there."""
    classes, others = rng.standard_normal(scene.setting.classes), np.zeros(scene.setting.attributes)
    others[rng.choice(len(others), 3, replace=False)] = 1
    way = rng.standard_normal(scene.setting.nuisances) / np.sqrt(scene.setting.nuisances)
    pre = (
        drive
        + temper.by_class * classes[scene.classes]
        + temper.by_others * scene.strength @ others
        + temper.by_nuisance * scene.nuisance @ way
        + temper.noise * rng.standard_normal(len(drive))
    )
    return rectify(pre, temper.firing)


def rectify(pre: Float[np.ndarray, " n"], firing: float | None) -> Float32[np.ndarray, " n"]:
    """What of it is above the threshold that lets it fire on this share of the images."""
    threshold = pre.min() if firing is None else np.quantile(pre, 1 - firing)
    fired: Float32[np.ndarray, " n"] = np.maximum(pre - threshold, 0).astype(np.float32)
    return fired
