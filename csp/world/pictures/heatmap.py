"""Where a neuron fires, drawn over a picture: the rest is darkened, so colours stay what they are."""

import io
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32
from PIL import Image

PIXELS = 96
"""Longest side of an overlay; the browser stretches it over the picture."""
DARKEST = 0.72
"""How dark the overlay is where the neuron does not fire: 0 clear, 1 black."""


@dataclass(frozen=True)
class CropBox:
    """The part of a picture that a model sees, in shares of its width and height."""

    left: float
    top: float
    right: float
    bottom: float


def seen_part(
    preprocess: Callable[[Image.Image], Float[np.ndarray, "3 h w"]], size: tuple[int, int]
) -> CropBox:
    """Find what a model's preprocessing leaves of a picture of `size` (width, height).

    A picture whose red grows to the right and whose green grows downwards is sent through it; where the two
    stand in the result tells the part. Holds for scaling, cutting and normalising, whatever their order.
    """
    width, height = size
    ramps = np.zeros((height, width, 3), np.uint8)
    ramps[:, :, 0] = np.rint(np.linspace(0, 255, width))[None, :]
    ramps[:, :, 1] = np.rint(np.linspace(0, 255, height))[:, None]
    black, white = (preprocess(Image.new("RGB", size, colour)) for colour in ("black", "white"))
    seen = preprocess(Image.fromarray(ramps))
    span = np.where(white == black, 1.0, white - black)
    across, down = ((seen - black) / span)[:2]
    left, right = _ends(across.mean(axis=0), width)
    top, bottom = _ends(down.mean(axis=1), height)
    return CropBox(left, top, right, bottom)


def spotlight(
    firing: Float[np.ndarray, "y x"], strongest: float, part: CropBox, size: tuple[int, int]
) -> bytes:
    """An overlay (PNG, black with transparency) as wide as a picture of `size`.

    Clear where the neuron fires as on its `strongest` place, `DARKEST` where it does not fire and where the
    model does not look.
    """
    share = np.clip(firing / strongest, 0.0, 1.0) if strongest > 0 else np.zeros_like(firing)
    scale = PIXELS / max(size)
    canvas = (max(1, round(size[0] * scale)), max(1, round(size[1] * scale)))
    light = Image.new("L", canvas, 0)
    corner = (round(part.left * canvas[0]), round(part.top * canvas[1]))
    far = (round(part.right * canvas[0]), round(part.bottom * canvas[1]))
    area = (max(1, far[0] - corner[0]), max(1, far[1] - corner[1]))
    patch = Image.fromarray((share * 255).round().astype(np.uint8)).resize(area, Image.Resampling.BICUBIC)
    light.paste(patch, corner)
    alpha = light.point(lambda value: round((255 - value) * DARKEST))
    overlay = Image.merge("LA", (Image.new("L", canvas, 0), alpha))
    file = io.BytesIO()
    overlay.save(file, "PNG", optimize=True)
    return file.getvalue()


def patch_light(
    place: Float[np.ndarray, " 2"], grid: tuple[int, int], strength: float, size: tuple[int, int]
) -> bytes:
    """The same where all that is known is the place (x, y from 0 to 1) at which the neuron fires most.

    Clear in one patch of a layer of `grid` rows and columns, as far as it fires: `strength` from 0 to 1.
    """
    width, height = size
    side = min(width, height)
    down, across = (np.abs(np.arange(PIXELS) + 0.5 - PIXELS * middle) for middle in (place[1], place[0]))
    tall, wide = PIXELS * side / grid[0] / height / 2, PIXELS * side / grid[1] / width / 2
    inside = (down <= max(tall, 1.0))[:, None] & (across <= max(wide, 1.0))[None, :]
    return spotlight(inside * np.clip(strength, 0.0, 1.0), 1.0, CropBox(0, 0, 1, 1), size)


def lit(picture: Image.Image, overlay: bytes, longest_side: int = 180) -> bytes:
    """A small picture (WebP) under its overlay, where the two can't be laid over each other."""
    small = picture.copy()
    small.thumbnail((longest_side, longest_side), Image.Resampling.LANCZOS)
    with Image.open(io.BytesIO(overlay)) as shade:
        over = shade.convert("RGBA").resize(small.size, Image.Resampling.BICUBIC)
    file = io.BytesIO()
    Image.alpha_composite(small.convert("RGBA"), over).convert("RGB").save(file, "WEBP", quality=80, method=2)
    return file.getvalue()


def _ends(ramp: Float32[np.ndarray, " m"], pixels: int) -> tuple[float, float]:
    """Where a line of pixels begins and ends; the ramp is 0 at the first of the picture, 1 at the last."""
    steps = np.arange(len(ramp), dtype=np.float64)
    inside = slice(1, -1) if len(ramp) > 4 else slice(None)  # the border is blurred by scaling
    slope, start = np.polyfit(steps[inside], ramp[inside].astype(np.float64), 1)
    edges = start + slope * np.array([-0.5, len(ramp) - 0.5])
    shares = (edges * (pixels - 1) + 0.5) / pixels
    return float(np.clip(shares[0], 0, 1)), float(np.clip(shares[1], 0, 1))
