"""The manifest: what a run was made of, with which parameters, and the hashes that prove it."""

import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
    model_validator,
)

from csp.errors import BadRunError
from csp.keeping import atomic
from csp.keeping.canonical_json import canonical_json
from csp.keeping.run_folder.manifest_faults import manifest_fault
from csp.keeping.versions import csp_version, installed_libraries
from csp.method.examples.neighbours import EXACT_UP_TO

SCHEMA_VERSION = 3
PAPER_CONTRAST = "mean"
MANIFEST_NAME = "manifest.json"

_FINGERPRINTED = {"schema_version", "layers", "classes", "parameters", "files"}
_SEAL = "seal"
_SEALED_SINCE = 3


def distinct(names: Sequence[str]) -> tuple[str, ...]:
    """The names by place, each once: repeated ones get a number, as ImageNet has two classes called crane."""
    found: dict[str, None] = {}
    for name in names:
        free, number = name, 2
        while free in found or (free != name and free in names):
            free, number = f"{name} ({number})", number + 1
        found[free] = None
    return tuple(found)


Side = Annotated[int, Field(ge=1, le=4096)]
"""So many positions of a layer lie beside or above each other."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Source(_Record):
    """A thing the run was made from: the spec it was opened by, its name, the sha256 of its content."""

    spec: str
    name: str
    hash: str


class SaeSource(Source):
    """A sparse autoencoder, and the layer that it reads."""

    layer: str


class LayerRecord(_Record):
    """One layer: dotted name, number of neurons, type of module, pooling of its output ("" when none).

    `sae` for the latents of a sparse autoencoder, `grid` (rows and columns) where the place at which a neuron
    fires most is kept for every image, `outlying` for images on which the whole layer gives way
    (`method.examples.outlying`); left out of the file elsewhere, as before there were any.
    """

    layer: str
    neurons: int
    type: str = ""
    pooling: str = ""
    sae: SaeSource | None = None
    grid: tuple[Side, Side] | None = None
    outlying: tuple[Annotated[int, Field(ge=0)], ...] = ()

    @model_serializer(mode="wrap")
    def _without_none(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        fields: dict[str, Any] = dump(self)
        for name in ("sae", "grid", "outlying"):
            if getattr(self, name) in (None, ()):
                fields.pop(name, None)
        return fields


class ColumnRecord(_Record):
    """A column of the dataset that the target model takes beside the picture: a number, or one of `choices`.

    `default` enters where an image has no value.
    """

    name: str
    choices: tuple[str, ...] = ()
    default: float | str


class Parameters(_Record):
    """Every parameter that decides a number of the run."""

    k: int = 30
    reuse: bool = True
    gamma: float = 1.0
    templates: tuple[str, ...] = ()
    renormalise: bool = True
    neighbours: int = 0
    batch_size: int = 1
    seed: int = 0
    contrast: str = PAPER_CONTRAST
    """The contrast rule as text. Since schema 2; a run of schema 1 was made by the paper's."""
    exact_up_to: int = EXACT_UP_TO
    """Neighbours of more images are approximate. Left out where it is the usual, as it was before."""

    @model_serializer(mode="wrap")
    def _without_the_usual(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        fields: dict[str, Any] = dump(self)
        if self.exact_up_to == EXACT_UP_TO:
            fields.pop("exact_up_to", None)
        return fields

    def planned(self) -> dict[str, Any]:
        """As part of a job's plan: without the usual contrast rule, so that jobs begun before it go on."""
        return self.model_dump(mode="json", exclude={"contrast"} if self.contrast == PAPER_CONTRAST else None)


class ApproximateNeighbours(_Record):
    """How the neighbours of very many images were found: of an index of `lists`, so many were `searched`.

    `recall` is the share of the true neighbours of a `sample` of images that are among those stored.
    """

    lists: int
    searched: int
    recall: float = Field(ge=0, le=1)
    sample: int


class FileRecord(_Record):
    """Length in bytes and sha256 of one file of the run."""

    bytes: int
    sha256: str


class Manifest(_Record):
    """What `manifest.json` holds; `images`, `skipped`, `dimension` and `files` are filled in by the writer.

    `plan` is what the job was asked to do (see `RunWriter`), `code` the hash of the code that
    did it (`csp.keeping.code_hash`).
    """

    schema_version: int = SCHEMA_VERSION
    name: str
    created: datetime
    csp_version: str
    code: str
    libraries: dict[str, str]
    target: Source
    dataset: Source
    encoder: Source
    layers: tuple[LayerRecord, ...]
    classes: Annotated[tuple[str, ...], AfterValidator(distinct)] = ()
    """The target model's classes by place, no two of one name: of two called crane the other is crane (2)."""
    columns: tuple[ColumnRecord, ...] = ()
    """What the model takes beside the picture; left out of the file where it takes nothing."""
    parameters: Parameters = Parameters()
    approximate: ApproximateNeighbours | None = None
    """Left out of the file where neighbours are exact."""
    notes: tuple[str, ...] = ()
    images: int = 0
    skipped: int = 0
    dimension: int = 0
    plan: dict[str, Any] = {}
    files: dict[str, FileRecord] = {}

    @model_validator(mode="after")
    def _outlying_images_are_there(self) -> Self:
        for record in self.layers:
            if max(record.outlying, default=-1) >= self.images:
                raise ValueError(f"layer {record.layer} leaves out an image that the run does not have")
        return self

    @model_serializer(mode="wrap")
    def _without_no_columns(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        fields: dict[str, Any] = dump(self)
        if not self.columns:
            fields.pop("columns", None)
        if self.approximate is None:
            fields.pop("approximate", None)
        return fields

    @property
    def fingerprint(self) -> str:
        """sha256 over all that decides a number: sources, layers, parameters, and the hash of every file.

        Since schema 3 also the names of the classes, as answers hold them. Left out: the run's name, when and
        where it was made, the versions, and the words for its parts.
        """
        decides = self.model_dump(mode="json", include=_FINGERPRINTED)
        if self.schema_version == 1:
            del decides["parameters"]["contrast"]
        if self.schema_version < 3:
            del decides["classes"]
        decides["sources"] = [self.target.hash, self.dataset.hash, self.encoder.hash]
        return hashlib.sha256(canonical_json(decides).encode()).hexdigest()


def sealed(document: dict[str, Any]) -> bytes:
    """The file of a manifest: the document with its seal, the sha256 of its canonical JSON without one."""
    content = {name: value for name, value in document.items() if name != _SEAL}
    return json.dumps(content | {_SEAL: _digest(content)}, indent=1, ensure_ascii=False).encode()


def write_manifest(run: Path, manifest: Manifest) -> None:
    """Write the manifest of a run, sealed, which makes the folder a run."""
    atomic.write_bytes(run / MANIFEST_NAME, sealed(manifest.model_dump(mode="json")))


def _digest(content: dict[str, Any]) -> str:
    return hashlib.sha256(canonical_json(content).encode()).hexdigest()


def read_manifest(run: Path) -> Manifest:
    """The manifest of the run folder `run`.

    Raises
    ------
    BadRunError
        No manifest (then the folder is not a run), not JSON, not as it was sealed, fields missing or wrong,
        or a newer schema.
    """
    try:
        if not (run / MANIFEST_NAME).is_file():
            raise BadRunError(
                f"{run} is not a run: it has no {MANIFEST_NAME}; make one with `csp index` or `csp import`"
            )
        document = json.loads((run / MANIFEST_NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError, MemoryError) as error:
        raise BadRunError(f"{run / MANIFEST_NAME} can't be read ({error}): copy the run again") from None
    _refuse_newer(run, document)
    _check_seal(run, document)
    try:
        manifest = Manifest.model_validate({name: value for name, value in document.items() if name != _SEAL})
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise BadRunError(f"{run / MANIFEST_NAME} is damaged at {where!r}: {first['msg']}") from None
    except (ValueError, RecursionError) as error:
        raise BadRunError(f"{run / MANIFEST_NAME} is damaged ({error}): copy the run again") from None
    if fault := manifest_fault(manifest):
        raise BadRunError(f"{run / MANIFEST_NAME} is damaged: {fault}; copy the run again")
    return manifest


def _refuse_newer(run: Path, document: Any) -> None:
    schema = document.get("schema_version") if isinstance(document, dict) else None
    if not isinstance(schema, int) or isinstance(schema, bool) or schema < 1:
        raise BadRunError(f"{run / MANIFEST_NAME} is damaged: it names no schema_version")
    if schema > SCHEMA_VERSION:
        raise BadRunError(
            f"{run} was made by a newer version (schema {schema}, this app reads up to {SCHEMA_VERSION}): "
            "update the app"
        )


def _check_seal(run: Path, document: dict[str, Any]) -> None:
    """Runs of schema 1 and 2 were made without a seal; where one has it, it counts."""
    seal = document.get(_SEAL)
    if seal is None and document["schema_version"] < _SEALED_SINCE and _SEAL not in document:
        return
    try:
        whole = seal == _digest({name: value for name, value in document.items() if name != _SEAL})
    except (ValueError, RecursionError):  # NaN, half a character: nothing that was ever sealed
        whole = False
    if not whole:
        raise BadRunError(
            f"{run / MANIFEST_NAME} was changed after the run was made, or lost its seal: copy the run again"
        )


Sources = tuple[Source, Source, Source]
"""Target model, dataset, encoder."""


def new_manifest(
    name: str,
    sources: Sources,
    layers: tuple[LayerRecord, ...],
    parameters: Parameters,
    code: str,
    classes: tuple[str, ...] = (),
    columns: tuple[ColumnRecord, ...] = (),
) -> Manifest:
    """A manifest, but for what the writer counts, made now by `code` (`code_hash` of what makes the run)."""
    target, dataset, encoder = sources
    return Manifest(
        name=name,
        created=datetime.now(UTC),
        csp_version=csp_version(),
        code=code,
        libraries=installed_libraries(),
        target=target,
        dataset=dataset,
        encoder=encoder,
        layers=layers,
        classes=classes,
        columns=columns,
        parameters=parameters,
    )
