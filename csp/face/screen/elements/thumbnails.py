"""Thumbnails of a run as the screen shows them: ready bytes, and nothing where a run has no picture."""

from csp.errors import NotFoundError
from csp.keeping.run_folder.run import Run
from csp.keeping.run_folder.thumbnails import Size
from csp.world.pictures.data_url import data_url


def thumbnail(run: Run, image: int, size: Size) -> bytes | None:
    """The picture of an image; None when it could not be read or the run was made without images."""
    try:
        return run.thumbnail(image, size)
    except NotFoundError:
        return None


def source(run: Run, image: int) -> str:
    """The small picture as an address that an <img> shows without a request; "" when there is none."""
    picture = thumbnail(run, image, "small")
    return data_url(picture) if picture else ""
