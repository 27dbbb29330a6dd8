"""The three searches: ask, and show what was found or why nothing was."""

from collections.abc import Callable, Sequence

import streamlit as st

from csp.errors import BadInputError, UnavailableError
from csp.face.screen.elements.pager import chosen_most, more
from csp.face.screen.elements.picture_picker import (
    another_picture,
    chosen_picture,
    large_picture,
    probe_picker,
    upload_box,
)
from csp.face.screen.search.results import results
from csp.face.screen.state.cached import reviewed
from csp.face.screen.url.params import Params
from csp.face.screen.wording import as_sentence, counted, plain
from csp.work.control.text_claims import NEARLY, Standing
from csp.work.explorer.explorer import Explorer
from csp.work.neurons.search import (
    MOST,
    Match,
    parse_query,
    search_like,
    search_picture,
    search_probe_image,
    searched,
)
from csp.work.neurons.search_reviewed import ReviewedMatches, search_reviewed

LAYERS = Sequence[str]
SCORE = (
    "The number is the CSP score of the text for the neuron: the cosine between the text and what sets the "
    "neuron's pictures apart, -1 to 1. Shown are neurons whose firing goes with the words beyond what "
    f"noise gives and at least {NEARLY:g} times as well as with the best text of the vocabulary, unless the "
    "words are unlikely to say what the neuron looks for. "
    "Those that people labelled with these words come first, then those whose label means them."
)
AGAINST = {
    Standing.NOISE: "they go with its firing no more than noise does",
    Standing.OUTDONE: "another text of the vocabulary explains it much better",
    Standing.DOUBTED: "they are unlikely to say what it looks for",
}
"""Why words are not claimed for a neuron: the first of these that holds."""
BY_FIRING = (
    "These neurons fire for the words, whatever their label says. *What it leans on* counts those whose "
    "label means the words."
)
ALIKE = (
    "*alike* is the cosine between what the two neurons look for, 1 = the same; *shared* are pictures among "
    "those that make both fire most."
)
SHOWN = (
    "First the neurons whose looked-for thing the encoder sees in this picture far more than in other images."
)


def found_by_words(explorer: Explorer, layers: LAYERS, words: str, params: Params) -> None:
    """Neurons whose direction is near to the words."""
    most = _most(explorer, layers, params)
    states = {
        (layer, neuron): state for layer in layers for neuron, state in reviewed(explorer, layer).items()
    }
    _show(explorer, lambda: search_reviewed(explorer, layers, parse_query(words), states, most), SCORE, 4)


def found_like(explorer: Explorer, layers: LAYERS, layer: str, neuron: int, params: Params) -> None:
    """Neurons that look for the same as one neuron, after itself."""
    most = _most(explorer, layers, params)
    itself = Match(layer, neuron, 1.0, "the example")

    def search() -> ReviewedMatches:
        alike = search_like(explorer, layers, layer, neuron, most - 1)
        return ReviewedMatches((itself, *alike), searched(explorer, layers))

    _show(explorer, search, ALIKE, 4)


def found_by_picture(explorer: Explorer, layers: LAYERS, params: Params) -> None:
    """Neurons that look for what a picture shows."""
    chosen = chosen_picture(params, explorer.run)
    if chosen is None:
        upload_box()
        probe_picker(params, explorer.run, columns=12)
        return
    left, right = st.columns([22, 78], gap="medium")
    with left:
        picture = large_picture(explorer.run, chosen)
        if picture:
            st.image(picture, width="stretch", alt="The picture to search by")
        another_picture()

    most = _most(explorer, layers, params)

    def search() -> ReviewedMatches:
        if chosen.upload is None:
            matches = search_probe_image(explorer, layers, chosen.image or 0, most)
        else:
            matches = search_picture(explorer, layers, chosen.upload.image, most)
        return ReviewedMatches(matches, searched(explorer, layers))

    with right:
        _show(explorer, search, SHOWN, 3)


def _nothing_fits(explorer: Explorer, answer: ReviewedMatches, columns: int) -> None:
    """That nothing fits, and why; the nearest on demand, without a claim."""
    st.info(f"**Nothing in this run fits.** {_why_not(answer)}", icon=":material/search_off:")
    for text, term in answer.read_as:
        st.caption(
            f"The vocabulary lacks *{plain(text)}*, and the encoder may not know these words: it puts them "
            f"nearest to *{plain(term)}*. Terms of the vocabulary are the surer way to search."
        )
    near, in_all = answer.near, answer.in_all
    if st.toggle("Show the nearest all the same", key="show-nearest"):
        st.caption(
            f"{_of_all(len(near), in_all)}, by score alone: most likely none of these looks for it.",
            help=SCORE,
        )
        results(explorer, near, columns)
        more(len(near), in_all, MOST)


def _why_not(answer: ReviewedMatches) -> str:
    """What speaks against the words, and with how many neurons."""
    if not answer.against:
        return "No neuron was found that fires where this is lacking."
    reasons = [
        f"{words} ({counted(answer.against[standing], 'neuron')})"
        for standing, words in AGAINST.items()
        if standing in answer.against
    ]
    return f"With each neuron something speaks against these words: {'; '.join(reasons)}."


def _show(explorer: Explorer, search: Callable[[], ReviewedMatches], help_: str, columns: int) -> None:
    try:
        with st.spinner("Searching …", show_time=True):
            answer = search()
    except (BadInputError, UnavailableError) as error:
        st.warning(as_sentence(error))
        return
    found = answer.matches
    if not found and answer.near:
        _nothing_fits(explorer, answer, columns)
        return
    for text, term in answer.read_as:
        st.warning(
            f"The vocabulary lacks *{plain(text)}*. For the encoder, which may not know these words, "
            f"it is nearest to *{plain(term)}*: what it finds may fit only that."
        )
    if answer.remark:
        st.warning(f"Found by people's labels only: {plain(answer.remark)}")
    if not found:
        st.info("No neuron here fires for anything, so none can be found.")
        return
    first = (
        "the best match first"
        if answer.told
        else "by score alone: whether any looks for it can't be told here"
    )
    st.caption(f"{_of_all(len(found), answer.in_all)}, {first}", help=help_)
    if answer.told and help_ is SCORE:
        st.caption(BY_FIRING)
    results(explorer, found, columns)
    more(len(found), answer.in_all, MOST)


def _most(explorer: Explorer, layers: LAYERS, params: Params) -> int:
    """So many neurons the address asks for."""
    return chosen_most(params, sum(explorer.run.layer(layer).neurons for layer in layers), MOST)


def _of_all(shown: int, in_all: int) -> str:
    """`24 of 87 neurons`; `3 neurons` where these are all."""
    return counted(in_all, "neuron") if shown == in_all else f"{shown:,} of {counted(in_all, 'neuron')}"
