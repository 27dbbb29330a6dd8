"""Neurons that follow one attribute each."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float, Float32, Int64

from benchmarks.worlds.neurons import draw_temper, respond
from benchmarks.worlds.scene import Scene, Texts, draw_scene, draw_setting, draw_texts
from benchmarks.worlds.world import Family, Purpose, World

NEURONS = 60


def draw(rng: np.random.Generator, purpose: Purpose) -> World:
    """The plain case."""
    scene = draw_scene(rng, draw_setting(rng, purpose))
    return followers(rng, purpose, scene, draw_texts(rng, scene))


def followers(
    rng: np.random.Generator,
    purpose: Purpose,
    scene: Scene,
    texts: Texts,
    among: Int64[np.ndarray, " m"] | None = None,
    hardness: float | Callable[[int], float] = 1.0,
) -> World:
    """A world of neurons that follow one attribute each, drawn `among` these (all)."""
    if among is None:
        among = np.arange(scene.setting.attributes)
    followed = rng.choice(among, NEURONS)
    activations = [
        respond(
            rng,
            scene,
            scene.strength[:, attribute],
            draw_temper(rng, purpose, hardness(neuron) if callable(hardness) else hardness),
        )
        for neuron, attribute in enumerate(followed.tolist())
    ]
    return world(scene, texts, activations, tuple(texts.naming(one) for one in followed.tolist()))


def world(
    scene: Scene,
    texts: Texts,
    activations: list[Float32[np.ndarray, " n"]] | Float[np.ndarray, "c n"],
    truths: tuple[frozenset[int], ...],
) -> World:
    """These neurons in this scene; the family gives it its name."""
    columns = np.stack(list(activations), axis=1).astype(np.float32)
    return World("", "", columns, scene.embeddings, texts.embeddings, truths, scene.selection)


FAMILY = Family("attributes", "each neuron follows one attribute", draw)
