"""The picture grids that a VLM is shown for one neuron, drawn from the run's own pictures at any time."""

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image

from csp.errors import BadInputError, NotFoundError
from csp.keeping.run_folder.run import Run
from csp.method.examples.select import Examples
from csp.method.states import NeuronState, sentence
from csp.work.candidates.tables import Layout
from csp.world.pictures.decode import decode_image
from csp.world.pictures.grid import picture_grid
from csp.world.vlms.prompts import Mode


class NotAskedError(BadInputError):
    """There is nothing to show a VLM for this neuron, and why."""


@dataclass(frozen=True)
class GridImages:
    """Which images each grid holds, in order; `contrastive` is empty in activating-only mode."""

    activating: tuple[int, ...]
    contrastive: tuple[int, ...]

    @property
    def grids(self) -> tuple[tuple[int, ...], ...]:
        """The grids in the order in which they are shown."""
        return (self.activating, self.contrastive) if self.contrastive else (self.activating,)


def images_to_show(examples: Examples, mode: Mode) -> GridImages:
    """The images that fire, and in contrastive mode the contrastive example of each, or of several.

    Raises NotAskedError for a neuron that never fires, or, in contrastive mode, has no contrastive example.
    """
    fires = examples.activation > 0
    if not fires.any():
        raise NotAskedError(sentence(NeuronState.NEVER_FIRES, 0))
    activating = tuple(int(image) for image in examples.activating[fires])
    if mode == "activating-only":
        return GridImages(activating, ())
    contrastive = tuple(int(image) for image in examples.contrastive[fires] if image >= 0)
    if not contrastive:
        raise NotAskedError(
            "No image leaves this neuron cold, so there is no second grid; ask in activating-only mode."
        )
    return GridImages(activating, contrastive)


def draw_grids(run: Run, shown: GridImages, layout: Layout) -> tuple[Image.Image, ...]:
    """The grids at the VLM's resolution; NotAskedError where the run has no picture of an image."""
    return tuple(_grid(run, images, layout) for images in shown.grids)


def grids_hash(grids: Sequence[Image.Image]) -> str:
    """SHA-256 of the pixels: whether what is drawn now is what the VLM saw then."""
    digest = hashlib.sha256()
    for grid in grids:
        digest.update(f"{grid.size}".encode() + grid.tobytes())
    return digest.hexdigest()


def as_png(picture: Image.Image) -> bytes:
    """The picture as a PNG file, pixel by pixel."""
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def _grid(run: Run, images: Sequence[int], layout: Layout) -> Image.Image:
    try:
        pictures = [decode_image(run.thumbnail(image, "large")) for image in images]
    except NotFoundError as error:
        raise NotAskedError(f"There is nothing to show a VLM: {error}.") from error
    return picture_grid(pictures, layout.rows, layout.pixels, layout.columns)
