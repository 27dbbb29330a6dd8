"""`csp runs`: what runs there are."""

from pathlib import Path
from typing import Any

from csp.errors import BadRunError
from csp.keeping.home import list_runs
from csp.keeping.manifest import read_manifest


def describe_runs() -> list[dict[str, Any]]:
    """Each run that has a name, as a JSON object; a damaged one has only name, path and problem."""
    return [_describe(path) for path in list_runs()]


def _describe(path: Path) -> dict[str, Any]:
    try:
        manifest = read_manifest(path)
    except BadRunError as error:
        return {"name": path.name, "path": str(path), "problem": str(error)}
    return {
        "name": path.name,
        "path": str(path),
        "target": manifest.target.name,
        "dataset": manifest.dataset.name,
        "encoder": manifest.encoder.name,
        "layers": [{"layer": record.layer, "neurons": record.neurons} for record in manifest.layers],
        "images": manifest.images,
        "skipped": manifest.skipped,
        "created": manifest.created.isoformat(timespec="seconds"),
        "fingerprint": manifest.fingerprint,
        "notes": list(manifest.notes),
        "problem": None,
    }
