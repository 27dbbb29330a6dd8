"""The candidates of a neuron: label texts that a VLM proposed for it, or a person, with their scores.

    candidates(explorer, "layer4", 17)             # best csp score first; at the run's own k and gamma
    vlm_answers(explorer.run, "layer4", 17)        # every answer, also those with nothing usable in them
    what_the_vlm_saw(explorer.run, answer)         # the grids, pixel by pixel
    add_candidate(explorer, "layer4", 17, "ruler marks", by="Ada")

Reading needs no model. `csp.work.candidates.ask` asks the VLM.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Literal

import pandas as pd

from csp.errors import BadInputError
from csp.keeping.run_folder.added_tables import Additions
from csp.keeping.run_folder.run import Run
from csp.work.candidates.embed import keep_embeddings
from csp.work.candidates.grids import GridImages, as_png, draw_grids, grids_hash
from csp.work.candidates.scores import score_candidates
from csp.work.candidates.tables import CANDIDATES, OWN_CANDIDATES, SHIPPED_VLM, Layout, Status
from csp.work.explorer.explorer import Explorer
from csp.work.explorer.options import ExampleOptions
from csp.work.labels.rows import LabelRow
from csp.work.labels.vocabulary import clean_text
from csp.world.pictures.grid import enlarged
from csp.world.vlms.prompts import Mode

LONGEST = 120
"""Characters of a text that a person adds."""
LARGE = 384
"""Pixels of a grid drawn large."""


@dataclass(frozen=True)
class VlmAnswer:
    """What a VLM was asked about a neuron, and what it answered, word for word."""

    layer: str
    neuron: int
    request: str
    mode: Mode
    vlm: str
    vlm_name: str
    vlm_hash: str
    prompt: str
    layout: Layout
    seed: int
    shown: GridImages
    grids: str
    raw: str
    concepts: tuple[str, ...]
    status: Status
    when: datetime
    seconds: float
    by: str

    @property
    def model(self) -> str:
        """The VLM's name for people."""
        return "the demo's small VLM" if self.vlm == SHIPPED_VLM else self.vlm_name


@dataclass(frozen=True)
class Candidate:
    """One text for one neuron, from one answer of a VLM or from a person."""

    text: str
    source: Literal["vlm", "person"]
    by: str
    """The VLM's name, or the person's."""
    when: datetime
    mode: Mode | None
    request: str
    """Of the answer that it comes from; "" for a person's."""
    replaces: str
    """The text that a person edited it from, or ""."""
    replaced: bool
    """Whether a person edited it since: it is kept, and stands behind."""
    scores: Mapping[str, LabelRow]
    """By labeler, ranks among vocabulary and candidates; empty where it can't be scored."""


@dataclass(frozen=True)
class SeenGrids:
    """The picture grids of an answer as PNG: as the VLM saw them, and enlarged without smoothing."""

    grids: tuple[bytes, ...]
    large: tuple[bytes, ...]
    same: bool
    """Whether what is drawn now is what was shown then, to the pixel."""


def candidates(
    explorer: Explorer,
    layer: str,
    neuron: int,
    options: ExampleOptions | None = None,
    labelers: Sequence[str] | None = None,
) -> tuple[Candidate, ...]:
    """The candidates of a neuron by csp score, under `options` or the run's own; edited ones come last.

    They are scored by `labelers`, by all if left out.
    """
    found = [*_proposed(explorer.run, layer, neuron), *_own(explorer.run, layer, neuron)]
    replaced = {row["replaces"].casefold() for row in found if row["replaces"]}
    texts = dict.fromkeys(row["text"] for row in found)
    scores = score_candidates(explorer, layer, neuron, texts, options or explorer.options(), labelers)
    listed = [
        Candidate(**row, replaced=row["text"].casefold() in replaced, scores=scores.get(row["text"], {}))
        for row in found
    ]
    return tuple(sorted(listed, key=_order))


def vlm_answers(run: Run, layer: str, neuron: int) -> tuple[VlmAnswer, ...]:
    """All that VLMs answered about a neuron, the latest first."""
    run.layer(layer)
    return _answers(run, Additions(run).version(CANDIDATES)).get((layer, neuron), ())


def what_the_vlm_saw(run: Run, answer: VlmAnswer) -> SeenGrids:
    """Draw the grids of an answer again; NotAskedError where the run has lost its pictures."""
    grids = draw_grids(run, answer.shown, answer.layout)
    large = tuple(as_png(enlarged(grid, LARGE)) for grid in grids)
    return SeenGrids(tuple(map(as_png, grids)), large, grids_hash(grids) == answer.grids)


def add_candidate(
    explorer: Explorer, layer: str, neuron: int, text: str, by: str, replaces: str = ""
) -> None:
    """Keep a text of a person's own; with `replaces`, as the edited form of another, which stays on record.

    One that the neuron has already changes nothing. Raises BadInputError for a text that can't be a label,
    and UnavailableError when it was kept but can't be scored here.
    """
    run, text = explorer.run, clean_text(text)
    if len(text) > LONGEST:
        raise BadInputError(f"a label of {len(text)} characters is too long; write at most {LONGEST}")
    run.activations(layer, neuron)  # says so when there is no such neuron
    additions = Additions(run)
    known = [row for row in _own(run, layer, neuron) if row["text"].casefold() == text.casefold()]
    if not known:
        row = {"id": uuid.uuid4().hex, "layer": layer, "neuron": neuron, "text": text}
        row |= {"replaces": replaces, "by": by, "when": datetime.now(UTC)}
        additions.append(OWN_CANDIDATES, pd.DataFrame([row]))
    keep_embeddings(explorer.cache, additions, [text])


def _proposed(run: Run, layer: str, neuron: int) -> list[dict[str, Any]]:
    return [
        {
            "text": text,
            "source": "vlm",
            "by": answer.model,
            "when": answer.when,
            "mode": answer.mode,
            "request": answer.request,
            "replaces": "",
        }
        for answer in vlm_answers(run, layer, neuron)
        for text in answer.concepts
    ]


def _own(run: Run, layer: str, neuron: int) -> list[dict[str, Any]]:
    rows = _own_rows(run, Additions(run).version(OWN_CANDIDATES))
    here = rows[(rows["layer"] == layer) & (rows["neuron"] == neuron)]
    kept = ((row["text"], row["by"], row["when"], row["replaces"]) for row in here.to_dict("records"))
    return [
        {
            "text": text,
            "source": "person",
            "by": by,
            "when": when.to_pydatetime(),
            "mode": None,
            "request": "",
            "replaces": replaces,
        }
        for text, by, when, replaces in kept
    ]


def _order(candidate: Candidate) -> tuple[bool, float, str]:
    row = candidate.scores.get("csp")
    return candidate.replaced, -row.score if row else float("inf"), candidate.text


@lru_cache(maxsize=4)
def _own_rows(run: Run, version: tuple[str, ...]) -> pd.DataFrame:
    return Additions(run).read(OWN_CANDIDATES)


@lru_cache(maxsize=4)
def _answers(run: Run, version: tuple[str, ...]) -> dict[tuple[str, int], tuple[VlmAnswer, ...]]:
    found: dict[tuple[str, int], list[VlmAnswer]] = {}
    for row in Additions(run).read(CANDIDATES).to_dict("records"):
        found.setdefault((row["layer"], row["neuron"]), []).append(_answer(row))
    return {
        place: tuple(sorted(answers, key=lambda answer: answer.when, reverse=True))
        for place, answers in found.items()
    }


def _answer(row: dict[Any, Any]) -> VlmAnswer:
    same = (
        "layer", "neuron", "request", "mode", "vlm", "vlm_name", "vlm_hash",
        "prompt", "seed", "grids", "raw", "status", "seconds", "by",
    )  # fmt: skip
    return VlmAnswer(
        **{name: row[name] for name in same},
        layout=Layout(row["rows"], row["images"], row["pixels"]),
        shown=GridImages(tuple(map(int, row["activating"])), tuple(map(int, row["contrastive"]))),
        concepts=tuple(row["concepts"]),
        when=row["when"].to_pydatetime(),
    )
