"""Is a run sound? Hashes of its files, shapes of its arrays, lengths of its tables."""

import hashlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from csp.errors import BadRunError
from csp.keeping.run_folder.contents import blocks
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
    return problems if problems or not run.is_whole else list(_content_problems(run))


def _file_problems(run: "Run") -> Iterator[str]:
    """Of a mirror only what was fetched is looked at: looking is no reason to fetch the rest."""
    again = "" if run.mirror is None else "; it is fetched again when it is next needed"
    for name, recorded in run.manifest.files.items():
        path = run.path / name
        if run.mirror is not None and not path.exists():
            continue
        if not path.is_file():
            yield f"{name} is missing"
        elif (found := record_file(path)).bytes != recorded.bytes:
            yield f"{name} has {found.bytes} bytes instead of {recorded.bytes}{again}"
        elif found.sha256 != recorded.sha256:
            yield f"{name} was changed after the run was made{again}"


def _content_problems(run: "Run") -> Iterator[str]:
    """Each part is read, which compares it with the manifest."""
    whole: list[Callable[[], object]] = [
        lambda: run.images,
        lambda: run.skipped,
        lambda: run.vocabulary,
        lambda: run.embeddings,
        lambda: run.probabilities,
        lambda: run.text_embeddings,
        lambda: run.neighbours,
        *(partial(_all, run.activation_blocks, layer) for layer in run.layers),
        *(partial(run.places, layer, 0) for layer in run.layers),
        *(partial(run.decoder, layer) for layer in run.layers),
        *(partial(run.neurons, layer) for layer in run.layers),
        *(partial(run.labels, layer) for layer in run.layers),
    ]
    if run.has(PACK_NAME):
        whole.append(lambda: run.thumbnail_count)
    problems = [problem for read in whole if (problem := _problem_of(read))]
    yield from problems
    if not problems:
        norms = np.concatenate([np.linalg.norm(rows, axis=1) for rows in blocks(run.embeddings)])
        if not np.allclose(norms, 1, atol=1e-3):
            yield f"{int((~np.isclose(norms, 1, atol=1e-3)).sum())} image embeddings are not of length 1"


def _all(blocks_of: Callable[[str], Iterator[object]], layer: str) -> None:
    for _ in blocks_of(layer):
        pass


def _problem_of(read: Callable[[], object]) -> str | None:
    try:
        read()
    except BadRunError as error:
        return str(error)
    return None
