"""What `csp index` is asked to do, as one frozen value, from options or from a YAML or JSON file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
)
from pydantic_core import ErrorDetails

from csp.errors import BadInputError, NotFoundError
from csp.method.examples.neighbours import EXACT_UP_TO, STORED
from csp.work.indexing.field_faults import shown, wish
from csp.world.documents import read_settings
from csp.world.places.addresses import is_address
from csp.world.protocols.pooling import FORM, read_pooling
from csp.world.protocols.sae import read_sae
from csp.world.specs.paths import anchored_path, anchored_spec

Template = Annotated[str, StringConstraints(pattern=r"\{\}")]


def _one_or_more(given: object) -> object:
    """A list; a text by itself is a list of one."""
    return [given] if isinstance(given, str) else given


def _saes(given: tuple[str, ...]) -> tuple[str, ...]:
    """SAEs, if each says which layer it reads."""
    try:
        return tuple("=".join(read_sae(text)) for text in given)
    except BadInputError as error:
        raise ValueError("write LAYER=SPEC for each, such as layer4=saelens:/path/folder") from error


def _pooling(given: str) -> str:
    """The pooling without blanks, if it can be read."""
    try:
        read_pooling(given)
    except BadInputError as error:
        raise ValueError(f"write {FORM}") from error
    return given.replace(" ", "")


class Names(BaseModel):
    """What the screens call the model, the images and the encoder; empty takes the name of the file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str = ""
    data: str = ""
    encoder: str = ""


class IndexSpec(BaseModel):
    """Everything that decides what a run holds; the same spec resumes a stopped job."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_min_length=1)

    model: str
    layers: Annotated[tuple[str, ...], BeforeValidator(_one_or_more)] = Field(min_length=1)
    saes: Annotated[tuple[str, ...], BeforeValidator(_one_or_more), AfterValidator(_saes)] = ()
    """Sparse autoencoders whose latents are read besides, each as `LAYER=SPEC`."""
    data: str
    encoder: str
    out: str
    """A folder, a plain name for a run in the runs folder, or an address to send it to from there."""
    pooling: Annotated[str, AfterValidator(_pooling)] = "mean"
    """How feature maps become one number: `mean`, `max`, `cls`, `quantile:0.95`, `mean,layer3=max`."""
    batch_size: int = Field(32, ge=1, le=4096)
    workers: int = Field(2, ge=1, le=64)
    """Threads that decode images while the models compute; changes no number."""
    engine: Literal["local", "ray"] = "local"
    """Where batches are worked out: here, or on a Ray cluster; changes no number."""
    address: str = "auto"
    """Of the Ray cluster."""
    vocabulary: Path | None = None
    templates: Annotated[tuple[Template, ...] | None, BeforeValidator(_one_or_more)] = Field(
        None, min_length=1
    )
    """Prompts with a `{}` for the text; None takes the default ones."""
    renormalise: bool = True
    """Whether text embeddings are normalised again after the mean over templates."""
    k: int = Field(30, ge=1)
    gamma: float = Field(1.0, ge=0.0, le=1.0)
    reuse: bool = True
    contrast: str = "mean"
    """The contrast rule, e.g. `quantile:0.1,neighbours:5` (`csp/method/examples/contrast_rule.py`)."""
    neighbours: int = Field(STORED, ge=1)
    """How many nearest neighbours of each image are stored; changes the speed, not the answers."""
    exact_neighbours: int = Field(EXACT_UP_TO, ge=0)
    """Up to so many images neighbours are exact; above, FAISS finds nearly all, and the run says so."""
    names: Names = Names()


def read_config(path: Path) -> dict[str, Any]:
    """The fields of a config file, its paths taken from its folder; raises NotFoundError, BadInputError."""
    try:
        fields = read_settings(path, "config file")
    except NotFoundError as error:
        raise NotFoundError(f"{error}; give a .yaml or .json file, or --model and the rest") from None
    return anchor_fields(fields, path.resolve().parent)


def make_spec(fields: Mapping[str, Any]) -> IndexSpec:
    """A checked spec; raises BadInputError naming the first field that is wrong."""
    try:
        return IndexSpec.model_validate(dict(fields))
    except ValidationError as error:
        raise BadInputError(next(iter(_faults(error).values()))) from error


def field_faults(fields: Mapping[str, Any]) -> dict[str, str]:
    """What is wrong with each field, in one sentence; empty when a spec can be made of them."""
    try:
        IndexSpec.model_validate(dict(fields))
    except ValidationError as error:
        return _faults(error)
    return {}


def _faults(error: ValidationError) -> dict[str, str]:
    found: dict[str, str] = {}
    for fault in error.errors():
        place = ".".join(str(part) for part in fault["loc"])
        found.setdefault(place.split(".")[0], _fault(fault, place or "the spec"))
    return found


def _fault(fault: ErrorDetails, place: str) -> str:
    if fault["type"] == "missing":
        return f"{place} is missing: index needs model, layers, data, encoder and out"
    if fault["type"] == "extra_forbidden":
        return f"{place} is no field of an index config; there are {', '.join(IndexSpec.model_fields)}"
    return f"{place} {shown(fault['input'])} can't be used: {wish(fault)}"


def anchor_fields(fields: dict[str, Any], base: Path) -> dict[str, Any]:
    """The same fields with every relative path in them taken from the folder `base`."""
    anchored = dict(fields)
    for name in ("model", "data", "encoder"):
        if isinstance(fields.get(name), str):
            anchored[name] = anchored_spec(fields[name], base)
    if fields.get("saes"):
        anchored["saes"] = [_anchored_sae(text, base) for text in _as_list(fields["saes"])]
    if isinstance(fields.get("vocabulary"), str):
        anchored["vocabulary"] = anchored_path(fields["vocabulary"], base)
    out = fields.get("out")
    if isinstance(out, str) and len(Path(out).parts) > 1 and not is_address(out):
        anchored["out"] = str(anchored_path(fields["out"], base))
    return anchored


def _as_list(given: object) -> list[object]:
    return list(given) if isinstance(given, list | tuple) else [given]


def _anchored_sae(given: object, base: Path) -> object:
    layer, equals, spec = given.partition("=") if isinstance(given, str) else ("", "", "")
    return f"{layer}={anchored_spec(spec.strip(), base)}" if equals else given


def one_line(error: Exception) -> str:
    """An error's own message on one line."""
    return " ".join(str(error).split())
