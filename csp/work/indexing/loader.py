"""Decodes each probe image once, in worker threads, for the target model, the encoder and the thumbnails."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float32

from csp.keeping.run_folder.thumbnails import Thumbnails, make_thumbnails
from csp.world.pictures.decode import UnreadableImageError
from csp.world.places.place import Place
from csp.world.protocols.encoder import Encoder
from csp.world.protocols.target import TargetModel

BATCHES_AHEAD = 2
"""Batches decoded but not yet computed; bounds the memory."""


@dataclass(frozen=True)
class Prepared:
    """One image as both models take it."""

    row: int
    width: int
    height: int
    target: Float32[np.ndarray, "3 h w"]
    encoder: Float32[np.ndarray, "3 g v"]
    thumbnails: Thumbnails
    remarks: tuple[str, ...] = ()
    """What to know of how the picture was read."""


@dataclass(frozen=True)
class Unreadable:
    """An image left out, with the reason in words."""

    row: int
    reason: str


@dataclass(frozen=True)
class Preparer:
    """Turns a file into what the models take."""

    target: TargetModel
    encoder: Encoder
    place: Place
    """Where the images lie."""

    def prepare(self, row: int, path: str) -> Prepared | Unreadable:
        """Read and preprocess one image; a file that can't be read is an answer, not an error."""
        try:
            picture = self.place.picture(path)
        except UnreadableImageError as error:
            return Unreadable(row, str(error))
        image = picture.image
        return Prepared(
            row,
            *image.size,
            target=self.target.preprocess(image),
            encoder=self.encoder.preprocess(image),
            thumbnails=make_thumbnails(image),
            remarks=picture.remarks,
        )

    def batches(
        self, paths: pd.Series, batch_size: int, workers: int, start: int = 0
    ) -> Iterator[list[Prepared | Unreadable]]:
        """Batches of consecutive rows from row `start` on, decoded ahead of where the caller is.

        Started where a batch ended, a resumed job sees the batches that an undisturbed one would.
        """
        waiting: deque[list[Future[Prepared | Unreadable]]] = deque()
        with ThreadPoolExecutor(workers, thread_name_prefix="decode") as pool:
            try:
                for first in range(start, len(paths), batch_size):
                    rows = range(first, min(first + batch_size, len(paths)))
                    waiting.append([pool.submit(self.prepare, row, paths.iloc[row]) for row in rows])
                    if len(waiting) > BATCHES_AHEAD:
                        yield [future.result() for future in waiting.popleft()]
                while waiting:
                    yield [future.result() for future in waiting.popleft()]
            finally:
                pool.shutdown(wait=False, cancel_futures=True)
