"""Finds neurons: by words, by a picture, by an example neuron.

query = parse_query("blue-white veil, ruler, -hair")
found = search_words(explorer, layers, query)           # UnavailableError: a text no encoder here knows
found = search_like(explorer, layers, "layer4", 17)
found = search_picture(explorer, layers, picture)       # Asked(image=12) for a probe image
found[0].layer, .neuron, .score, .reason
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from jaxtyping import Float, Float32, Float64
from PIL import Image

from csp.errors import BadInputError, NotFoundError, UnavailableError
from csp.keeping.run_folder.run import Run
from csp.method.search import share_below, standing_out, word_scores
from csp.work.explorer.explorer import Explorer
from csp.work.labels.absence import absence, lacking
from csp.work.labels.vocabulary import clean_text, run_vocabulary
from csp.work.models.embedding import picture_embedding, text_embedding
from csp.work.models.reopen import run_target
from csp.work.neurons.concept_vectors import gamma_path

MOST = 24
"""Matches given when nothing else is asked for."""
MOST_TERMS = 8


@dataclass(frozen=True)
class Query:
    """Texts that a neuron should fit, and texts that it should not."""

    plus: tuple[str, ...]
    minus: tuple[str, ...] = ()

    def __str__(self) -> str:
        return ", ".join([*self.plus, *(f"-{text}" for text in self.minus)])


@dataclass(frozen=True)
class Match:
    """A neuron that answers a question, and why."""

    layer: str
    neuron: int
    score: float
    reason: str
    more: str = ""
    """The rest of the reason, where there is room for it."""


def parse_query(text: str, minus: Sequence[str] = ()) -> Query:
    """Texts between commas; one that begins with a minus sign is to be absent. Raises BadInputError."""
    parts = [part.strip() for part in text.split(",")]
    wanted = [part for part in parts if part and not part.startswith(("-", "−"))]
    unwanted = [part[1:] for part in parts if part.startswith(("-", "−"))]
    query = Query(_cleaned(wanted), _cleaned([*unwanted, *minus]))
    if not query.plus:
        raise BadInputError("there is nothing to search for; write what the neuron should look for")
    if len(query.plus) + len(query.minus) > MOST_TERMS:
        raise BadInputError(f"a search takes at most {MOST_TERMS} texts at once")
    return query


def in_terms(explorer: Explorer, query: Query) -> Query:
    """The query with each text written as the vocabulary writes it, where only hyphens or plurals differ."""
    spelling = run_vocabulary(explorer.run).spelling

    def spelled(text: str) -> str:
        thing = unknown_lack(explorer, text)
        known = spelling(text if thing is None else thing)
        return text if known == thing else absence(known) if thing is not None else known

    return Query(_cleaned(map(spelled, query.plus)), _cleaned(map(spelled, query.minus)))


def search_words(
    explorer: Explorer, layers: Sequence[str], query: Query, most: int = MOST
) -> tuple[Match, ...]:
    """The neurons whose concept vector is nearest to the wanted texts and farthest from the others.

    Texts of the vocabulary need no model. Raises UnavailableError for another one without the encoder.
    """
    plus, minus = (embedded(explorer, texts) for texts in (query.plus, query.minus))
    found: list[Match] = []
    for layer in layers:
        vectors = layer_vectors(explorer.run, layer)
        scores = _of_the_alive(vectors, word_scores(vectors, plus, minus))
        for neuron in _best(scores, most):
            reason = _fits(vectors[neuron], query, plus, minus)
            found.append(Match(layer, neuron, float(scores[neuron]), reason))
    return _first(found, most)


def search_like(
    explorer: Explorer, layers: Sequence[str], layer: str, neuron: int, most: int = MOST
) -> tuple[Match, ...]:
    """The neurons whose concept vector is most like that of one neuron, without itself."""
    run = explorer.run
    run.activations(layer, neuron)  # NotFoundError for a neuron that does not exist
    own, found = layer_vectors(run, layer)[neuron], list[Match]()
    if not own.any():
        raise BadInputError(f"neuron {neuron} of {layer} never fires, so nothing is like it; choose another")
    examples = _examples(run, layer, neuron)
    for each in layers:
        vectors = layer_vectors(run, each)
        scores = _of_the_alive(vectors, (vectors @ own).astype(np.float64))
        if each == layer:
            scores[neuron] = -np.inf
        for other in _best(scores, most):
            shared = len(examples & _examples(run, each, other))
            reason = f"alike {scores[other]:.2f}" + (
                f", {shared} of {len(examples)} pictures shared" * bool(shared)
            )
            found.append(Match(each, other, float(scores[other]), reason))
    return _first(found, most)


def search_probe_image(
    explorer: Explorer, layers: Sequence[str], image: int, most: int = MOST
) -> tuple[Match, ...]:
    """The neurons that look for what a probe image shows, by its stored embedding; says how they fire."""
    run = explorer.run
    if not 0 <= image < run.manifest.images:
        raise NotFoundError(f"there is no image {image}: the run has {run.manifest.images}, counted from 0")
    found = _shown(explorer, layers, run.embeddings[image], most)
    firing = {(one.layer, one.neuron): run.activations(one.layer, one.neuron)[image] for one in found}
    return tuple(_with_firing(run, one, firing[one.layer, one.neuron]) for one in found)


def search_picture(
    explorer: Explorer, layers: Sequence[str], picture: Image.Image, most: int = MOST
) -> tuple[Match, ...]:
    """The neurons that look for what a picture shows, and how strongly they fire on it.

    Without the target model only the former is told. Raises UnavailableError without the encoder.
    """
    run = explorer.run
    found = _shown(explorer, layers, picture_embedding(run, picture), most)
    try:
        target = run_target(run)
    except UnavailableError:
        return found
    with target.lock:
        activations = target.model.run(target.model.preprocess(picture)[None], layers).activations
    return tuple(_with_firing(run, one, activations[one.layer][0, one.neuron]) for one in found)


def searched(explorer: Explorer, layers: Sequence[str]) -> int:
    """How many neurons a search can find: those that have a concept vector."""
    return sum(int(layer_vectors(explorer.run, layer).any(axis=1).sum()) for layer in layers)


def read_as(explorer: Explorer, texts: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Each text that the vocabulary lacks with the term that is nearest to it for the encoder, but for those
    that say what is lacking.

    An encoder gives every text a place, also one whose words it never saw: what is found by such a text is
    found by that place. Raises as `embedded`.
    """
    vocabulary = run_vocabulary(explorer.run)
    known = [vocabulary.row(text) is not None or lacking(text) is not None for text in texts]
    unknown = [text for text, one in zip(texts, known, strict=True) if not one]
    if not unknown or not vocabulary.texts:
        return ()
    nearest = (vocabulary.embeddings @ embedded(explorer, unknown).T).argmax(axis=0)
    return tuple((text, vocabulary.texts[row]) for text, row in zip(unknown, nearest.tolist(), strict=True))


def nearest_terms(run: Run, text: str) -> tuple[str, ...]:
    """Terms of the vocabulary that share a word with a text, the shortest first: what needs no model."""
    words = set(text.casefold().split())
    terms = [term for term in run.vocabulary["text"] if words & set(term.casefold().split())]
    return tuple(sorted(terms, key=len)[:6])


def _shown(
    explorer: Explorer, layers: Sequence[str], picture: Float[np.ndarray, " d"], most: int
) -> tuple[Match, ...]:
    found = []
    for layer in layers:
        vectors = layer_vectors(explorer.run, layer)
        scores = _of_the_alive(vectors, standing_out(vectors, picture, explorer.run.embeddings))
        for neuron in _best(scores, most):
            shown = _share_below(explorer.run.embeddings @ vectors[neuron], float(picture @ vectors[neuron]))
            reason = f"what it looks for shows more than in {_percent(shown)} of the images"
            found.append(Match(layer, neuron, float(scores[neuron]), reason))
    return _first(found, most)


def _with_firing(run: Run, match: Match, activation: float) -> Match:
    share = _share_below(run.activations(match.layer, match.neuron), float(activation))
    above = "any image" if share == 1 else f"{_percent(share)} of the images"
    return replace(match, reason=f"fires more strongly than on {above}", more=match.reason)


def _share_below(values: Float[np.ndarray, " n"], value: float) -> float:
    return float(share_below(values[:, None], np.array([value], np.float32))[0])


def _percent(share: float) -> str:
    """Rounded down: only what is above all others is above 100 %."""
    return "an unknown share" if share != share else f"{int(100 * share)} %"


@lru_cache(maxsize=16)
def layer_vectors(run: Run, layer: str) -> Float32[np.ndarray, "c d"]:
    """The concept vectors of a layer, kept for the next search."""
    vectors = gamma_path(run, layer).at(run.manifest.parameters.gamma)
    vectors.flags.writeable = False
    return vectors


def embedded(explorer: Explorer, texts: Sequence[str]) -> Float32[np.ndarray, "t d"]:
    """The texts' embeddings: from the vocabulary, where it has the text; else from the encoder.

    Of a text that says what is lacking ("no hairs") the opposite of that thing's: encoders barely know "no".
    Raises UnavailableError where the encoder is needed and can't be loaded.
    """
    things = [unknown_lack(explorer, text) for text in texts]
    rows = [
        _embedding(explorer, text) if thing is None else -_embedding(explorer, thing)
        for text, thing in zip(texts, things, strict=True)
    ]
    return np.stack(rows) if rows else np.zeros((0, explorer.run.manifest.dimension), np.float32)


def unknown_lack(explorer: Explorer, text: str) -> str | None:
    """What a text says is lacking, if the vocabulary does not hold the text itself."""
    return lacking(text) if run_vocabulary(explorer.run).row(text) is None else None


def _embedding(explorer: Explorer, text: str) -> Float32[np.ndarray, " d"]:
    known = run_vocabulary(explorer.run).embedding(text)
    try:
        return text_embedding(explorer.cache, text) if known is None else known
    except UnavailableError as error:
        near = nearest_terms(explorer.run, text)
        hint = f"; the vocabulary has: {', '.join(near)}" if near else ""
        raise UnavailableError(
            f"{text!r} is not in the vocabulary, so the encoder is needed: {error}{hint}"
        ) from error


def _fits(
    vector: Float[np.ndarray, " d"],
    query: Query,
    plus: Float[np.ndarray, "p d"],
    minus: Float[np.ndarray, "m d"],
) -> str:
    fits = [f"{text} {vector @ row:.2f}" for text, row in zip(query.plus, plus, strict=True)]
    not_those = [f"{text} {vector @ row:.2f}" for text, row in zip(query.minus, minus, strict=True)]
    return "fits " + ", ".join(fits) + (f"; against {', '.join(not_those)}" if not_those else "")


def _of_the_alive(
    vectors: Float[np.ndarray, "c d"], scores: Float[np.ndarray, " c"]
) -> Float64[np.ndarray, " c"]:
    """Scores in which neurons without a concept vector come last and are never found."""
    alive: Float64[np.ndarray, " c"] = np.where(vectors.any(axis=1), scores, -np.inf)
    return alive


def _best(scores: Float[np.ndarray, " c"], most: int) -> list[int]:
    order = np.argsort(-scores, kind="stable")[:most]
    return [int(neuron) for neuron in order if np.isfinite(scores[neuron])]


def _first(found: list[Match], most: int) -> tuple[Match, ...]:
    return tuple(sorted(found, key=lambda match: -match.score)[:most])


def _examples(run: Run, layer: str, neuron: int) -> set[int]:
    examples = run.examples(layer, neuron)
    if examples is None:
        raise NotFoundError(f"neuron {neuron} of {layer} has no stored examples")
    return set(examples.activating.tolist())


def _cleaned(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(clean_text(text) for text in texts))
