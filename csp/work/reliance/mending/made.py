"""What the two ways to write a mended model share: why, what was made, what the record tells."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from csp.keeping.run_folder.run import Run
from csp.keeping.versions import csp_version
from csp.work.reliance.concepts import Concept

TRIED, CLOSE = 16, 1e-5
"""On so many probe images the written model may differ so much, in probability, from what was foretold."""


@dataclass(frozen=True)
class Why:
    """By whom something is switched off, and why."""

    by: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Mended:
    """The model that was written."""

    path: Path
    record_path: Path
    spec: str
    record: dict[str, Any]
    furthest: float
    """The greatest difference of a probability from what was foretold, over `TRIED` probe images."""


def told_of(run: Run, chosen: Concept, why: Why) -> dict[str, Any]:
    """What was switched off, in which run, by whom and why."""
    return {
        "concepts": chosen.name,
        "labels": list(chosen.labels),
        "labels_checked_by_people": chosen.checked,
        "reviewers": list(chosen.reviewers),
        "by": why.by,
        "reason": why.reason,
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "csp_version": csp_version(),
        "run": run.name,
        "fingerprint": run.fingerprint,
        "source": {"spec": run.manifest.target.spec, "hash": run.manifest.target.hash},
    }
