"""Measures the demo's small VLM on made-up neurons over held-out pictures, asked the way the app asks.

Usage: python -m scripts.demo.evaluate_vlm [--neurons 400]
Writes its part of assets/models/report.json.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from jaxtyping import Float64
from PIL import Image

from csp.method.metrics.statistics import Interval, bootstrap_interval
from csp.world.dermoscopy.attributes import ATTRIBUTES
from csp.world.dermoscopy.terms import names
from csp.world.pictures import grid
from csp.world.protocols.vlm import Vlm, open_vlm
from csp.world.vlms.parse_answer import parse_answer
from csp.world.vlms.prompts import PROMPTS, Mode
from scripts.demo.data import Images, load_images, renderer_fingerprint
from scripts.demo.train_vlm import FOLDER
from scripts.demo.training import report
from scripts.demo.vlm_features import load_pool
from scripts.demo.vlm_lessons import answer, grids
from scripts.demo.vlm_model import PIXELS
from scripts.demo.vlm_neurons import MadeUpNeuron, Pool, made_up, rates

TEST = range(2_000_000, 2_001_000)
MODES: tuple[Mode, Mode] = ("contrastive", "activating-only")
SHARED = 7 / 9
"""An attribute that this share of both grids shows is incidental: the neuron can't follow it."""


@dataclass(frozen=True)
class Answered:
    """What the model named for one neuron, as attributes in order, and what its grids share by the way."""

    attribute: str
    named: tuple[str, ...]
    incidental: frozenset[str]


MEASURES: dict[str, Callable[[Answered], bool]] = {
    "true attribute among the three": lambda one: one.attribute in one.named,
    "true attribute first": lambda one: one.named[:1] == (one.attribute,),
    "something named that both grids share": lambda one: not one.incidental.isdisjoint(one.named),
}


def answered(vlm: Vlm, pool: Pool, images: Images, neuron: MadeUpNeuron, mode: Mode, pixels: int) -> Answered:
    """Show the model a neuron's grids and read its answer."""
    pictures = [
        grid.picture_grid([Image.fromarray(images[i]) for i in grid], pixels=pixels)
        for grid in grids(neuron, mode)
    ]
    named = tuple(attribute_named(text) for text in parse_answer(vlm.answer(pictures, PROMPTS[mode], seed=0)))
    return Answered(ATTRIBUTES[neuron.attribute], named, incidental(pool, neuron))


def attribute_named(text: str) -> str:
    """The attribute that a concept names; the concept itself where it names none."""
    return next((attribute for attribute in ATTRIBUTES if text in names(attribute)), text)


def incidental(pool: Pool, neuron: MadeUpNeuron) -> frozenset[str]:
    """The attributes that both grids share, save the one that the neuron follows."""
    first, second = (rates(pool.shown[grid]) for grid in (neuron.activating, neuron.contrastive))
    shared = (first >= SHARED) & (second >= SHARED)
    return frozenset(ATTRIBUTES[i] for i in np.flatnonzero(shared) if i != neuron.attribute)


def compared(contrastive: Sequence[Answered], activating_only: Sequence[Answered]) -> dict[str, Any]:
    """Every measure in both modes on the same neurons, and the paired difference, with intervals."""
    rng = np.random.default_rng(0)
    found = {}
    for name, holds in MEASURES.items():
        with_twins, without = _values(contrastive, holds), _values(activating_only, holds)
        found[name] = {
            "contrastive": _written(bootstrap_interval(with_twins, rng)),
            "activating-only": _written(bootstrap_interval(without, rng)),
            "difference": _written(bootstrap_interval(with_twins - without, rng)),
        }
    return found


def numbers(
    vlm: Vlm, pool: Pool, images: Images, neurons: Sequence[MadeUpNeuron], pixels: int
) -> dict[str, Any]:
    """The model's answers in both modes, measured."""
    return on_all_and_misleading(
        [[answered(vlm, pool, images, neuron, mode, pixels) for neuron in neurons] for mode in MODES]
    )


def on_all_and_misleading(both: Sequence[Sequence[Answered]]) -> dict[str, Any]:
    """The measures over all neurons, and over those whose grids share something by the way."""
    misleading = [[one for one in answers if one.incidental] for answers in both]
    return {"neurons": compared(*both), "neurons whose grids share an attribute": compared(*misleading)}


def true_answers(pool: Pool, neurons: Sequence[MadeUpNeuron]) -> dict[str, Any]:
    """The same for a reader who knows what each picture shows: even that does not always tell the neuron."""
    rng = np.random.default_rng(0)
    return on_all_and_misleading([[_told(pool, neuron, mode, rng) for neuron in neurons] for mode in MODES])


def main() -> None:
    """Measure at the demo's own size of grids and at the paper's."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--neurons", type=int, default=400)
    pool, images = load_pool(TEST), load_images(TEST)
    neurons = list(islice(made_up(pool, np.random.default_rng(23)), parser.parse_args().neurons))
    vlm = open_vlm(f"hf:{FOLDER}")
    found: dict[str, Any] = {
        f"grids of {pixels} pixels": numbers(vlm, pool, images, neurons, pixels)
        for pixels in (PIXELS, grid.PIXELS)
    }
    found["a reader of the truth"] = true_answers(pool, neurons)
    found |= {"images": len(TEST), "seeds": [TEST.start, TEST.stop - 1], "renderer": renderer_fingerprint()}
    report("vlm", found)
    print(json.dumps(found, indent=2))


def _told(pool: Pool, neuron: MadeUpNeuron, mode: Mode, rng: np.random.Generator) -> Answered:
    named = tuple(map(attribute_named, answer(pool, neuron, mode, rng).split("\n")))
    return Answered(ATTRIBUTES[neuron.attribute], named, incidental(pool, neuron))


def _values(answers: Sequence[Answered], holds: Callable[[Answered], bool]) -> Float64[np.ndarray, " n"]:
    return np.array([holds(one) for one in answers], dtype=np.float64)


def _written(interval: Interval) -> dict[str, float]:
    rounded = {key: round(getattr(interval, key), 3) for key in ("value", "low", "high")}
    return {**rounded, "n": interval.n}


if __name__ == "__main__":
    main()
