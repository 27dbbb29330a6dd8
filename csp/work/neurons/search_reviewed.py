"""Finds neurons by words as `search_words` does, and first those that people labelled with these words.

answer = search_reviewed(explorer, layers, query, desk.states())
answer.matches, answer.remark
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from csp.errors import UnavailableError
from csp.keeping.reviews.normalise import same_label
from csp.keeping.reviews.state import NeuronReview
from csp.work.explorer.explorer import Explorer
from csp.work.neurons.search import MOST, Match, Query, search_words
from csp.work.reviews.desk import Spot
from csp.work.reviews.label_in_force import label_in_force


@dataclass(frozen=True)
class ReviewedMatches:
    """What was found."""

    matches: tuple[Match, ...]
    """People's own words first, then by score; the score is NaN where none could be computed."""
    remark: str = ""
    """Why only people's words could be searched; empty where all was."""


def search_reviewed(
    explorer: Explorer,
    layers: Sequence[str],
    query: Query,
    states: Mapping[Spot, NeuronReview],
    most: int = MOST,
) -> ReviewedMatches:
    """The best `most` neurons, those first whose label in force is a person's and spells the words.

    Raises UnavailableError like `search_words`, but not where people's words answer: then `remark` says it.
    """
    spelled = _spelled(layers, query, states)
    if not spelled:
        return ReviewedMatches(search_words(explorer, layers, query, most))
    neurons = sum(explorer.run.layer(layer).neurons for layer in layers)
    try:
        scored = search_words(explorer, layers, query, neurons)
    except UnavailableError as error:
        return ReviewedMatches(tuple(spelled.values())[:most], str(error))
    first = {_spot(one): _joined(spelled, one) for one in scored if _spot(one) in spelled}
    unscored = [match for spot, match in spelled.items() if spot not in first]  # it never fires
    others = [one for one in scored if _spot(one) not in spelled]
    return ReviewedMatches((*first.values(), *unscored, *others)[:most])


def _spelled(layers: Sequence[str], query: Query, states: Mapping[Spot, NeuronReview]) -> dict[Spot, Match]:
    """The neurons with one of the wanted texts, and none of the unwanted, in a person's label."""
    found = {}
    for (layer, neuron), state in states.items():
        label = same_label(label_in_force(None, state).text)
        wanted, unwanted = (
            any(same_label(text) in label for text in texts) for texts in (query.plus, query.minus)
        )
        if layer in layers and wanted and not unwanted:
            found[layer, neuron] = Match(layer, neuron, float("nan"), "a person's own words")
    return found


def _joined(spelled: Mapping[Spot, Match], scored: Match) -> Match:
    return replace(scored, reason=f"{spelled[_spot(scored)].reason}; {scored.reason}")


def _spot(match: Match) -> Spot:
    return match.layer, match.neuron
