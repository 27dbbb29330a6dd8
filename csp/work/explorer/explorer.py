"""Answers questions about one run: from what came with it, from the cache, or worked out now.

    explorer = open_explorer("demo")                     # NotFoundError says which runs exist
    explorer.run.layers                                  # ("layer3", "layer4")
    table = explorer.neurons("layer4")                   # NeuronTable: .frame (a DataFrame), .provenance
    view = explorer.neuron("layer4", 17)                 # NeuronView at the run's own k, gamma and reuse
    other = explorer.options(k=9, gamma=0.5)             # ExampleOptions: the rest is the run's own
    view = explorer.neuron("layer4", 17, other)          # ... at others; then cached
    view.pairs[0].activating.image                       # -> explorer.run.thumbnail(image, "small"): bytes
    view.labels["csp"][0].label, view.scores             # best labels; the table over all labelers
    explorer.stored_labels.score_range("layer4", "csp")  # ScoreRange of first labels; None: no vocabulary
    view.provenance.source                               # "precomputed" | "cached" | "computed"

No model is needed; `csp.work.explorer.typed_text` scores any text, for which the encoder may have to load.
"""

from collections.abc import Iterable
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from socket import gethostname
from typing import Any

from csp.errors import BadInputError, UnavailableError
from csp.keeping.home import result_cache_folder
from csp.keeping.library.find import find_run
from csp.keeping.lru import LruCache
from csp.keeping.result_cache import ResultCache
from csp.keeping.run_folder.run import Run
from csp.method.examples.outlying import steady
from csp.method.examples.select import Examples, select_examples
from csp.method.labelers.evidence import Evidence
from csp.method.labelers.registry import LABELERS
from csp.work.explorer.build_view import neuron_table, neuron_view
from csp.work.explorer.images import ImageIndex
from csp.work.explorer.options import ExampleOptions, example_options
from csp.work.explorer.serialise import examples_from_json, examples_to_json, labels_from_json, labels_to_json
from csp.work.explorer.views import NeuronTable, NeuronView, Pair
from csp.work.labels.rows import Labels
from csp.work.labels.scorer import TOP, Scorer, Scores, best_texts, labelers_code, run_scorer
from csp.work.labels.stored import StoredLabels
from csp.work.labels.stored_facets import StoredFacets
from csp.work.labels.synonyms import Synonyms
from csp.work.labels.vocabulary import run_vocabulary
from csp.work.provenance import Provenance, answered, freshest, precomputed
from csp.work.run_cache import RunCache

RECENT_SCORES = 64
"""So many neurons' scores in which gamma plays no part stay in memory, for a change of gamma."""


class Explorer:
    """The questions that pages and commands ask of one run.

    Questions about a neuron are asked under `options`, without them under the run's own; they raise
    NotFoundError for a layer or neuron that does not exist.
    """

    def __init__(self, run: Run, results: ResultCache) -> None:
        self.run = run
        self.cache = RunCache(run, results)
        self.images = ImageIndex(run)
        self.stored_labels = StoredLabels(run)
        self.stored_facets = StoredFacets(run, self.stored_labels)
        self._settled: LruCache[tuple[Any, ...], Scores] = LruCache(RECENT_SCORES)

    def options(
        self,
        k: int | None = None,
        gamma: float | None = None,
        reuse: bool | None = None,
        contrast: str | None = None,
    ) -> ExampleOptions:
        """Checked options; what is left None is the run's own parameter. Raises BadInputError."""
        return example_options(self.run.manifest.parameters, k, gamma, reuse, contrast)

    def neurons(self, layer: str) -> NeuronTable:
        """The neurons of a layer, with their state and the first label of the first labeler."""
        return neuron_table(self.run, layer, self.stored_labels.first_rows(layer))

    def neuron(self, layer: str, neuron: int, options: ExampleOptions | None = None) -> NeuronView:
        """One neuron: all that its page shows."""
        options = options or self._own
        examples, found = self.examples(layer, neuron, options)
        labels, labelled = self.labels(layer, neuron, options)
        pairs, provenance = self.images.pairs(examples), freshest(found, labelled)
        first = self.stored_labels.first_labeler(layer)
        return neuron_view(self.run, (layer, neuron, options), pairs, labels, first, provenance)

    def pairs(
        self, layer: str, neuron: int, options: ExampleOptions | None = None
    ) -> tuple[tuple[Pair, ...], float]:
        """The example pairs of one neuron, and its mean activation."""
        examples, _ = self.examples(layer, neuron, options)
        return self.images.pairs(examples), examples.mean_activation

    def examples(
        self, layer: str, neuron: int, options: ExampleOptions | None = None
    ) -> tuple[Examples, Provenance]:
        """One neuron's examples, without images on which its layer gives way, and where they come from."""
        options = options or self._own
        activations = steady(self.run.activations(layer, neuron), self.run.outlying(layer))
        if self._are_stored(options):
            stored = self.run.examples(layer, neuron)
            if stored is not None:
                return stored, precomputed(self.run.manifest)

        def compute() -> dict[str, Any]:
            return examples_to_json(
                select_examples(
                    activations,
                    self.run.embeddings,
                    options.k,
                    reuse=options.reuse,
                    neighbours=self.run.neighbours,
                    rule=options.contrast,
                )
            )

        asked = {"layer": layer, "neuron": neuron, "options": options.as_json() | {"gamma": None}}
        found = self.cache.get_or_compute(asked, compute)
        return examples_from_json(found.value), answered(found)

    def labels(
        self, layer: str, neuron: int, options: ExampleOptions | None = None, top: int = TOP
    ) -> tuple[Labels, Provenance]:
        """By labeler, the texts among the `top` best of any labeler; empty without a vocabulary."""
        options, top = options or self._own, max(top, TOP)
        if options == self._own and top == TOP:
            stored = self.stored_labels.of(layer, neuron)
            if stored is not None:
                return stored, precomputed(self.run.manifest)
        scorer = self.scorer
        if scorer is None:
            return {}, precomputed(self.run.manifest)

        def compute() -> dict[str, Any]:
            scores = self._scores(scorer, layer, neuron, options)
            return labels_to_json(best_texts(scores, run_vocabulary(self.run).texts, top))

        asked = {"layer": layer, "neuron": neuron, "options": options.as_json(), "top": top}
        found = self.cache.get_or_compute(
            asked | {"labelers": labelers_code()}, compute, model=self.run.manifest.encoder
        )
        return labels_from_json(found.value), answered(found)

    def evidence(
        self,
        layer: str,
        neuron: int,
        options: ExampleOptions | None = None,
        labelers: Iterable[str] = LABELERS,
    ) -> Evidence:
        """What labelers look at for one neuron; raises BadInputError for a run without a vocabulary."""
        if self.scorer is None:
            raise BadInputError(
                f"the run {self.run.name} has no vocabulary, so there is nothing to label with"
            )
        examples, _ = self.examples(layer, neuron, options)
        return self.scorer.evidence(layer, self.run.activations(layer, neuron), examples, labelers)

    @cached_property
    def scorer(self) -> Scorer | None:
        """Scores all texts of the vocabulary; None for a run without one."""
        return run_scorer(self.cache)

    @cached_property
    def synonyms(self) -> Synonyms:
        """Which texts of the vocabulary mean the same."""
        return Synonyms(run_vocabulary(self.run))

    def _scores(self, scorer: Scorer, layer: str, neuron: int, options: ExampleOptions) -> Scores:
        """Of every text; those in which gamma plays no part are kept for the next gamma."""
        activations = self.run.activations(layer, neuron)
        examples, _ = self.examples(layer, neuron, options)
        settled = self._settled.get(
            (layer, neuron, replace(options, gamma=0.0)), lambda: scorer.settled(layer, activations, examples)
        )
        return scorer.scores(layer, activations, examples, options.gamma, settled)

    def _are_stored(self, options: ExampleOptions) -> bool:
        """Whether the run's table of examples answers; it does not keep the neighbours after the nearest."""
        return replace(options, gamma=self._own.gamma) == self._own and options.contrast.neighbours == 1

    @cached_property
    def _own(self) -> ExampleOptions:
        return self.options()


def open_explorer(run: str) -> Explorer:
    """The explorer of a run, by name or folder; raises NotFoundError or BadRunError."""
    return Explorer(Run.open(find_run(run)), ResultCache(result_cache_folder()))


def reopened(path: Path, fingerprint: str) -> Explorer:
    """The explorer of a run that was opened elsewhere, such as for a worker of a cluster.

    Raises BadRunError, or UnavailableError where another run lies under that path.
    """
    run = Run.open(path)
    if run.fingerprint != fingerprint:
        raise UnavailableError(
            f"{path} on {gethostname()} is another run: let all machines see the same folder"
        )
    return Explorer(run, ResultCache(result_cache_folder()))
