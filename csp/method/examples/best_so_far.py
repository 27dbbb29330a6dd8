"""The most similar others of some images, as tiles of similarities come by."""

from collections.abc import Callable
from typing import Protocol

import numpy as np
from jaxtyping import Bool, Float32, Int32, Int64, Num, UInt64

from csp.method.threads import in_threads

MOST_HELD = 6
"""As many times the number wanted are held of an image before the best of them are picked out."""
FEW = 256
"""Fewer than this count as so many there: picking out is slow."""
TOGETHER = 256
"""Images whose others are put in order at once: no more than a byte tells apart."""
_NOTHING = np.uint64(2**64 - 1)
_LOWER_BITS = np.int32(2**31 - 1)
_UPPER_BIT = np.uint32(2**31)


class Pile(Protocol):
    """Numbers of one type, laid aside in memory or elsewhere."""

    def add(self, some: Num[np.ndarray, " q"]) -> None:
        """Lay some on top."""

    def taken(self) -> Num[np.ndarray, " all"]:
        """All, in the order in which they came; nothing is left."""


NewPile = Callable[[type[np.number]], Pile]
"""Begins a pile of numbers of a type."""


class InMemory:
    """A pile in memory."""

    def __init__(self, dtype: type[np.number]) -> None:
        self._parts = [np.empty(0, dtype)]

    def add(self, some: Num[np.ndarray, " q"]) -> None:
        """Keep the array itself."""
        self._parts.append(some)

    def taken(self) -> Num[np.ndarray, " all"]:
        """One array of all."""
        found = np.concatenate(self._parts)
        self._parts = [found[:0]]
        return found


class BestSoFar:
    """Of each of b images the others that reach its floor; the m best of them, ties to the lower index.

    The floor rises where many more than m reach it. Tiles come in the order of the others.
    """

    def __init__(self, floor: Float32[np.ndarray, " b"], m: int, new_pile: NewPile = InMemory) -> None:
        self._first_floor, self._floor, self._m = floor, floor.copy(), m
        self._images = new_pile(np.uint16)  # counted from the first of the b
        self._keys = new_pile(np.uint64)
        self._held = np.zeros(len(floor), dtype=np.int64)

    def part(self) -> "BestSoFar":
        """What takes in some of the tiles in place of this one, in a thread of its own, to be added to it."""
        return BestSoFar(self._floor, self._m)

    def add(self, part: "BestSoFar") -> None:
        """Take in what a part has; parts come in the order of their tiles."""
        self._images.add(part._images.taken())
        self._keys.add(part._keys.taken())
        self._held += part._held
        self._forget_where_many()

    def see(
        self, tile: Float32[np.ndarray, "rows columns"], others_from: int, images_are_columns: bool = False
    ) -> None:
        """Take in the similarities of the images to the others that begin at `others_from`.

        A row of the tile for each image and a column for each other, or the reverse. NaN counts as none.
        """
        reached = _places(tile >= (self._floor if images_are_columns else self._floor[:, None]))
        width = tile.shape[1]
        row = reached // width
        column = reached - width * row
        image, other = (column, row) if images_are_columns else (row, column)
        self._images.add(image.astype(np.uint16))
        self._keys.add(_keys(tile.ravel()[reached], other + others_from))
        self._held += np.bincount(image, minlength=len(self._held))
        self._forget_where_many()

    def lower_floor(self) -> Float32[np.ndarray, " b"] | None:
        """What to begin anew with where fewer than m others reached the floor of some image."""
        lacking = (self._held < self._m) & (self._first_floor > -np.inf)
        return np.where(lacking, np.float32(-np.inf), self._first_floor) if lacking.any() else None

    def best(self) -> tuple[Int32[np.ndarray, "b m"], Float32[np.ndarray, "b m"]]:
        """The m best others of each image, best first, and their similarities; none may be lacking."""
        keys = self._taken()
        return (keys & np.uint64(2**32 - 1)).astype(np.int32), _similarities(keys)

    def _forget_where_many(self) -> None:
        """Hold the m best alone. What comes later has a higher index, so it must be better than the last."""
        if self._held.max() <= MOST_HELD * max(self._m, FEW):
            return
        keys = self._taken()
        full = self._held >= self._m
        self._floor[full] = np.nextafter(_similarities(keys[full, -1]), np.float32(np.inf))
        image, place = np.nonzero(keys != _NOTHING)
        self._images.add(image.astype(np.uint16))
        self._keys.add(keys[image, place])
        self._held = np.minimum(self._held, self._m)

    def _taken(self) -> UInt64[np.ndarray, "b m"]:
        """The m best of what is held, a row for each image, best first; nothing is held then."""
        image, keys = self._images.taken(), self._keys.taken()
        best = np.empty((len(self._held), self._m), np.uint64)

        def order_some(start: int) -> None:
            held = self._held[start : start + TOGETHER]
            here = _places((image >= start) & (image < start + len(held)))
            own = (image[here] - np.uint16(start)).astype(np.uint8)
            order = here[np.argsort(own, kind="stable")]  # bytes are counted, not compared: fast
            width = max(int(held.max()), self._m)
            table = np.full((len(held), width), _NOTHING)
            table[np.arange(width) < held[:, None]] = keys[order]
            table.partition(self._m - 1, axis=1)
            some = best[start : start + TOGETHER]
            some[:] = table[:, : self._m]
            some.sort(axis=1)

        in_threads(order_some, range(0, len(best), TOGETHER))
        return best


def _places(mask: Bool[np.ndarray, "*shape"]) -> Int64[np.ndarray, " q"]:
    """As np.flatnonzero, in two thirds of its time where one in fifty is true: eights that hold any first."""
    flat = mask.ravel()
    whole = flat.size // 8 * 8
    eights = flat[:whole].view(np.uint64)
    some = np.flatnonzero(eights != 0)
    inside = np.flatnonzero(eights[some].view(bool))
    found: Int64[np.ndarray, " q"] = (some << 3)[inside >> 3] + (inside & 7)
    rest = np.flatnonzero(flat[whole:])
    return np.append(found, rest + whole) if rest.size else found


def _keys(
    similarities: Float32[np.ndarray, " q"], index: Int64[np.ndarray, " q"]
) -> UInt64[np.ndarray, " q"]:
    """Numbers that sort as similarities from the highest, then indices from the lowest.

    The bits of floats sort as integers do, negative ones in reverse.
    """
    bits = (similarities + np.float32(0)).view(np.int32)  # no negative zero
    falling = (~(bits ^ ((bits >> 31) & _LOWER_BITS))).view(np.uint32) ^ _UPPER_BIT
    return (falling.astype(np.uint64) << np.uint64(32)) | index.astype(np.uint64)


def _similarities(keys: UInt64[np.ndarray, "*shape"]) -> Float32[np.ndarray, "*shape"]:
    falling = (keys >> np.uint64(32)).astype(np.uint32) ^ _UPPER_BIT
    bits = ~falling.view(np.int32)
    found: Float32[np.ndarray, "*shape"] = (bits ^ ((bits >> 31) & _LOWER_BITS)).view(np.float32)
    return found
