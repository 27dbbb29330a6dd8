"""The pictures of the probe dataset as a model takes them: the image file, else what the run has stored."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial

import numpy as np
import pandas as pd
from jaxtyping import Float32
from PIL import Image

from csp.errors import CspError, NotFoundError, UnavailableError
from csp.keeping.lru import LruCache
from csp.keeping.run_folder.run import Run
from csp.work.runs.spec_paths import openable_spec
from csp.work.runs.strangers import is_stranger
from csp.world.pictures.decode import UnreadableImageError, decode_image
from csp.world.places.place import Place
from csp.world.protocols.columns import Beside, records
from csp.world.protocols.dataset import open_dataset
from csp.world.protocols.target import TargetModel

MOST_BYTES = 2**29
"""Of pictures made ready for a model, kept to be used again."""


@dataclass(frozen=True)
class ProbeImage:
    """An upright RGB picture, and what to say of it: "" for the image file as it is."""

    image: Image.Image
    remark: str = ""
    beside: Beside = field(default_factory=dict)
    """What it has beside it, by the name of the column."""


class ProbeImages:
    """Reads the pictures of one run."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def picture(self, image: int) -> ProbeImage:
        """One picture; UnavailableError when neither the file nor a stored picture is there.

        A file of another size than the run remembers is another picture: the stored one is taken instead.
        """
        row = self._run.images.iloc[image]
        return replace(self._picture(image, row), beside=self.beside([image])[0])

    def beside(self, images: Sequence[int]) -> list[Beside]:
        """What pictures have beside them, for a model that takes more than the picture."""
        if not self._run.manifest.columns:
            return [{} for _ in images]
        return records(self._run.images.iloc[list(images)])

    def _picture(self, image: int, row: pd.Series) -> ProbeImage:
        if self._place is not None and isinstance(row["path"], str):
            try:
                found = self._place.picture(row["path"]).image
            except (UnreadableImageError, UnavailableError):
                return self._stored(image)
            if found.size == (row["width"], row["height"]):
                return ProbeImage(found)
        return self._stored(image)

    def _stored(self, image: int) -> ProbeImage:
        try:
            stored = decode_image(self._run.thumbnail(image, "large"))
        except NotFoundError as error:
            path = self._run.images["path"].iloc[image]
            if not isinstance(path, str):
                raise UnavailableError(f"the run {self._run.name} was made without images") from error
            raise UnavailableError(
                f"image {image} ({path}) is neither in {self._run.manifest.dataset.spec or 'a dataset'} nor "
                "stored in the run: put the file back"
            ) from error
        size = max(stored.size)
        return ProbeImage(stored, f"from the stored picture, {size} px: the image file is not here")

    @cached_property
    def _place(self) -> Place | None:
        spec = self._run.manifest.dataset.spec
        if not spec or is_stranger(self._run):
            return None
        try:
            return open_dataset(openable_spec(spec)).images
        except CspError:
            return None


class ModelInputs:
    """The pictures as a target model takes them; each is made ready once, while they fit in memory."""

    def __init__(self, run: Run, model: TargetModel) -> None:
        height, width = model.input_size
        self._pictures, self._model = ProbeImages(run), model
        self._ready: LruCache[int, Float32[np.ndarray, "3 h w"]] = LruCache(
            MOST_BYTES // (12 * height * width)
        )

    def batch(self, images: Sequence[int]) -> Float32[np.ndarray, "b 3 h w"]:
        """Some pictures; UnavailableError when one is nowhere."""
        return np.stack([self._ready.get(image, partial(self._made, image)) for image in images])

    def beside(self, images: Sequence[int]) -> list[Beside]:
        """What these pictures have beside them."""
        return self._pictures.beside(images)

    def _made(self, image: int) -> Float32[np.ndarray, "3 h w"]:
        return self._model.preprocess(self._pictures.picture(image).image)
