"""The manifest of a run about to be made."""

from datetime import UTC, datetime

from csp.keeping.manifest import (
    LayerRecord,
    Manifest,
    Parameters,
    Source,
    code_hash,
    installed_libraries,
)
from csp.work.provenance import csp_version

Sources = tuple[Source, Source, Source]
"""Target model, dataset, encoder."""


def new_manifest(
    name: str,
    sources: Sources,
    layers: tuple[LayerRecord, ...],
    parameters: Parameters,
    classes: tuple[str, ...] = (),
) -> Manifest:
    """A manifest, but for what the writer counts, made now by this program."""
    target, dataset, encoder = sources
    return Manifest(
        name=name,
        created=datetime.now(UTC),
        csp_version=csp_version(),
        code=code_hash(),
        libraries=installed_libraries(),
        target=target,
        dataset=dataset,
        encoder=encoder,
        layers=layers,
        classes=classes,
        parameters=parameters,
    )
