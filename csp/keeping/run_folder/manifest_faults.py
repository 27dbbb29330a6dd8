"""What a finished run's manifest must say: counts in range, names once, files inside the folder."""

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from csp.errors import BadInputError
from csp.keeping.canonical_json import canonical_json
from csp.method.examples.contrast_rule import parse_rule

if TYPE_CHECKING:
    from csp.keeping.run_folder.manifest import Manifest

MOST = 2**40
"""No count of anything in a run is as large."""
_YEARS = range(1970, 9999)


def manifest_fault(manifest: "Manifest") -> str | None:
    """The first thing that is wrong, in a few words; None when nothing is."""
    try:
        canonical_json(manifest.model_dump(mode="json")).encode()
        parse_rule(manifest.parameters.contrast)
    except (ValueError, RecursionError, BadInputError) as error:
        return str(error)
    parameters = manifest.parameters
    counts = {
        "images": manifest.images,
        "dimension": manifest.dimension,
        "parameters.k": parameters.k,
        "parameters.batch_size": parameters.batch_size,
        **{f"layers.{place}.neurons": one.neurons for place, one in enumerate(manifest.layers)},
    }
    or_none = {
        "skipped": manifest.skipped,
        "parameters.neighbours": parameters.neighbours,
        "parameters.exact_up_to": parameters.exact_up_to,
        "parameters.seed": parameters.seed,
        **{f"files.{name}.bytes": record.bytes for name, record in manifest.files.items()},
    }
    names = [one.layer for one in manifest.layers]
    created = manifest.created
    faults = (
        next((f"{name} is {count}" for name, count in counts.items() if not 1 <= count < MOST), None),
        next((f"{name} is {count}" for name, count in or_none.items() if not 0 <= count < MOST), None),
        None if names else "it has no layers",
        None if len(set(names)) == len(names) and all(names) else "two layers have one name, or one has none",
        None if 0 <= parameters.gamma <= 1 else f"parameters.gamma is {parameters.gamma}",
        None if created.year in _YEARS and created.tzinfo else "created is no moment in UTC",
        None if manifest.files else "it lists no files",
        _too_large(manifest),
        next((f"the file {name!r} leads out of the run" for name in manifest.files if _leaves(name)), None),
    )
    return next((fault for fault in faults if fault), None)


def _too_large(manifest: "Manifest") -> str | None:
    """Embeddings do not shrink, so their files tell how many images there can be; a row of activations takes
    16 bytes at least. Without this a small run could ask for any memory."""
    claims = {"embeddings": manifest.images * manifest.dimension} | {
        f"activations-{place}": one.neurons for place, one in enumerate(manifest.layers)
    }
    for name, count in claims.items():
        held = sum(
            record.bytes for file, record in manifest.files.items() if file.startswith(f"arrays.zarr/{name}/")
        )
        if count > held:
            return f"{held} bytes of {name} can't hold what it says of their number"
    return None


def _leaves(name: str) -> bool:
    path = PurePosixPath(name)
    return path.is_absolute() or ".." in path.parts or "\0" in name or not path.parts
