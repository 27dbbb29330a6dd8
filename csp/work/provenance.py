"""Where an answer comes from, and what computed it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from csp.keeping.result_cache import CachedResult
from csp.keeping.run_folder.manifest import Manifest

Source = Literal["precomputed", "cached", "computed"]

_FRESHNESS: tuple[Source, ...] = ("precomputed", "cached", "computed")


@dataclass(frozen=True)
class Provenance:
    """Where an answer came from: stored with the run, kept from an earlier question, or worked out now."""

    source: Source
    by: str
    """What computed it: the version of CSP Explorer, then the encoder where one ran."""
    when: datetime
    """When it was computed (UTC)."""
    seconds: float | None
    """How long that took; None for what came with the run."""


def computed_by(csp: str, *models: str) -> str:
    """`CSP Explorer 0.1.0`, and the models that took part."""
    return ", ".join([f"CSP Explorer {csp}", *models])


def precomputed(manifest: Manifest) -> Provenance:
    """Of what came with the run."""
    by = computed_by(manifest.csp_version, manifest.encoder.name)
    return Provenance("precomputed", by, manifest.created.astimezone(UTC), None)


def answered(answer: CachedResult) -> Provenance:
    """Of what the cache gave or was given."""
    return Provenance(answer.source, answer.by, answer.when, answer.seconds)


def freshest(*parts: Provenance) -> Provenance:
    """Of an answer made of parts: that of the part worked out last."""
    return max(parts, key=lambda part: (_FRESHNESS.index(part.source), part.when))
