"""The most similar others of some images, as tiles of similarities come by."""

import numpy as np
from jaxtyping import Float32, Int32, Int64, UInt64

MOST_HELD = 6
"""As many times the number wanted are held of an image before the best of them are picked out."""
FEW = 256
"""Fewer than this count as so many there: picking out is slow."""
_NOTHING = np.uint64(2**64 - 1)
_LOWER_BITS = np.int32(2**31 - 1)
_UPPER_BIT = np.uint32(2**31)


class BestSoFar:
    """Of each of b images the others that reach its floor; the m best of them, ties to the lower index.

    The floor rises where many more than m reach it. Tiles come in the order of the others.
    """

    def __init__(self, floor: Float32[np.ndarray, " b"], m: int) -> None:
        self._first_floor, self._floor, self._m = floor, floor.copy(), m
        self._images: list[np.ndarray] = []  # counted from the first of the b
        self._keys: list[np.ndarray] = []
        self._held = np.zeros(len(floor), dtype=np.int64)

    def part(self) -> "BestSoFar":
        """What takes in some of the tiles in place of this one, in a thread of its own, to be added to it."""
        return BestSoFar(self._floor, self._m)

    def add(self, part: "BestSoFar") -> None:
        """Take in what a part has; parts come in the order of their tiles."""
        self._images += part._images
        self._keys += part._keys
        self._held += part._held
        self._forget_where_many()

    def see(
        self, tile: Float32[np.ndarray, "rows columns"], others_from: int, images_are_columns: bool = False
    ) -> None:
        """Take in the similarities of the images to the others that begin at `others_from`.

        A row of the tile for each image and a column for each other, or the reverse. NaN counts as none.
        """
        reached = np.flatnonzero(tile >= (self._floor if images_are_columns else self._floor[:, None]))
        height, width = tile.shape
        ends = np.searchsorted(reached, width * np.arange(1, height + 1))
        row = np.repeat(np.arange(height), np.diff(ends, prepend=0))
        column = reached - width * row
        image, other = (column, row) if images_are_columns else (row, column)
        self._images.append(image.astype(np.uint16))
        self._keys.append(_keys(tile.ravel()[reached], other + others_from))
        self._held += np.bincount(image, minlength=len(self._held))
        self._forget_where_many()

    def lower_floor(self) -> Float32[np.ndarray, " b"] | None:
        """What to begin anew with where fewer than m others reached the floor of some image."""
        lacking = (self._held < self._m) & (self._first_floor > -np.inf)
        return np.where(lacking, np.float32(-np.inf), self._first_floor) if lacking.any() else None

    def best(self) -> tuple[Int32[np.ndarray, "b m"], Float32[np.ndarray, "b m"]]:
        """The m best others of each image, best first, and their similarities; none may be lacking."""
        keys = self._sorted()[:, : self._m]
        return (keys & np.uint64(2**32 - 1)).astype(np.int32), _similarities(keys)

    def _forget_where_many(self) -> None:
        """Hold the m best alone. What comes later has a higher index, so it must be better than the last."""
        if self._held.max() <= MOST_HELD * max(self._m, FEW):
            return
        keys = self._sorted()[:, : self._m]
        full = self._held >= self._m
        self._floor[full] = np.nextafter(_similarities(keys[full, -1]), np.float32(np.inf))
        image, place = np.nonzero(keys != _NOTHING)
        self._images, self._keys = [image.astype(np.uint16)], [keys[image, place]]
        self._held = np.minimum(self._held, self._m)

    def _sorted(self) -> UInt64[np.ndarray, "b most"]:
        """What is held, a row for each image, best first."""
        image, keys = np.concatenate(self._images), np.concatenate(self._keys)
        order = np.argsort(image, kind="stable")  # by the digits of 16-bit numbers: fast
        begins = np.cumsum(self._held) - self._held
        table = np.full((len(self._held), max(int(self._held.max()), self._m)), _NOTHING)
        table[image[order], np.arange(len(order)) - np.repeat(begins, self._held)] = keys[order]
        table.sort(axis=1)
        return table


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
