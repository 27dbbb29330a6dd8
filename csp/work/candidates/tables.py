"""What is kept of candidates: every answer of a VLM whole, people's own texts, and the embeddings of both.

Nothing is ever changed or removed: an edited text is a new row that names the one it replaces.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import pyarrow as pa

from csp.errors import BadInputError
from csp.keeping.run_folder.added_tables import AddedTable
from csp.method.examples.contrast_rule import parse_rule
from csp.world.pictures.grid import PIXELS, ROWS
from csp.world.protocols.vlm import MOST_TOKENS
from csp.world.vlms.prompts import GRIDS, PROMPTS, Mode, message_parts

_TEXT, _WHOLE, _WHEN = pa.string(), pa.int64(), pa.timestamp("us", tz="UTC")

CANDIDATES = AddedTable(
    "candidates",
    {
        "layer": _TEXT,
        "neuron": _WHOLE,
        "request": _TEXT,
        "mode": _TEXT,
        "vlm": _TEXT,
        "vlm_name": _TEXT,
        "vlm_hash": _TEXT,
        "prompt": _TEXT,
        "rows": _WHOLE,
        "images": _WHOLE,
        "pixels": _WHOLE,
        "seed": _WHOLE,
        "most_tokens": _WHOLE,
        "contrast": _TEXT,
        "reuse": pa.bool_(),
        "activating": pa.list_(_WHOLE),
        "contrastive": pa.list_(_WHOLE),
        "grids": _TEXT,
        "raw": _TEXT,
        "concepts": pa.list_(_TEXT),
        "status": _TEXT,
        "when": _WHEN,
        "seconds": pa.float64(),
        "by": _TEXT,
        "csp_version": _TEXT,
    },
    ("layer", "neuron", "request"),
)
"""One row an answer. `grids`: SHA-256 of the pixels of what was shown; `status`: answered or unparsable."""

OWN_CANDIDATES = AddedTable(
    "own-candidates",
    {
        "id": _TEXT,
        "layer": _TEXT,
        "neuron": _WHOLE,
        "text": _TEXT,
        "replaces": _TEXT,
        "by": _TEXT,
        "when": _WHEN,
    },
    ("id",),
)
"""One row a text that a person added; `replaces`: the text it was edited from, or ""."""

CANDIDATE_TEXTS = AddedTable(
    "candidate-texts", {"text": _TEXT, "embedding": pa.list_(pa.float32())}, ("text",)
)
"""Embeddings of the texts outside the vocabulary: with them no model is needed to score."""

SHIPPED_VLM = "hf:assets/models/vlm"
"""The demo's own, as runs name it."""

Status = Literal["answered", "unparsable"]


@dataclass(frozen=True)
class Layout:
    """How the pictures are shown: `images` in `rows` rows, `pixels` along the longer side of a grid."""

    rows: int = ROWS
    images: int = ROWS**2
    pixels: int = PIXELS

    @property
    def columns(self) -> int:
        """As many as the rows need."""
        return -(-self.images // self.rows)


@dataclass(frozen=True)
class CandidateRequest:
    """What to ask which VLM. `prompt` "" is the mode's own; it needs the slot `{images}`."""

    vlm: str
    mode: Mode = "contrastive"
    prompt: str = ""
    layout: Layout = field(default_factory=Layout)
    seed: int = 0
    most_tokens: int = MOST_TOKENS
    encoder: str = ""
    """Where the run's encoder lies, if not where the run says."""
    by: str = ""
    """Who asks."""
    contrast: str = ""
    """Which images may be look-alikes (`method.contrast_rule`); "" is the run's own rule."""
    in_place: bool = False

    @property
    def question(self) -> str:
        """The prompt that is sent."""
        return self.prompt or PROMPTS[self.mode]

    def check(self) -> None:
        """Raise BadInputError with the first of `faults`."""
        for fault in self.faults().values():
            raise BadInputError(fault)

    def faults(self) -> dict[str, str]:
        """By field, why it can't work; the layout's fields are `images` and `pixels`."""
        if self.mode not in GRIDS:
            return {"mode": f"there is no mode {self.mode!r}; there are {', '.join(GRIDS)}"}
        (rows, images, pixels), found = asdict(self.layout).values(), dict[str, str]()
        if not 1 <= rows <= images <= 100:
            found["images"] = f"{images} images in {rows} rows can't be laid out; take 1 to 100 images"
        elif not max(rows, self.layout.columns) <= pixels <= 4096:
            found["pixels"] = f"a grid of {pixels} pixels can't be drawn; take 128 to 4096"
        if not 1 <= self.most_tokens <= 4096 or not 0 <= self.seed < 2**31:
            found["seed"] = "an answer has 1 to 4096 tokens, and a seed is a whole number from 0"
        try:
            parse_rule(self.contrast or "mean")
        except BadInputError as error:
            found["contrast"] = str(error)
        try:
            message_parts(self.question, GRIDS[self.mode])
        except BadInputError as error:
            found["prompt"] = str(error)
        return found


def request_key(request: CandidateRequest, vlm_hash: str, examples: Sequence[Any]) -> str:
    """What tells a question from all others: the same neuron is asked the same question only once.

    `examples` is what decides which images are shown. A server that does not tell its weights is known by
    its address and the model's name.
    """
    asked = {
        "vlm": vlm_hash or request.vlm,
        "mode": request.mode,
        "prompt": request.question,
        "layout": asdict(request.layout),
        "seed": request.seed,
        "most_tokens": request.most_tokens,
        "examples": list(examples),
    }
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:32]
