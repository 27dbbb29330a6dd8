"""Soft-edged drawing: vector shapes painted at a multiple of the size, then averaged down to a mask."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from csp.world.dermoscopy.noise import Field

Points = NDArray[np.floating]
"""Positions (n, 2) as (x, y), in picture widths: (0, 0) top left, (1, 1) bottom right."""

CANVAS = 640  # drawn at this many pixels across or a little more, whatever the picture's size


class Brush:
    """Draws filled shapes on one mask; positions, radii and widths are in picture widths."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._scale = size * max(2, round(CANVAS / size))
        self._image = Image.new("L", (self._scale, self._scale))
        self._draw = ImageDraw.Draw(self._image)

    def dot(self, centre: Points, radius: float, value: int = 255) -> None:
        """A filled disc."""
        x, y = centre * self._scale
        r = radius * self._scale
        self._draw.ellipse((x - r, y - r, x + r, y + r), fill=value)

    def ring(self, centre: Points, radius: float, width: float, arc: tuple[float, float] = (0, 360)) -> None:
        """A circle line, or the part of it between two angles in degrees."""
        x, y = centre * self._scale
        r = radius * self._scale
        pen = max(1, round(width * self._scale))
        self._draw.arc((x - r, y - r, x + r, y + r), arc[0], arc[1], fill=255, width=pen)

    def line(self, points: Points, width: float, value: int = 255) -> None:
        """A line of even width through `points`."""
        self.lines(points[None], np.array([width]), np.array([value]))

    def lines(
        self, points: NDArray[np.floating], widths: NDArray[np.floating], values: NDArray[np.number]
    ) -> None:
        """Many lines at once, (n, points, 2), each of its own width and value."""
        flat = (points * self._scale).reshape(len(points), -1).tolist()
        pens = np.maximum(1, np.rint(widths * self._scale)).astype(int).tolist()
        for line, pen, value in zip(flat, pens, values.astype(int).tolist(), strict=True):
            self._draw.line(line, fill=value, width=pen)

    def stroke(self, points: Points, widths: NDArray[np.floating], value: int = 255) -> None:
        """A curve through `points` whose width changes along it."""
        along = np.gradient(points, axis=0)
        across = np.stack([-along[:, 1], along[:, 0]], axis=1)
        across /= np.maximum(np.linalg.norm(across, axis=1, keepdims=True), 1e-9)
        side = across * widths[:, None] / 2
        outline = np.concatenate([points + side, (points - side)[::-1]]) * self._scale
        self._draw.polygon(outline.ravel().tolist(), fill=value)

    def polygon(self, points: Points, value: int = 255) -> None:
        """A filled polygon."""
        self._draw.polygon((points * self._scale).ravel().tolist(), fill=value)

    def text(self, position: Points, text: str, height: float) -> None:
        """Upright text centred on `position`."""
        place = (float(position[0] * self._scale), float(position[1] * self._scale))
        self._draw.text(place, text, fill=255, anchor="mm", font_size=height * self._scale)

    def mask(self) -> Field:
        """What was drawn, 0 to 1, at the picture's size."""
        small = self._image.reduce(self._scale // self._size)
        return np.asarray(small, dtype=np.float32) / np.float32(255)


def drawn(size: int, paint: Callable[[Brush], None]) -> Field:
    """The mask that `paint` draws."""
    brush = Brush(size)
    paint(brush)
    return brush.mask()


def curve(start: Points, middle: Points, end: Points, n_points: int = 24) -> Points:
    """Points of the quadratic Bezier curve from `start` to `end`, pulled towards `middle`."""
    t = np.linspace(0, 1, n_points)[:, None]
    return np.asarray((1 - t) ** 2 * start + 2 * t * (1 - t) * middle + t**2 * end)
