"""Paint a case: skin, lesion, structures, artefacts, then the camera."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter

from csp.world.dermoscopy import artefacts, structures
from csp.world.dermoscopy.attributes import Case
from csp.world.dermoscopy.network import atypical_network, typical_network
from csp.world.dermoscopy.noise import Picture, smooth, stream
from csp.world.dermoscopy.pigment import melanin, redness, zones
from csp.world.dermoscopy.shape import Shape, lesion_shape
from csp.world.dermoscopy.skin import absorb, skin

_FINE = 1000  # steps of the tone curve per unit of light


def _tone_curve(knee: float = 0.78, most: float = 1.5) -> NDArray[np.uint8]:
    """Light 0 to `most` to 8 bits: straight up to the knee, then levelling off instead of clipping."""
    light = np.arange(round(most * _FINE)) / _FINE
    over = np.clip(light - knee, 0, None) / (1 - knee)
    level = np.minimum(light, knee) + (1 - knee) * np.tanh(0.85 * over)
    return np.asarray(np.rint(4 + 250 * level), dtype=np.uint8)


_TONE_CURVE = _tone_curve()


def render(case: Case, size: int = 320) -> Image.Image:
    """The picture of `case`, RGB, `size` pixels square. The same case and size give the same bytes."""
    if size < 16:
        raise ValueError(f"size is {size}; a picture needs at least 16 pixels")
    picture = skin(case, size)
    shape = lesion_shape(case, size)
    _paint_lesion(case, shape, picture)
    _paint_structures(case, shape, picture)
    if case.ink:
        artefacts.ink(case, shape, picture)
    picture = _lit(case, picture)
    _paint_artefacts(case, shape, picture)
    return Image.fromarray(_photographed(case, picture))


def _paint_lesion(case: Case, shape: Shape, picture: Picture) -> None:
    pigment = melanin(case, shape)
    if case.typical_network or case.atypical_network:
        lines, holes = (typical_network if case.typical_network else atypical_network)(case, shape)
        pigment = pigment * holes + lines
    if case.globules:
        pigment += structures.globules(case, shape)
    if case.streaks:
        pigment += structures.streaks(case, shape)
    blood = None
    if "red" in case.colours:
        red = redness(case, shape)
        pigment = pigment * (1 - np.float32(0.7) * red)
        blood = np.float32(0.85) * red
    absorb(picture, pigment, blood)
    zones(case, shape, picture)


def _paint_structures(case: Case, shape: Shape, picture: Picture) -> None:
    if case.blue_white_veil:
        structures.veil(case, shape, picture)
    if case.regression:
        structures.regression(case, shape, picture)
    if case.arborising_vessels:
        structures.vessels(case, shape, picture)
    if case.milia_like_cysts:
        structures.cysts(case, shape, picture)


def _paint_artefacts(case: Case, shape: Shape, picture: Picture) -> None:
    if case.hairs:
        artefacts.hairs(case, picture)
    if case.gel_bubbles:
        artefacts.gel_bubbles(case, picture)
    if case.ruler:
        artefacts.ruler(case, picture)
    if case.sticker:
        artefacts.sticker(case, shape, picture)
    if case.dark_corners:
        artefacts.dark_corners(case, picture)


def _lit(case: Case, picture: Picture) -> Picture:
    """Uneven light and a colour cast, as between cameras; mild, so that colours keep their names."""
    rng = stream(case.seed, "light")
    # Cameras drift between blue and yellow, and hardly at all towards green.
    warmth, tint, exposure = rng.normal(0, (0.05, 0.022, 0.05))
    cast = np.exp(exposure + np.array((0.5 * warmth, -abs(tint), -warmth))).astype(np.float32)
    glow = 1 + np.float32(rng.uniform(0.02, 0.06)) * smooth(rng, picture.shape[1], 2)
    return np.asarray(picture * glow * cast[:, None, None], dtype=np.float32)


def _photographed(case: Case, picture: Picture) -> NDArray[np.uint8]:
    """Lens blur, sensor noise, and eight bits per channel."""
    rng = stream(case.seed, "camera")
    size = picture.shape[1]
    blur = size * rng.uniform(0.0008, 0.0022)
    picture = np.asarray(gaussian_filter(picture, (0, blur, blur), truncate=2.5))
    grain = rng.standard_normal((size, size), dtype=np.float32)
    picture = picture + grain * np.float32(rng.uniform(0.004, 0.010))
    stops = np.clip(picture * np.float32(_FINE), 0, len(_TONE_CURVE) - 1).astype(np.uint16)
    return np.ascontiguousarray(_TONE_CURVE[stops].transpose(1, 2, 0))
