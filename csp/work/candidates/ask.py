"""Asks a VLM for candidates, neuron by neuron; each answer is kept as soon as it is given.

The same question (model, mode, prompt, layout, seed, images) is asked of a neuron once: a stopped job goes on
where it was, and nothing is asked again.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import pandas as pd

from csp.errors import CspError, UnavailableError
from csp.keeping.run_folder.added_tables import Additions
from csp.keeping.versions import csp_version
from csp.work.candidates.embed import keep_embeddings
from csp.work.candidates.grids import NotAskedError, draw_grids, grids_hash, images_to_show
from csp.work.candidates.tables import CANDIDATE_TEXTS, CANDIDATES, CandidateRequest, request_key
from csp.work.engines.engine import HERE, Engine
from csp.work.explorer.explorer import Explorer, reopened
from csp.work.progress import Report, Stage, silent
from csp.work.runs.spec_paths import openable_spec, portable_spec
from csp.world.protocols.vlm import Vlm, open_vlm
from csp.world.vlms.parse_answer import parse_answer, storable


@dataclass
class Generated:
    """What came of it, in numbers of neurons."""

    asked: int = 0
    answered: int = 0
    unparsable: int = 0
    known: int = 0
    """Asked the same before, so not again."""
    not_asked: dict[int, str] = field(default_factory=dict)
    """By neuron, why there was nothing to show."""
    unscored: str = ""
    """Why the candidates have no scores yet; "" when they have."""

    @property
    def sentence(self) -> str:
        """For people."""
        said = f"{self.answered} neurons answered, {self.unparsable} answers unparsable"
        said += f", {self.known} known from before" if self.known else ""
        said += f", {len(self.not_asked)} not asked" if self.not_asked else ""
        return said + (f"; not scored: {self.unscored}" if self.unscored else "")


def generate(
    explorer: Explorer, layer: str, neurons: Sequence[int], request: CandidateRequest, report: Report = silent
) -> Generated:
    """Ask about some neurons of one layer; otherwise as `generate_all`."""
    return generate_all(explorer, {layer: neurons}, request, report)[layer]


def generate_all(
    explorer: Explorer,
    chosen: Mapping[str, Sequence[int]],
    request: CandidateRequest,
    report: Report = silent,
    engine: Engine = HERE,
) -> dict[str, Generated]:
    """Ask about each neuron, layer by layer, and keep the answers; what came of it, by layer.

    With another engine the workers find the run under the same path, and each opens the model once.

    Raises CspError for a request or model that can't be used, and when the model fails midway: what it
    answered until then is kept.
    """
    request.check()
    asker = _Asker(explorer, request, _opened(openable_spec(request.vlm)))
    kept = {layer: _Kept(asker, layer) for layer in chosen}
    missing = [
        (layer, neuron)
        for layer, neurons in chosen.items()
        for neuron in dict.fromkeys(neurons)
        if neuron not in kept[layer].known
    ]
    answers = engine.each(
        missing, asker.ask, partial(_asker_of, explorer.run.path, explorer.run.fingerprint, request)
    )
    return {
        layer: _one_layer(
            kept[layer], neurons, answers, Stage(f"{layer}: asking {asker.vlm.name}", len(neurons), report)
        )
        for layer, neurons in chosen.items()
    }


def _one_layer(kept: "_Kept", neurons: Sequence[int], answers: Iterator["Answer"], stage: Stage) -> Generated:
    """Keeps the answers about one layer's neurons as they come."""
    done = Generated()
    for place, neuron in enumerate(neurons, start=1):
        try:
            kept.keep(neuron, answers, done)
        except CspError as error:
            kept.finish(done)
            raise type(error)(
                f"{str(error).rstrip('.')}; {done.answered + done.unparsable} new answers are kept, "
                "and the same request goes on from here."
            ) from error
        stage.reached(place)
    kept.finish(done)
    return done


_opened = lru_cache(maxsize=1)(open_vlm)
"""Loading a large model takes minutes: the next request is answered by the same one."""


@dataclass(frozen=True)
class Answer:
    """What a VLM said of one neuron, as it is kept; or why there was nothing to show it."""

    row: dict[str, Any] | None
    not_asked: str = ""


class _Asker:
    """One request to one model."""

    def __init__(self, explorer: Explorer, request: CandidateRequest, vlm: Vlm) -> None:
        self.explorer, self.request, self.vlm = explorer, request, vlm
        self.options = explorer.options(request.layout.images, contrast=request.contrast or None)
        self.key = request_key(request, vlm.weights_hash, (self.options.reuse, str(self.options.contrast)))

    def ask(self, spot: tuple[str, int]) -> Answer:
        """Ask about one neuron of a layer."""
        layer, neuron = spot
        request, run = self.request, self.explorer.run
        examples, _ = self.explorer.examples(layer, neuron, self.options)
        try:
            shown = images_to_show(examples, request.mode)
            grids = draw_grids(run, shown, request.layout)
        except NotAskedError as error:
            return Answer(None, str(error))
        begun = time.monotonic()
        answer = self.vlm.answer(grids, request.question, seed=request.seed, most_tokens=request.most_tokens)
        raw = storable(answer)
        concepts = parse_answer(raw)
        return Answer(
            self._what_was_asked()
            | {
                "layer": layer,
                "neuron": neuron,
                "activating": shown.activating,
                "contrastive": shown.contrastive,
                "grids": grids_hash(grids),
                "raw": raw,
                "concepts": concepts,
                "status": "answered" if concepts else "unparsable",
                "when": datetime.now(UTC),
                "seconds": time.monotonic() - begun,
            }
        )

    def _what_was_asked(self) -> dict[str, Any]:
        request, layout = self.request, self.request.layout
        return {
            "request": self.key,
            "mode": request.mode,
            "vlm": portable_spec(request.vlm),
            "vlm_name": self.vlm.name,
            "vlm_hash": self.vlm.weights_hash,
            "prompt": request.question,
            "rows": layout.rows,
            "images": layout.images,
            "pixels": layout.pixels,
            "seed": request.seed,
            "most_tokens": request.most_tokens,
            "contrast": str(self.options.contrast),
            "reuse": self.options.reuse,
            "by": request.by,
            "csp_version": csp_version(),
        }


def _asker_of(path: Path, fingerprint: str, request: CandidateRequest) -> Callable[[tuple[str, int]], Answer]:
    """What a worker of a cluster does with the request."""
    return _Asker(reopened(path, fingerprint), request, open_vlm(openable_spec(request.vlm))).ask


class _Kept:
    """The answers to one request about one layer's neurons that lie with the run."""

    def __init__(self, asker: _Asker, layer: str) -> None:
        self.explorer, self.request = asker.explorer, asker.request
        self.additions = Additions(asker.explorer.run, in_place=asker.request.in_place)
        rows = Additions(asker.explorer.run).read(CANDIDATES)
        here = rows[(rows["layer"] == layer) & (rows["request"] == asker.key)]
        self.known = set(here["neuron"])
        self.texts = {text for concepts in here["concepts"] for text in concepts}
        """Proposed for this request, before or now."""

    def keep(self, neuron: int, answers: Iterator[Answer], done: Generated) -> None:
        """Keep the next answer, which is about this neuron, unless it was asked before."""
        if neuron in self.known:
            done.known += 1
            return
        self.additions.expect_room()
        answer = next(answers)
        self.known.add(neuron)
        if answer.row is None:
            done.not_asked[neuron] = answer.not_asked
            return
        self.additions.append(CANDIDATES, pd.DataFrame([answer.row]))
        concepts = answer.row["concepts"]
        done.asked += 1
        done.answered += bool(concepts)
        done.unparsable += not concepts
        self.texts |= set(concepts)

    def finish(self, done: Generated) -> None:
        """Embed what is new, so that it can be scored without a model, and put the parts together."""
        try:
            texts = sorted(self.texts)
            keep_embeddings(self.explorer.cache, self.additions, texts, self.request.encoder)
        except UnavailableError as error:
            done.unscored = str(error)
        for table in (CANDIDATES, CANDIDATE_TEXTS):
            self.additions.compact(table)
