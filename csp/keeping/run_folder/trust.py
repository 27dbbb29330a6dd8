"""Which runs were made here, or are trusted by name: all others are strangers.

A run from elsewhere says itself which models and files to open. That is followed only for runs that ship with
the program, that this home's own jobs made, and that a person trusted. A record each lies in
`CSP_HOME/trusted/`, under the digest of the whole manifest: an edited manifest is a stranger again.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from csp.keeping import atomic
from csp.keeping.canonical_json import canonical_json
from csp.keeping.home import SHIPPED_RUNS, home
from csp.keeping.run_folder.manifest import Manifest

How = Literal["shipped", "made here", "trusted"]


@dataclass(frozen=True)
class Trust:
    """Why a run is no stranger; for a run that was trusted by name, who did it."""

    how: How
    run: str
    who: str = ""
    when: str = ""
    """ISO 8601, UTC."""


def trust_of(run: Path, manifest: Manifest) -> Trust | None:
    """Why the run in a folder may name what to open; None for a stranger."""
    if run.resolve().is_relative_to(SHIPPED_RUNS.resolve()):
        return Trust("shipped", run.name)
    try:
        return Trust(**json.loads(_record(manifest).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def keep_trust(manifest: Manifest, how: How, name: str, who: str = "") -> Trust:
    """Write down that runs with this very manifest are no strangers here; raises OSError."""
    trust = Trust(how, name, who, datetime.now(UTC).isoformat(timespec="seconds"))
    record = _record(manifest)
    record.parent.mkdir(parents=True, exist_ok=True)
    atomic.write_bytes(record, json.dumps(asdict(trust), indent=1).encode())
    return trust


def _record(manifest: Manifest) -> Path:
    """Fields at their defaults are left out, so that a field more in a later version changes no digest."""
    said = manifest.model_dump(mode="json", exclude_defaults=True)
    return home() / "trusted" / f"{hashlib.sha256(canonical_json(said).encode()).hexdigest()}.json"
