"""Finds neurons that words fit: first those that people labelled with these words, then those whose label in
force means one of them, then the others; each group by `search_words`.

answer = search_reviewed(explorer, layers, query, desk.states())
answer.matches, answer.near, answer.remark          # no match: nothing in the run fits the words
answer.against[Standing.NOISE]                      # and why: how many of the others each thing rules out
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from csp.errors import UnavailableError
from csp.keeping.reviews.normalise import same_label
from csp.keeping.reviews.state import NeuronReview
from csp.work.control.control import unclaimed
from csp.work.control.text_claims import Standing, text_standings
from csp.work.explorer.explorer import Explorer
from csp.work.labels.absence import lacking
from csp.work.neurons.search import (
    MOST,
    Match,
    Query,
    embedded,
    in_terms,
    read_as,
    search_words,
    unknown_lack,
)
from csp.work.reliance.meanings import Meanings
from csp.work.reviews.desk import Spot
from csp.work.reviews.label_in_force import label_in_force

OTHERWISE = "its label says something else"


@dataclass(frozen=True)
class ReviewedMatches:
    """What was found."""

    matches: tuple[Match, ...]
    """Neurons that the words fit, in the order that the module says; the score is NaN where none could be
    computed. Of a search by words these go with the firing beyond noise (`text_claims`)."""
    in_all: int = 0
    """So many neurons there are of which these are the first, of `near` where nothing fits."""
    near: tuple[Match, ...] = ()
    """The nearest of the others, by score: nothing is claimed of them."""
    against: Mapping[Standing, int] = field(default_factory=dict)
    """How many of all the others each thing speaks against first, by what gets farthest of the wanted texts;
    empty where all of them say what is lacking."""
    told: bool = True
    """Whether it is known of every layer which neurons the words fit; else all count as fitting, by score."""
    read_as: tuple[tuple[str, str], ...] = ()
    """Wanted texts that the vocabulary lacks, each with the term that the encoder puts nearest to it."""
    remark: str = ""
    """Why only people's words could be searched; empty where all was."""


def search_reviewed(
    explorer: Explorer,
    layers: Sequence[str],
    query: Query,
    states: Mapping[Spot, NeuronReview],
    most: int = MOST,
) -> ReviewedMatches:
    """The best `most` neurons that the words fit, in the order that the module says. Where some are labelled
    with what the words mean, the reason of one with another label says so: its card would contradict it.

    A neuron fits if one of the wanted texts is claimed for it; a text that says what is lacking ("no hairs")
    is for those whose label says so. A text that is a term but for hyphens or plurals is that term.

    Raises UnavailableError like `search_words`, but not where people's words answer: then `remark` says it.
    """
    meanings, spelled = Meanings(explorer), _spelled(layers, query, states)  # people's words: as they stand
    query = in_terms(explorer, query)
    also = _also(explorer, meanings, layers, query, states)
    neurons = sum(explorer.run.layer(layer).neurons for layer in layers)
    try:
        scored = search_words(explorer, layers, query, neurons)
    except UnavailableError as error:
        if not spelled:
            raise
        return ReviewedMatches(tuple(spelled.values())[:most], len(spelled), remark=str(error))
    first = {_spot(one): _joined(spelled, one) for one in scored if _spot(one) in spelled}
    unscored = [match for spot, match in spelled.items() if spot not in first]  # it never fires
    others = [_beside(one, also) for one in scored if _spot(one) not in spelled]
    standings, told = _standings(explorer, layers, query)
    claimed = also.keys() | {spot for spot, one in standings.items() if one == Standing.CLAIMED}
    fitting = [one for one in others if _spot(one) in claimed]
    fitting = _labelled_so_first(meanings, query, fitting, _claimed_labels(explorer, fitting, states))
    found = (*first.values(), *unscored, *fitting)
    near = tuple(one for one in others if _spot(one) not in claimed)
    against = Counter(standings[_spot(one)] for one in near if _spot(one) in standings)
    return ReviewedMatches(
        found[:most], len(found or near), near[:most], against, told, read_as(explorer, query.plus)
    )


def _standings(explorer: Explorer, layers: Sequence[str], query: Query) -> tuple[dict[Spot, Standing], bool]:
    """Of each neuron how far the wanted texts get; claimed in all of a layer where that can't be told: then
    the second is false. None for texts that say what is lacking: these are never claimed."""
    there = [text for text in query.plus if unknown_lack(explorer, text) is None]
    texts, found, told = embedded(explorer, there), dict[Spot, Standing](), True
    if not there:
        return found, told
    for layer in layers:
        standings = text_standings(explorer, layer, texts)
        told = told and standings is not None
        farthest = (
            np.full(explorer.run.layer(layer).neurons, Standing.CLAIMED)
            if standings is None
            else standings.max(axis=1)
        )
        found |= {(layer, neuron): Standing(one) for neuron, one in enumerate(farthest.tolist())}
    return found, told


def _spelled(layers: Sequence[str], query: Query, states: Mapping[Spot, NeuronReview]) -> dict[Spot, Match]:
    """The neurons with one of the wanted texts, and none of the unwanted, in a person's label."""
    found = {}
    for (layer, neuron), state in states.items():
        labels = label_in_force(None, state).texts
        wanted, unwanted = (
            any(_says(label, text) for label in labels for text in texts)
            for texts in (query.plus, query.minus)
        )
        if layer in layers and wanted and not unwanted:
            found[layer, neuron] = Match(layer, neuron, float("nan"), "a person's label")
    return found


def _says(label: str, text: str) -> bool:
    """Whether a text stands in a label; "hairs" does not in "no hairs"."""
    return same_label(text) in same_label(label) and (lacking(text) is None) == (lacking(label) is None)


def _also(
    explorer: Explorer,
    meanings: Meanings,
    layers: Sequence[str],
    query: Query,
    states: Mapping[Spot, NeuronReview],
) -> dict[Spot, str]:
    """The neurons, of which nobody decided, that look for one of the wanted texts beside something else, or
    that fire where what a wanted text says is lacking."""
    wanted, unwanted = (set(map(same_label, texts)) for texts in (query.plus, query.minus))
    lacks = [text for text in query.plus if unknown_lack(explorer, text) is not None]
    found = {}
    for layer in layers:
        for neuron, facets in explorer.stored_facets.of(layer).items():
            labels = set(map(same_label, (one.label for one in facets)))
            judged = states.get((layer, neuron), NeuronReview()).deciding is not None
            if len(facets) > 1 and labels & wanted and not labels & unwanted and not judged:
                found[layer, neuron] = f"looks for {len(facets)} things"
            if facets[0].absent and lacks and not judged and _same(meanings, facets[0].label, lacks):
                found[layer, neuron] = f"fires where there is none (AUROC {facets[0].clear:.2f})"
    return found


def _labelled_so_first(
    meanings: Meanings, query: Query, matches: Sequence[Match], labels: Mapping[Spot, tuple[str, ...]]
) -> list[Match]:
    """The matches, those first whose label in force means one of the wanted texts; of the others with a label
    the reason says that it is another. As they come where no label means any: nothing tells them apart then.
    """
    meant = meanings.of([*query.plus, *(text for own in labels.values() for text in own)])
    keys = {meant[text].key for text in query.plus}
    so = {spot for spot, own in labels.items() if keys & {meant[text].key for text in own}}
    if not so:
        return list(matches)
    first = [match for match in matches if _spot(match) in so]
    return first + [
        replace(match, reason=f"{match.reason}; {OTHERWISE}") if labels[_spot(match)] else match
        for match in matches
        if _spot(match) not in so
    ]


def _claimed_labels(
    explorer: Explorer, matches: Sequence[Match], states: Mapping[Spot, NeuronReview]
) -> dict[Spot, tuple[str, ...]]:
    """By match the labels in force, each by itself; none where the machine claims none."""
    layers = dict.fromkeys(match.layer for match in matches)
    machine = {layer: explorer.stored_facets.machine_labels(layer) for layer in layers}
    nothing = {layer: unclaimed(explorer, layer) for layer in layers}
    found = {}
    for match in matches:
        label = label_in_force(machine[match.layer].get(match.neuron), states.get(_spot(match)))
        claimed = label.by is not None or match.neuron not in nothing[match.layer]
        found[_spot(match)] = label.texts if claimed else ()
    return found


def _same(meanings: Meanings, label: str, texts: Sequence[str]) -> bool:
    meant = meanings.of([label, *texts])
    return any(meant[text].key == meant[label].key for text in texts)


def _beside(match: Match, also: Mapping[Spot, str]) -> Match:
    reason = also.get(_spot(match))
    return match if reason is None else replace(match, reason=f"{reason}; {match.reason}")


def _joined(spelled: Mapping[Spot, Match], scored: Match) -> Match:
    return replace(scored, reason=f"{spelled[_spot(scored)].reason}; {scored.reason}")


def _spot(match: Match) -> Spot:
    return match.layer, match.neuron
