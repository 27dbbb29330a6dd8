"""Where an answer comes from, and what computed it."""

from datetime import UTC
from importlib.metadata import version

from csp.keeping.answers import Answer
from csp.keeping.manifest import Manifest
from csp.work.views import Provenance, Source

_FRESHNESS: tuple[Source, ...] = ("precomputed", "cached", "computed")


def csp_version() -> str:
    """The version of this program."""
    return version("csp-explorer")


def computed_by(csp: str, *models: str) -> str:
    """`CSP Explorer 0.1.0`, and the models that took part."""
    return ", ".join([f"CSP Explorer {csp}", *models])


def precomputed(manifest: Manifest) -> Provenance:
    """Of what came with the run."""
    by = computed_by(manifest.csp_version, manifest.encoder.name)
    return Provenance("precomputed", by, manifest.created.astimezone(UTC), None)


def answered(answer: Answer) -> Provenance:
    """Of what the cache gave or was given."""
    return Provenance(answer.source, answer.by, answer.when, answer.seconds)


def freshest(*parts: Provenance) -> Provenance:
    """Of an answer made of parts: that of the part worked out last."""
    return max(parts, key=lambda part: (_FRESHNESS.index(part.source), part.when))
