"""Damage to a run: flipped bits in each of its files, and edits of its manifest."""

import json
import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.damage.records import flipped
from benchmarks.damage.tally import AS_BEFORE, FOUND, LOST, Tally
from csp.errors import CspError
from csp.keeping.run_folder.added_tables import Additions
from csp.keeping.run_folder.manifest import MANIFEST_NAME
from csp.keeping.run_folder.run import Run

STRANGE: tuple[Any, ...] = (None, True, -1, 0, 1, 0.25, 2**31, "", "else", [], {}, ["x", "x"])


def flip_run(folder: Path, flips: int, seed: int) -> Tally:
    """Flip bits of a run's files, as many in each, one at a time; look at the damaged part as pages do."""
    chance, tally = random.Random(seed), Tally()
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    for number in range(flips):
        path = files[number % len(files)]
        name = path.relative_to(folder).as_posix()
        before, content = _shown(folder, name), path.read_bytes()
        bit = chance.randrange(8 * len(content))
        with _with_content(path, flipped(content, bit)):
            tally.add(f"bit {bit} of {name}", _look, folder, name, before)
    return tally


def edit_manifest(folder: Path, edits: int, seed: int) -> Tally:
    """Change, remove or add one field of a run's manifest at a time: each edit must be found."""
    chance, tally = random.Random(seed), Tally()
    path = folder / MANIFEST_NAME
    for _ in range(edits):
        document = json.loads(path.read_text())
        what = _edit(document, chance)
        with _with_content(path, json.dumps(document, indent=1, ensure_ascii=False).encode()):
            tally.add(f"{what} of the manifest", _opened, folder)
    return tally


def _edit(document: Any, chance: random.Random) -> str:
    """One edit of a document that leaves it another one; says what was edited."""
    *way, last = chance.choice(list(_places(document)))
    inner = document
    for name in way:
        inner = inner[name]
    before = inner[last]
    others = [value for value in STRANGE if json.dumps(value) != json.dumps(before)]
    kind = chance.choice(("changed", "removed", "added", "swapped"))
    if kind == "removed":
        del inner[last]
    elif kind == "added" and isinstance(inner, dict):
        inner["unheard of"] = chance.choice(STRANGE)
    elif kind == "swapped" and isinstance(before, list) and len(before) > 1 and before[::-1] != before:
        inner[last] = before[::-1]
    else:
        inner[last] = chance.choice(others)
    return ".".join(map(str, (*way, last)))


def _places(document: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if way:
        yield way
    items = document.items() if isinstance(document, dict) else enumerate(document)
    for name, value in items:
        if isinstance(value, dict | list):
            yield from _places(value, (*way, name))
        else:
            yield (*way, name)


def _opened(folder: Path) -> str:
    try:
        Run.open(folder)
    except CspError:
        return FOUND
    return LOST


def _look(folder: Path, name: str, before: Any) -> str:
    try:
        return AS_BEFORE if _shown(folder, name) == before else LOST
    except CspError:
        return FOUND


def _shown(folder: Path, name: str) -> Any:
    """What is shown of the part of a run that a file belongs to, as text or bytes that can be compared."""
    run = Run.open(folder)
    first, _, rest = name.partition("/")
    if name == MANIFEST_NAME:
        return run.manifest
    if first == "additions":
        for problem in Additions(run).problems():
            raise CspError(problem)
        return None
    if first.startswith("thumbnails"):
        sizes = ("small", "large")
        return [run.thumbnail(image, size) for image in range(run.manifest.images) for size in sizes]  # type: ignore[arg-type]
    part = rest.partition("/")[0].removesuffix(".parquet")
    kind, _, number = part.partition("-")
    if kind == "activations":
        return run.layer_activations(run.layers[int(number)]).tobytes()
    if kind == "neighbours":
        found = run.neighbours
        return found and (found.index.tobytes(), found.similarity.tobytes())
    if kind in ("neurons", "labels"):
        return getattr(run, kind)(run.layers[int(number)]).to_json()
    if first == "tables":
        return getattr(run, kind).to_json()
    return getattr(run, kind).tobytes() if kind != "zarr.json" else None


@contextmanager
def _with_content(path: Path, content: bytes) -> Iterator[None]:
    before = path.read_bytes()
    path.write_bytes(content)
    try:
        yield
    finally:
        path.write_bytes(before)
