"""The base of the made-up worlds: images with attributes and classes, and an encoder that sees them.

An image holds some of the attributes and is of one class, which tilts how likely each attribute is. The
encoder adds up a direction for each attribute and the class, directions of things that nobody names
(light, framing), noise, and a common direction of all images; texts have another common direction (the
modality gap, Liang et al. 2022, arXiv 2203.02053) and are only roughly where their attribute is.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float32, Int64

from benchmarks.worlds.world import Purpose

NOTHING = -1
"""The attribute of a text that names none."""


@dataclass(frozen=True)
class Setting:
    """The numbers of one scene."""

    images: int
    dimensions: int
    attributes: int
    classes: int
    nuisances: int
    gap: float
    """Length of the common direction of the images, and of that of the texts; attributes have about 1."""
    class_pull: float
    noise: float
    """Length of what is an image's own."""
    text_noise: float
    """How far a text is from its attribute."""
    tilt: float
    """How much classes change the odds of attributes (standard deviation of the log odds)."""
    synonyms: int
    distractors: int
    rates: tuple[float, float]
    """From where to where the attributes' base rates go."""


def draw_setting(rng: np.random.Generator, purpose: Purpose) -> Setting:
    """A scene's numbers; those of judging worlds come from wider ranges."""
    wide = 1.4 if purpose is Purpose.JUDGING else 1.0
    return Setting(
        images=int(rng.choice([800, 1200, 1600])),
        dimensions=int(rng.choice([64, 128, 256])),
        attributes=int(rng.integers(12, 28)),
        classes=int(rng.integers(3, 8)),
        nuisances=int(rng.integers(6, 16)),
        gap=float(rng.uniform(0.8 / wide, 2.0 * wide)),
        class_pull=float(rng.uniform(0.3, 1.2 * wide)),
        noise=float(rng.uniform(0.6 / wide, 1.4 * wide)),
        text_noise=float(rng.uniform(0.2 / wide, 0.5 * wide)),
        tilt=float(rng.uniform(0.3, 1.3 * wide)),
        synonyms=int(rng.choice([1, 2, 4, 8])),
        distractors=int(rng.choice([60, 150, 300, 1000])),
        rates=(0.06, 0.4),
    )


@dataclass(frozen=True, eq=False)
class Scene:
    """The images of a world and how its encoder sees them and the texts."""

    setting: Setting
    classes: Int64[np.ndarray, " n"]
    present: Bool[np.ndarray, "n a"]
    strength: Float[np.ndarray, "n a"]
    """How much of the attribute is in the image; 0 where it is absent."""
    nuisance: Float[np.ndarray, "n q"]
    odds: Float[np.ndarray, "k a"]
    """How much each class tilts each attribute."""
    selection: Bool[np.ndarray, " n"]
    embeddings: Float32[np.ndarray, "n d"]
    directions: Float[np.ndarray, "a d"]
    class_directions: Float[np.ndarray, "k d"]
    text_gap: Float[np.ndarray, " d"]


def draw_scene(
    rng: np.random.Generator, setting: Setting, seen: Float[np.ndarray, " a"] | None = None
) -> Scene:
    """Draw a scene. `seen` is how much of each attribute the encoder sees: 0 for one it is blind to."""
    s = setting
    classes = rng.integers(s.classes, size=s.images)
    odds = s.tilt * rng.standard_normal((s.classes, s.attributes))
    rates = rng.uniform(*s.rates, size=s.attributes)
    chance = 1 / (1 + np.exp(-(np.log(rates / (1 - rates)) + odds[classes])))
    present = rng.random(chance.shape) < chance
    strength = present * rng.uniform(0.5, 1.5, chance.shape)
    nuisance = rng.standard_normal((s.images, s.nuisances))
    directions = unit(rng.standard_normal((s.attributes, s.dimensions)))
    directions = unit(directions + 0.5 * directions[rng.permutation(s.attributes)])  # some are akin
    class_directions = unit(rng.standard_normal((s.classes, s.dimensions)))
    ways = unit(rng.standard_normal((s.nuisances, s.dimensions)))
    if seen is None:
        seen = rng.uniform(0.6, 1.2, s.attributes)
    embeddings = (
        s.gap * unit(rng.standard_normal(s.dimensions))
        + s.class_pull * class_directions[classes]
        + (strength * seen) @ directions
        + 0.5 * nuisance @ ways
        + s.noise * rng.standard_normal((s.images, s.dimensions)) / np.sqrt(s.dimensions)
    )
    return Scene(
        setting=s,
        classes=classes,
        present=present,
        strength=strength,
        nuisance=nuisance,
        odds=odds,
        selection=rng.random(s.images) < 0.5,
        embeddings=unit(embeddings).astype(np.float32),
        directions=directions,
        class_directions=class_directions,
        text_gap=s.gap * unit(rng.standard_normal(s.dimensions)),
    )


@dataclass(frozen=True, eq=False)
class Texts:
    """The vocabulary of a world."""

    embeddings: Float32[np.ndarray, "t d"]
    attribute: Int64[np.ndarray, " t"]
    """What each names alone; `NOTHING` for classes, near misses and distractors."""
    of_classes: range = range(0)
    """The rows of the broad texts that name the classes, in their order."""

    def naming(self, *attributes: int) -> frozenset[int]:
        """The rows of the texts that name one of these."""
        return frozenset(np.flatnonzero(np.isin(self.attribute, attributes)).tolist())

    def without(self, attributes: Int64[np.ndarray, " m"]) -> "Texts":
        """The vocabulary that lacks all texts that name one of these."""
        kept = ~np.isin(self.attribute, attributes)
        return Texts(self.embeddings[kept], self.attribute[kept])


def draw_texts(rng: np.random.Generator, scene: Scene) -> Texts:
    """Each attribute in several words, the classes, near misses, and hundreds of texts that fit nothing."""
    s, d = scene.setting, scene.setting.dimensions

    def own(rows: int, length: float) -> Float[np.ndarray, "r d"]:
        vectors: Float[np.ndarray, "r d"] = length * rng.standard_normal((rows, d)) / np.sqrt(d)
        return vectors

    meant = scene.directions + own(s.attributes, s.text_noise)  # how the encoder understands the word
    words = np.repeat(np.arange(s.attributes), s.synonyms)
    named = meant[words] + own(len(words), 0.3)
    broad = scene.class_directions + 0.3 * scene.odds @ scene.directions + own(s.classes, s.text_noise)
    misses = 0.5 * meant + own(s.attributes, 0.9)
    some = rng.standard_normal((s.distractors, s.attributes)) * (
        rng.random((s.distractors, s.attributes)) < 0.1
    )
    others = 0.15 * some @ scene.directions + own(s.distractors, 1.0)
    content = np.concatenate([named, broad, misses, others])
    content *= rng.lognormal(0.0, 0.15, (len(content), 1))  # some texts say more than others
    attribute = np.full(len(content), NOTHING)
    attribute[: len(words)] = words
    of_classes = range(len(words), len(words) + s.classes)
    return Texts(unit(scene.text_gap + content).astype(np.float32), attribute, of_classes)


def unit(vectors: Float[np.ndarray, "*b d"]) -> Float[np.ndarray, "*b d"]:
    """Of unit length along the last axis."""
    found: Float[np.ndarray, "*b d"] = vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
    return found
