"""Made-up worlds whose neurons follow one to three things, or the absence of one.

A neuron tells a thing that it was made to follow where that is clear: where its activations tell the thing
(AUROC of at least 0.85) among the held-out images that show none of its other things. Neurons also differ by
class: where classes count, a class is one more thing that each may tell.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from zlib import crc32

import numpy as np
from jaxtyping import Bool, Float, Float32

from benchmarks.worlds.neurons import Temper, draw_temper, respond
from benchmarks.worlds.scene import Scene, draw_scene, draw_setting, draw_texts
from benchmarks.worlds.world import Purpose
from csp.errors import BadInputError
from csp.keeping.library.find import find_run
from csp.keeping.run_folder.run import Run
from csp.method.metrics.ground_truth import CLEAR, attribute_auroc, true_attributes
from csp.work.splits import selection
from csp.world.dermoscopy.terms import DIAGNOSIS_NAMES, bare

NEURONS = 60

Thing = tuple[int, bool]
"""An attribute, and whether it is its absence that counts."""
Drive = Callable[[np.random.Generator, Scene], tuple[Float[np.ndarray, " n"], tuple[Thing, ...]]]
"""Draws how much each image drives a neuron, and the things that it follows."""


@dataclass(frozen=True, eq=False)
class FacetWorld:
    """A probe dataset with its neurons, and what its images show and its texts name."""

    name: str
    activations: Float32[np.ndarray, "n c"]
    embeddings: Float32[np.ndarray, "n d"]
    text_embeddings: Float32[np.ndarray, "t d"]
    present: Bool[np.ndarray, "n a"]
    names: tuple[frozenset[int], ...]
    """Of each text the attributes that it names."""
    selection: Bool[np.ndarray, " n"]
    attributes: int
    """So many of what images show come first; the rest are classes."""
    followed: tuple[tuple[Thing, ...], ...]
    """Of each neuron what it was made to follow, and what else it may tell."""

    def told(self, neuron: int) -> frozenset[Thing]:
        """What a neuron clearly tells."""
        return frozenset(one for one in self.followed[neuron] if self._clear(neuron, one))

    def named(self, text: int, absent: bool) -> frozenset[Thing]:
        """What a text names; one that names no attribute is a thing of its own, that is never told."""
        return frozenset((one, absent) for one in self.names[text] or {-1 - text})

    def _clear(self, neuron: int, thing: Thing) -> bool:
        attribute, absent = thing
        rows = ~self.selection
        for other, lacking in self.followed[neuron]:
            if other != attribute and other < self.attributes:
                rows = rows & (self.present[:, other] == lacking)
        shown = self.present[rows][:, [attribute]] != absent
        return bool(attribute_auroc(self.activations[rows][:, [neuron]], shown)[0, 0] >= CLEAR)


@dataclass(frozen=True)
class FacetFamily:
    """A kind of world: how its neurons are driven, and between which rates its attributes lie."""

    name: str
    drive: Drive
    rates: tuple[float, float] = (0.06, 0.4)

    def worlds(self, purpose: Purpose, count: int, classes: bool = False) -> Iterator[FacetWorld]:
        """`count` worlds of this family; the same ones each time, and none of the other purpose's.

        `classes`: whether they count as things.
        """
        for number in range(count):
            seed = [crc32(f"facets {self.name}".encode()), crc32(purpose.encode()), number]
            yield self._world(np.random.default_rng(seed), purpose, f"{self.name} {number + 1}", classes)

    def _world(self, rng: np.random.Generator, purpose: Purpose, name: str, classes: bool) -> FacetWorld:
        scene = draw_scene(rng, replace(draw_setting(rng, purpose), rates=self.rates))
        texts = draw_texts(rng, scene)
        drives = [self.drive(rng, scene) for _ in range(NEURONS)]
        columns = [respond(rng, scene, drive, _temper(rng, purpose)) for drive, _ in drives]
        names = [frozenset({one} if one >= 0 else ()) for one in texts.attribute.tolist()]
        present, more = scene.present, tuple[Thing, ...]()
        if classes:
            count, first = scene.setting.classes, scene.setting.attributes
            more = tuple((first + one, False) for one in range(count))
            present = np.concatenate([present, scene.classes[:, None] == np.arange(count)], axis=1)
            for one, text in enumerate(texts.of_classes):
                names[text] = frozenset({first + one})
        return FacetWorld(
            name,
            np.stack(columns, axis=1),
            scene.embeddings,
            texts.embeddings,
            present,
            tuple(names),
            scene.selection,
            scene.setting.attributes,
            tuple(things + more for _, things in drives),
        )


def _temper(rng: np.random.Generator, purpose: Purpose) -> Temper:
    """A neuron's temper; a neuron of several things must fire often enough to show them."""
    temper = draw_temper(rng, purpose)
    return temper if temper.firing is None else replace(temper, firing=max(temper.firing, 0.1))


def _stronger(count: int) -> Drive:
    """Driven by the strongest of `count` things."""
    return lambda rng, scene: _driven(rng, scene, count, np.max)


def _together(count: int) -> Drive:
    """Driven by the sum of `count` things."""
    return lambda rng, scene: _driven(rng, scene, count, np.sum)


def _driven(
    rng: np.random.Generator, scene: Scene, count: int, join: Callable[..., np.ndarray]
) -> tuple[Float[np.ndarray, " n"], tuple[Thing, ...]]:
    things = rng.choice(scene.setting.attributes, count, replace=False)
    much = scene.strength[:, things] * np.array([1.0, *rng.uniform(0.6, 1.0, count - 1)])
    return join(much, axis=1), tuple((one, False) for one in things.tolist())


def _absence(rng: np.random.Generator, scene: Scene) -> tuple[Float[np.ndarray, " n"], tuple[Thing, ...]]:
    thing = int(rng.integers(scene.setting.attributes))
    return 1.0 - scene.present[:, thing], ((thing, True),)


FAMILIES = {
    family.name: family
    for family in (
        FacetFamily("one thing", _stronger(1)),
        FacetFamily("two things, the stronger", _stronger(2)),
        FacetFamily("two things, together", _together(2)),
        FacetFamily("three things, the stronger", _stronger(3)),
        FacetFamily("three things, together", _together(3)),
        FacetFamily("two rare things", _stronger(2), rates=(0.02, 0.08)),
        FacetFamily("absence", _absence, rates=(0.3, 0.7)),
    )
}


@dataclass(frozen=True, eq=False)
class RunWorld(FacetWorld):
    """A stored run whose images have attributes and classes: things are both."""

    def told(self, neuron: int) -> frozenset[Thing]:
        """The thing told best if that is clear, then the best among images that lack it, and so on."""
        found, left = list[int](), ~self.selection
        while True:
            best = true_attributes(attribute_auroc(self.activations[left][:, [neuron]], self.present[left]))[
                0
            ]
            if best < 0:
                return frozenset((one, False) for one in found)
            found.append(int(best))
            left = left & ~self.present[:, best]


def run_world(name: str, classes: bool = False) -> FacetWorld:
    """All neurons of a stored run; BadInputError without attributes, vocabulary or split.

    `classes`: whether all the words for a diagnosis name it, not only the one that the run gives it.
    """
    run = Run.open(find_run(name))
    chosen = selection(run)
    if run.text_embeddings is None or not run.attributes or chosen is None:
        raise BadInputError(f"the run {name} lacks attributes of its images, a vocabulary or held-out images")
    labels = run.images["label"]
    present = {name: run.images[name].to_numpy(dtype=bool) for name in run.attributes}
    present |= {name: (labels == name).to_numpy() for name in sorted(set(labels.dropna()) - {""})}
    place = {name: number for number, name in enumerate(present)}
    words = {bare(word): one for one, all_ in DIAGNOSIS_NAMES.items() for word in all_} if classes else {}
    named = zip(run.vocabulary["text"], run.vocabulary["attributes"], strict=True)
    return RunWorld(
        run.name,
        np.concatenate([run.layer_activations(layer) for layer in run.layers], axis=1),
        run.embeddings,
        run.text_embeddings,
        np.column_stack(list(present.values())),
        tuple(
            frozenset(place[one] for one in (*names, words.get(text, text)) if one in place)
            for text, names in named
        ),
        chosen,
        len(run.attributes),
        (),
    )
