"""Where every neuron of a run stands, kept up to date by reading only what is new.

standing = Standing(desk)                 # one for a run, shared by threads
standing.states()                         # {(layer, neuron): NeuronReview}; cheap when nothing happened
standing.layer("layer4")                  # {neuron: NeuronReview}
"""

import threading
from collections.abc import Mapping

from csp.keeping.reviews.chain import Head
from csp.keeping.reviews.event import Event
from csp.keeping.reviews.state import NeuronReview, current
from csp.work.reviews.desk import ReviewDesk, Spot


class LiveStates:
    """The states of the neurons of one run that have events."""

    def __init__(self, desk: ReviewDesk) -> None:
        self._desk = desk
        self._turn = threading.Lock()
        self._known = Head()
        self._states: dict[Spot, NeuronReview] = {}

    def states(self) -> Mapping[Spot, NeuronReview]:
        """By layer and neuron, in the order of first review; not to be changed. UnavailableError."""
        with self._turn:
            news = self._desk.reviews.news(self._desk.run.fingerprint, self._known)
            if news.afresh:
                self._states = {}
            if news.events or news.afresh:
                self._states = self._states | self._changed(news.events)  # readers keep the old one
            self._known = news.head
            return self._states

    def layer(self, layer: str) -> dict[int, NeuronReview]:
        """The states of one layer, by neuron."""
        return {neuron: state for (of, neuron), state in self.states().items() if of == layer}

    def _changed(self, events: tuple[Event, ...]) -> dict[Spot, NeuronReview]:
        groups: dict[Spot, list[Event]] = {}
        for event in events:
            groups.setdefault((event.layer, event.neuron), []).append(event)
        return {
            spot: current([*self._states.get(spot, NeuronReview()).events, *group])
            for spot, group in groups.items()
        }
