"""The pictures of the probe dataset as a model takes them: the image file, else what the run has stored."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from PIL import Image

from csp.errors import CspError, NotFoundError, UnavailableError
from csp.keeping.run import Run
from csp.work.spec_paths import openable_spec
from csp.world.datasets import open_dataset
from csp.world.images import UnreadableImageError, decode_image, read_image


@dataclass(frozen=True)
class ProbePicture:
    """An upright RGB picture, and what to say of it: "" for the image file as it is."""

    image: Image.Image
    remark: str = ""


class ProbePictures:
    """Reads the pictures of one run."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def picture(self, image: int) -> ProbePicture:
        """One picture; UnavailableError when neither the file nor a stored picture is there.

        A file of another size than the run remembers is another picture: the stored one is taken instead.
        """
        row = self._run.images.iloc[image]
        if self._root is not None and isinstance(row["path"], str):
            try:
                found = read_image(self._root / row["path"])
            except UnreadableImageError:
                return self._stored(image)
            if found.size == (row["width"], row["height"]):
                return ProbePicture(found)
        return self._stored(image)

    def _stored(self, image: int) -> ProbePicture:
        try:
            stored = decode_image(self._run.thumbnail(image, "large"))
        except NotFoundError as error:
            path = self._run.images["path"].iloc[image]
            raise UnavailableError(
                f"image {image} ({path}) is neither in {self._run.manifest.dataset.spec or 'a dataset'} nor "
                "stored in the run: put the file back"
            ) from error
        size = max(stored.size)
        return ProbePicture(stored, f"from the stored picture, {size} px: the image file is not here")

    @cached_property
    def _root(self) -> Path | None:
        spec = self._run.manifest.dataset.spec
        if not spec:
            return None
        try:
            return open_dataset(openable_spec(spec)).root
        except CspError:
            return None
