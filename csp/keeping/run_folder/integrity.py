"""Is a run sound? Hashes of its files, shapes of its arrays, lengths of its tables."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from csp.errors import BadRunError
from csp.keeping.run_folder.manifest import MANIFEST_NAME, FileRecord
from csp.keeping.run_folder.thumbnails import PACK_NAME

if TYPE_CHECKING:
    from csp.keeping.run_folder.run import Run


def file_records(run: Path) -> dict[str, FileRecord]:
    """Length and sha256 of every file of a run but its manifest, by path inside the run."""
    paths = sorted(path for path in run.rglob("*") if path.is_file() and path != run / MANIFEST_NAME)
    return {path.relative_to(run).as_posix(): record_file(path) for path in paths}


def record_file(path: Path) -> FileRecord:
    """Length and sha256 of one file."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return FileRecord(bytes=path.stat().st_size, sha256=digest)


def check_run(run: "Run") -> list[str]:
    """Every problem of a run, each in one sentence; wrong contents are only looked for in whole files."""
    problems = list(_file_problems(run))
    if problems:
        return problems
    try:
        return list(_content_problems(run))
    except BadRunError as error:
        return [str(error)]


def _file_problems(run: "Run") -> Iterator[str]:
    for name, recorded in run.manifest.files.items():
        path = run.path / name
        if not path.is_file():
            yield f"{name} is missing"
        elif (found := record_file(path)).bytes != recorded.bytes:
            yield f"{name} has {found.bytes} bytes instead of {recorded.bytes}"
        elif found.sha256 != recorded.sha256:
            yield f"{name} was changed after the run was made"


def _content_problems(run: "Run") -> Iterator[str]:
    manifest, images = run.manifest, run.manifest.images
    yield from _shape("embeddings", run.embeddings, (images, manifest.dimension))
    for record in manifest.layers:
        yield from _shape(record.layer, run.layer_activations(record.layer), (images, record.neurons))
        if len(run.neurons(record.layer)) not in (0, record.neurons):
            yield f"the table of layer {record.layer} does not list its {record.neurons} neurons"
    if len(run.images) != images:
        yield f"the table of images has {len(run.images)} rows instead of {images}"
    if len(run.skipped) != manifest.skipped:
        yield f"the table of skipped images has {len(run.skipped)} rows instead of {manifest.skipped}"
    yield from _optional_problems(run)
    norms = np.linalg.norm(run.embeddings, axis=1)
    if not np.allclose(norms, 1, atol=1e-3):
        yield f"{int((~np.isclose(norms, 1, atol=1e-3)).sum())} image embeddings are not of length 1"


def _optional_problems(run: "Run") -> Iterator[str]:
    images = run.manifest.images
    if run.probabilities is not None:
        yield from _shape("probabilities", run.probabilities, (images, len(run.manifest.classes)))
    if run.text_embeddings is not None:
        yield from _shape(
            "text_embeddings", run.text_embeddings, (len(run.vocabulary), run.manifest.dimension)
        )
    if (
        run.neighbours is not None
        and not ((run.neighbours.index >= 0) & (run.neighbours.index < images)).all()
    ):
        yield f"the neighbours name images that do not exist (there are {images})"
    if run.has(PACK_NAME) and run.thumbnail_count != images:
        yield f"there are thumbnails of {run.thumbnail_count} images instead of {images}"


def _shape(name: str, array: np.ndarray, expected: tuple[int, ...]) -> Iterator[str]:
    if array.shape != expected:
        yield f"{name} has shape {array.shape} instead of {expected}"
