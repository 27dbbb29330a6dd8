"""Each image's nearest neighbours by a graphics card, where there is one."""

from collections.abc import Iterator

import numpy as np
import torch
from jaxtyping import Float, Float32, Int64
from torch import Tensor

from csp.errors import BadInputError
from csp.method.examples.neighbours import PIECE, STORED, Neighbours

OTHERS = 2**16
"""Images that a piece is compared with at once: 1.3 GB of the card's memory."""
_INDEX, _SIGN, _REST = 2**32, 31, 2**31 - 1


def has_gpu() -> bool:
    """Whether torch finds a card."""
    return torch.cuda.is_available()


def neighbour_pieces_by_gpu(
    embeddings: Float[np.ndarray, "n d"], m: int = STORED, start: int = 0, device: str = "cuda"
) -> Iterator[Neighbours]:
    """As `csp.method.examples.neighbours.neighbour_pieces`: all with all, ties to the lower index.

    Another processor rounds single-precision products otherwise: cosines that are equal to seven digits may
    change places. All embeddings are held on the card. Raises BadInputError for m < 1.
    """
    if m < 1:
        raise BadInputError(f"{m} neighbours were asked for; it must be at least 1.")
    images = torch.empty(embeddings.shape, dtype=torch.float32, device=device)
    for begin in range(0, len(images), OTHERS):  # from the disk to the card, without all in memory
        images[begin : begin + OTHERS] = torch.tensor(embeddings[begin : begin + OTHERS])
    m = min(m, len(images) - 1)
    for first in range(start, len(images), PIECE):
        own = images[first : first + PIECE]
        best = torch.empty((len(own), 0), dtype=torch.int64, device=device)
        for begin in range(0, len(images), OTHERS):
            similarities = own @ images[begin : begin + OTHERS].T
            itself = torch.arange(len(own), device=device)
            here = (itself + first >= begin) & (itself + first < begin + similarities.shape[1])
            similarities[itself[here], itself[here] + first - begin] = -torch.inf
            keys = torch.cat([best, _keys(similarities, begin)], 1)
            best = keys.topk(min(m, keys.shape[1]), largest=False).values
        found = best.sort(1).values.cpu().numpy()
        yield Neighbours((found % _INDEX).astype(np.int32), _similarities(found))


def _keys(similarities: Float32[Tensor, "b c"], begin: int) -> Int64[Tensor, "b c"]:
    """Numbers that sort as similarities from the highest, then indices from the lowest, from `begin` on.

    The bits of floats sort as integers do, negative ones in reverse.
    """
    bits = (similarities + 0.0).view(torch.int32)  # no negative zero
    rising = bits ^ ((bits >> _SIGN) & _REST)
    index = torch.arange(begin, begin + similarities.shape[1], device=similarities.device)
    return index - rising.to(torch.int64) * _INDEX


def _similarities(keys: Int64[np.ndarray, "b m"]) -> Float32[np.ndarray, "b m"]:
    rising = (-(keys // _INDEX)).astype(np.int32)
    found: Float32[np.ndarray, "b m"] = (rising ^ ((rising >> _SIGN) & _REST)).view(np.float32)
    return found
