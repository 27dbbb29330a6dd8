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
from typing import Any, Literal

from csp.keeping import atomic
from csp.keeping.canonical_json import canonical_json
from csp.keeping.home import SHIPPED_RUNS, home
from csp.keeping.run_folder.manifest import Manifest

How = Literal["shipped", "made here", "trusted", "distrusted"]


@dataclass(frozen=True)
class Trust:
    """Why a run is a stranger or none; for a run that was trusted or distrusted by name, who did it."""

    how: How
    run: str
    who: str = ""
    when: str = ""
    """ISO 8601, UTC."""


def trust_of(run: Path, manifest: Manifest) -> Trust | None:
    """Why the run in a folder may name what to open; None for a stranger."""
    if run.resolve().is_relative_to(SHIPPED_RUNS.resolve()):
        return Trust("shipped", run.name)
    newest = decision_on(manifest)
    return None if newest is None or newest.how == "distrusted" else newest


def decision_on(manifest: Manifest) -> Trust | None:
    """What was written down last of runs with this very manifest."""
    kept = _kept(manifest)
    try:
        return Trust(**kept[-1]) if kept else None
    except TypeError:
        return None


def keep_trust(manifest: Manifest, how: How, name: str, who: str = "") -> Trust:
    """Write down whether runs with this very manifest are strangers here, after all that was written down
    before; raises OSError."""
    trust = Trust(how, name, who, datetime.now(UTC).isoformat(timespec="seconds"))
    record = _record(manifest)
    record.parent.mkdir(parents=True, exist_ok=True)
    atomic.write_bytes(record, json.dumps([*_kept(manifest), asdict(trust)], indent=1).encode())
    return trust


def _kept(manifest: Manifest) -> list[dict[str, Any]]:
    """All decisions, oldest first; the first versions kept one alone."""
    try:
        kept = json.loads(_record(manifest).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return []
    return kept if isinstance(kept, list) else [kept]


def _record(manifest: Manifest) -> Path:
    """Fields at their defaults are left out, so that a field more in a later version changes no digest."""
    said = manifest.model_dump(mode="json", exclude_defaults=True)
    return home() / "trusted" / f"{hashlib.sha256(canonical_json(said).encode()).hexdigest()}.json"
