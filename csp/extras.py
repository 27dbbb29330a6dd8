"""Libraries that not everybody needs, and one sentence for whoever lacks one.

    with optional():
        from umap import UMAP          # UnavailableError: what is missing, and the command that installs it

Plain `pip install csp-explorer` is enough to browse; the rest comes with the extras of `pyproject.toml`. An
import of such a library stands in `with optional()`. Adapters import theirs at the top, for
`csp.plugins.load` opens them inside one.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from csp.errors import UnavailableError

EXTRAS = {
    "open_clip": "models",
    "timm": "models",
    "torch": "models",
    "torchvision": "models",
    "transformers": "models",
    "umap": "models",
    "authlib": "teams",
    "psycopg": "teams",
    "diffusers": "generate",
    "fsspec": "models",
    "huggingface_hub": "models",
    "pydicom": "dicom",
    "gdcm": "dicom",
    "pillow_heif": "heic",
    "keras": "keras",
    "onnx": "onnx",
    "onnxruntime": "onnx",
    "overcomplete": "sae",
    "faiss": "scale",
    "ray": "scale",
}
"""The extra that brings a library, by the name that Python imports."""


@contextmanager
def optional() -> Iterator[None]:
    """Imports inside may find a library missing: UnavailableError says how to get it."""
    try:
        yield
    except ModuleNotFoundError as error:
        library = (error.name or "").partition(".")[0]
        if library not in EXTRAS:
            raise
        raise UnavailableError(
            f"this needs the Python library {library}, which is not installed: "
            f"`pip install 'csp-explorer[{EXTRAS[library]}]'` brings it"
        ) from error
