"""Contrastive examples: each activating example's nearest image that leaves the neuron cold.

Two ways to the same answer: the exact search over all images, and a look-up in the stored neighbours that
says where it can't be sure. Both choose among float32 similarities, then settle everything within `TIE` by
the same float64 cosine, so that they agree to the index even between near-duplicates.
"""

import numpy as np
from jaxtyping import Bool, Float, Float64, Int64

from csp.method.examples.neighbours import Neighbours
from csp.method.examples.top_k import floor_of_best

NONE = -1
"""No contrastive example: no image is cold, or without reuse all are taken."""

UNSURE = -2
"""The stored neighbours can't tell; search all images."""

TIE = np.float32(1e-5)
"""Float32 cosines closer than this are compared again in float64. The rounding error of a float32 product of
unit vectors is about 1e-7, so the true best is always among those compared again."""

LISTED = 1024
"""So many of the nearest to an image are listed, at least, where the stored neighbours can't tell."""

SUNK = np.float32(4)
"""Taken off the cosine of images that are not open, it puts them below any cosine."""


def cosine(
    embeddings: Float[np.ndarray, "n d"], left: Int64[np.ndarray, " p"], right: Int64[np.ndarray, " p"]
) -> Float64[np.ndarray, " p"]:
    """Cosines of pairs of images, in float64: the one arithmetic that decides ties and is reported."""
    cosines: Float64[np.ndarray, " p"] = np.einsum(
        "pd,pd->p", embeddings[left], embeddings[right], dtype=np.float64
    )
    return cosines


def search(
    activating: Int64[np.ndarray, " k"],
    cold: Bool[np.ndarray, " n"],
    embeddings: Float[np.ndarray, "n d"],
    reuse: bool,
    count: int = 1,
) -> Int64[np.ndarray, "k count"]:
    """The `count` nearest cold images of each activating example, nearest first, by exact search.

    n(p) = argmax over j != p with cold[j] of cos(e_p, e_j), ties to the lower index; `NONE` without such j.
    Without reuse, images are taken greedily in the order of the activating examples.
    """
    open_ = cold.copy()
    chosen = np.empty((len(activating), count), dtype=np.int64)
    for position, similarities in enumerate(embeddings[activating] @ embeddings.T):
        chosen[position] = best_open(similarities, open_, activating[position], embeddings, count)
        if not reuse:
            open_[_found(chosen[position])] = False
    return chosen


def best_open(
    similarities: Float[np.ndarray, " n"],
    open_: Bool[np.ndarray, " n"],
    image: int | np.int64,
    embeddings: Float[np.ndarray, "n d"],
    count: int = 1,
) -> Int64[np.ndarray, " count"]:
    """The most similar of the images that are open, other than `image` itself; `NONE` where there is none."""
    found = similarities - SUNK * ~open_  # ten times faster than np.where
    found[image] = -SUNK
    floor = floor_of_best(found[None], min(count, len(found)))[0]
    near = np.flatnonzero(found >= np.maximum(floor - TIE, -SUNK / 2))  # all that any turn below may look at
    return _in_turn(near, found[near], image, embeddings, count)


class Nearest:
    """The images nearest to one of them, listed once for many neurons that ask which of the open ones are."""

    def __init__(
        self, similarities: Float[np.ndarray, " n"], image: int, embeddings: Float[np.ndarray, "n d"]
    ) -> None:
        self._similarities, self._image, self._embeddings = similarities, image, embeddings
        self._floor = floor_of_best(similarities[None], min(LISTED, len(similarities)))[0, 0]
        near = np.flatnonzero(similarities >= self._floor)
        self._near = near[near != image]
        self._left = similarities[self._near]

    def best_open(self, open_: Bool[np.ndarray, " n"], count: int) -> Int64[np.ndarray, " count"]:
        """As `best_open`; from all images where those on the list leave a doubt."""
        here = np.flatnonzero(open_[self._near])
        left = self._left[here]
        if len(here) < count or np.partition(left, -count)[-count] - TIE <= self._floor:
            return best_open(self._similarities, open_, self._image, self._embeddings, count)
        return _in_turn(self._near[here], left, self._image, self._embeddings, count)


def _in_turn(
    near: Int64[np.ndarray, " q"],
    left: Float[np.ndarray, " q"],
    image: int | np.int64,
    embeddings: Float[np.ndarray, "n d"],
    count: int,
) -> Int64[np.ndarray, " count"]:
    """The best of the images `near`, one after the other; `left` are their similarities and is used up."""
    chosen = np.full(count, NONE, dtype=np.int64)
    for place in range(min(count, len(near))):
        chosen[place] = _settle(near[left >= left.max() - TIE], image, embeddings)
        left[np.searchsorted(near, chosen[place])] = -np.inf
    return chosen


def look_up(
    activating: Int64[np.ndarray, " k"],
    cold: Bool[np.ndarray, " n"],
    embeddings: Float[np.ndarray, "n d"],
    neighbours: Neighbours | None,
    reuse: bool,
    count: int = 1,
) -> Int64[np.ndarray, "k count"]:
    """As `search`, from the stored neighbours alone; `UNSURE` where an image not stored may be the answer.

    Without reuse one unsure answer bears on all later ones, so everything after the first is `UNSURE` too.
    """
    chosen = np.full((len(activating), count), UNSURE, dtype=np.int64)
    if neighbours is None:
        return chosen
    if reuse:
        chosen, plain = _plain(activating, cold, neighbours, count)
        for place in np.flatnonzero(~plain):
            chosen[place] = _stored(activating[place], cold, embeddings, neighbours, count)
        return chosen
    cold = cold.copy()
    for position, image in enumerate(activating):
        chosen[position] = _stored(image, cold, embeddings, neighbours, count)
        if UNSURE in chosen[position]:
            break
        cold[_found(chosen[position])] = False
    return chosen


def _plain(
    activating: Int64[np.ndarray, " k"], cold: Bool[np.ndarray, " n"], neighbours: Neighbours, count: int
) -> tuple[Int64[np.ndarray, "k count"], Bool[np.ndarray, " k"]]:
    """Many look-ups at once: the first cold neighbours, and where these are the answer beyond doubt.

    That is where all are there, and each is more than `TIE` nearer than the next, the last of them than the
    next cold one and than the farthest that is stored.
    """
    stored = neighbours.index[activating]
    if stored.shape[1] <= count:
        return np.full((len(activating), count), UNSURE, dtype=np.int64), np.zeros(
            len(activating), dtype=bool
        )
    width = stored.shape[1]
    found = np.flatnonzero(cold[stored])  # counted through all rows: in half of the time of np.nonzero
    starts = np.searchsorted(found, width * np.arange(len(activating) + 1))
    there = np.diff(starts)
    turns = np.arange(count + 1)
    at = np.where(turns < there[:, None], starts[:-1, None] + turns, -1)
    first = np.append(found % width, width - 1)[at]
    similarities = neighbours.similarity[activating[:, None], first]
    apart = similarities[:, 1:] < similarities[:, :-1] - TIE
    plain: Bool[np.ndarray, " k"] = (there >= count) & apart.all(axis=1)
    return np.take_along_axis(stored, first[:, :-1], axis=1).astype(np.int64), plain


def _stored(
    image: np.int64,
    cold: Bool[np.ndarray, " n"],
    embeddings: Float[np.ndarray, "n d"],
    neighbours: Neighbours,
    count: int,
) -> Int64[np.ndarray, " count"]:
    """The nearest cold ones among an image's stored neighbours; from the first doubt on `UNSURE`."""
    stored, similarities = neighbours.index[image], neighbours.similarity[image]
    complete = len(stored) >= len(embeddings) - 1
    places = np.flatnonzero(cold[stored])
    chosen = np.full(count, NONE if complete else UNSURE, dtype=np.int64)
    for turn in range(min(count, len(places))):
        if not complete and similarities[places[0]] <= similarities[-1] + TIE:
            break
        near = places[similarities[places] >= similarities[places[0]] - TIE]
        chosen[turn] = _settle(np.sort(stored[near]).astype(np.int64), image, embeddings)
        places = places[stored[places] != chosen[turn]]
    return chosen


def _found(images: Int64[np.ndarray, " count"]) -> Int64[np.ndarray, " _"]:
    return images[images >= 0]


def _settle(
    candidates: Int64[np.ndarray, " q"], image: int | np.int64, embeddings: Float[np.ndarray, "n d"]
) -> int:
    """The candidate (ascending indices) of highest float64 cosine to `image`, ties to the lower index."""
    if len(candidates) == 1:
        return int(candidates[0])
    cosines = cosine(embeddings, np.full(len(candidates), image, dtype=np.int64), candidates)
    return int(candidates[np.argmax(cosines)])
