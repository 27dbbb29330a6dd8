"""Making a run from a script: from a model and images, or from arrays."""

import os
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias, overload

import numpy as np
import pandas as pd
from jaxtyping import Float
from scipy.sparse import issparse, save_npz, sparray, spmatrix

from csp.api.checks import place, words
from csp.api.run import OpenedRun, open_run
from csp.errors import BadInputError, CspError
from csp.work.indexing.import_arrays import ImportSpec, import_parameters
from csp.work.indexing.import_arrays import import_arrays as make_import
from csp.work.indexing.index import index as make_index
from csp.work.indexing.spec import make_spec
from csp.work.progress import Report, silent

Array: TypeAlias = Float[np.ndarray, "rows columns"] | sparray | spmatrix | str | Path


def index(
    *,
    model: str,
    layers: Sequence[str],
    data: str,
    encoder: str,
    out: str | Path,
    examples: int | None = None,
    report: Report = silent,
    **options: Any,
) -> OpenedRun:
    """Put every image through the target model and the encoder, and open the run that this makes.

    The arguments are the fields of a `csp index` config (`vocabulary`, `pooling`, `gamma`, ... as options).
    A call that was stopped goes on where it was when it is made again. Raises BadInputError, NotFoundError
    and UnavailableError with a sentence.
    """
    fields = {
        "model": model,
        "layers": list(layers),
        "data": data,
        "encoder": encoder,
        "out": place(out, "out"),
    }
    given = fields | options | ({} if examples is None else {"k": examples})
    return open_run(make_index(make_spec(given), report))


def import_arrays(
    activations: Array,
    embeddings: Array,
    *,
    out: str | Path,
    images: str | Path | None = None,
    vocabulary: Sequence[str] | str | Path | None = None,
    text_embeddings: Array | None = None,
    probabilities: Array | None = None,
    classes: Sequence[str] | str | Path | None = None,
    decoder: Array | None = None,
    layer: str = "imported",
    examples: int | None = None,
    gamma: float | None = None,
    reuse: bool = True,
    contrast: str | None = None,
    report: Report = silent,
) -> OpenedRun:
    """Open a run made of arrays that you have: in memory, or as `.npy` files; sparse ones of SciPy, too.

    activations: [images, neurons]; embeddings: [images, d]; text_embeddings: [texts, d], one row for each
    text of `vocabulary` (a list of texts, or a file). `images` is a folder, a CSV file or a dataset spec that
    lists the same images in the same order.
    probabilities: [images, classes], what the target model said, with the names of its `classes`; without
    them pages tell of no classes. decoder: [latents, d], of activations that are an SAE's latents: what each
    adds to the layer that the SAE reads; it shows latents that add nearly the same.
    Raises BadInputError for arrays that do not belong together, NotFoundError for a missing file.
    """
    with TemporaryDirectory() as name:
        folder = Path(name)
        spec = ImportSpec(
            activations=_file(activations, folder / "activations.npy"),
            embeddings=_file(embeddings, folder / "embeddings.npy"),
            out=place(out, "out"),
            images=None if images is None else place(images, "images"),
            vocabulary=_texts(vocabulary, folder / "vocabulary.csv"),
            text_embeddings=_file(text_embeddings, folder / "text_embeddings.npy"),
            probabilities=_file(probabilities, folder / "probabilities.npy"),
            classes=_texts(classes, folder / "classes.csv"),
            decoder=_file(decoder, folder / "decoder.npy"),
            layer=words(layer, "the layer"),
            parameters=import_parameters(examples, gamma, reuse, contrast),
        )
        try:
            return open_run(make_import(spec, report))
        except CspError as error:
            # Whoever gave arrays knows nothing of the folder in which they are handed on.
            raise type(error)(str(error).replace(f"{folder}{os.sep}", "")) from error


@overload
def _file(array: Array, path: Path) -> Path: ...
@overload
def _file(array: None, path: Path) -> None: ...
def _file(array: Array | None, path: Path) -> Path | None:
    if array is None or isinstance(array, str | Path):
        return None if array is None else Path(array)
    if issparse(array):
        path = path.with_suffix(".npz")
        save_npz(path, array)
        return path
    try:
        np.save(path, np.asarray(array), allow_pickle=False)
    except ValueError as error:
        what = path.stem.replace("_", " ")
        raise BadInputError(f"the {what} are no table of numbers ({error}); give float32") from error
    return path


def _texts(texts: Sequence[str] | str | Path | None, path: Path) -> Path | None:
    if texts is None or isinstance(texts, str | Path):
        return None if texts is None else Path(texts)
    pd.DataFrame({"text": list(texts)}).to_csv(path, index=False, encoding="utf-8")
    return path
