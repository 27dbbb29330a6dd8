"""Asks a VLM for candidates, neuron by neuron; each answer is kept as soon as it is given.

The same question (model, mode, prompt, layout, seed, images) is asked of a neuron once: a stopped job goes on
where it was, and nothing is asked again.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import pandas as pd

from csp.errors import CspError, UnavailableError
from csp.keeping.run_folder.added_tables import Additions
from csp.keeping.versions import csp_version
from csp.work.candidates.embed import keep_embeddings
from csp.work.candidates.grids import NotAskedError, draw_grids, grids_hash, images_to_show
from csp.work.candidates.tables import CANDIDATE_TEXTS, CANDIDATES, CandidateRequest, request_key
from csp.work.explorer.explorer import Explorer
from csp.work.explorer.options import ExampleOptions
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
    """Ask about each neuron and keep the answers.

    Raises CspError for a request or model that can't be used, and when the model fails midway: what it
    answered until then is kept.
    """
    request.check()
    vlm = _opened(openable_spec(request.vlm))
    options = explorer.options(request.layout.images, contrast=request.contrast or None)
    work = _Work(explorer, layer, request, vlm, options)
    stage, done = Stage(f"{layer}: asking {vlm.name}", len(neurons), report), Generated()
    for place, neuron in enumerate(neurons, start=1):
        try:
            work.ask(neuron, done)
        except NotAskedError as error:
            done.not_asked[neuron] = str(error)
        except CspError as error:
            work.finish(done)
            raise type(error)(
                f"{str(error).rstrip('.')}; {done.answered + done.unparsable} new answers are kept, "
                "and the same request goes on from here."
            ) from error
        stage.reached(place)
    work.finish(done)
    return done


_opened = lru_cache(maxsize=1)(open_vlm)
"""Loading a large model takes minutes: the next layer is asked of the same one."""


class _Work:
    """One request to one model about the neurons of one layer."""

    def __init__(
        self, explorer: Explorer, layer: str, request: CandidateRequest, vlm: Vlm, options: ExampleOptions
    ) -> None:
        self.explorer, self.layer, self.options = explorer, layer, options
        self.request, self.vlm = request, vlm
        self.additions = Additions(explorer.run, in_place=request.in_place)
        self.key = request_key(request, vlm.weights_hash, (options.reuse, str(options.contrast)))
        rows = Additions(explorer.run).read(CANDIDATES)
        here = rows[(rows["layer"] == layer) & (rows["request"] == self.key)]
        self.known = set(here["neuron"])
        self.texts = {text for concepts in here["concepts"] for text in concepts}
        """Proposed for this request, before or now."""

    def ask(self, neuron: int, done: Generated) -> None:
        """Ask about one neuron unless it was asked before, and keep the answer."""
        if neuron in self.known:
            done.known += 1
            return
        self.additions.expect_room()
        request, run = self.request, self.explorer.run
        examples, _ = self.explorer.examples(self.layer, neuron, self.options)
        shown = images_to_show(examples, request.mode)
        grids = draw_grids(run, shown, request.layout)
        begun = time.monotonic()
        answer = self.vlm.answer(grids, request.question, seed=request.seed, most_tokens=request.most_tokens)
        raw = storable(answer)
        concepts = parse_answer(raw)
        row = self._what_was_asked() | {
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
        self.additions.append(CANDIDATES, pd.DataFrame([row]))
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

    def _what_was_asked(self) -> dict[str, Any]:
        request, layout = self.request, self.request.layout
        return {
            "layer": self.layer,
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
