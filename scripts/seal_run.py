"""Seals a run of schema 1 or 2 where it lies: its manifest gets a seal, its additions their checksums.

    python scripts/seal_run.py assets/runs/demo

Its numbers, schema and fingerprint stay, so that verdicts and kept answers still belong to it.
"""

import hashlib
import json
import sys
from pathlib import Path

from csp.keeping import atomic
from csp.keeping.run_folder.manifest import MANIFEST_NAME, sealed
from csp.keeping.run_folder.run import Run


def seal_run(folder: Path) -> None:
    """Seal the run in a folder, if it is sound."""
    if problems := Run.open(folder).check():
        sys.exit(f"{folder} is not sound: {problems[0]}")
    manifest = folder / MANIFEST_NAME
    atomic.write_bytes(manifest, sealed(json.loads(manifest.read_text(encoding="utf-8"))))
    for part in folder.glob("additions/*/[!.]*.parquet"):
        digest = hashlib.sha256(part.read_bytes()).hexdigest()
        part.rename(part.with_name(f"{part.name.partition('-')[0]}-{digest}.parquet"))


if __name__ == "__main__":
    for name in sys.argv[1:]:
        seal_run(Path(name))
