"""What a search found, as cards of neurons with the reason for each."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from csp.face.screen.atlas.facts import badges, label_lines, persons_line, review_badges, strongest_images
from csp.face.screen.elements.components import Card, card_grid
from csp.face.screen.state.cached import rows_of
from csp.face.screen.url.links import neuron_link
from csp.work.explorer.explorer import Explorer
from csp.work.neurons.search import Match

IMAGES = 4


def results(explorer: Explorer, matches: Sequence[Match], columns: int) -> None:
    """The cards, the best match first."""
    layers = dict.fromkeys(match.layer for match in matches)
    frames = {layer: rows_of(explorer, layer).frame for layer in layers}
    usual = {layer: str(frame["state"].mode()[0]) for layer, frame in frames.items()}
    cards = []
    for match in matches:
        facts: dict[Any, Any] = frames[match.layer].loc[match.neuron].to_dict()
        cards.append(_card(explorer, match, facts, usual[match.layer]))
    with st.container(key="results"):
        card_grid("Neurons found", cards, columns=columns, key="result-cards")


def _card(explorer: Explorer, match: Match, facts: dict[Any, Any], usual_state: str) -> Card:
    label, whose = label_lines(facts)
    return Card(
        href=neuron_link(explorer.run.name, match.layer, match.neuron),
        title=f"{match.layer} · {match.neuron}",
        label=label,
        line=match.reason,
        pictures=strongest_images(explorer.run, facts, IMAGES),
        badges=[*review_badges(facts), *badges(facts, usual_state)],
        hint="\n".join(part for part in (whose, match.reason, match.more) if part),
        whose=persons_line(facts),
    )
