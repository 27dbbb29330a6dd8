"""How a search is asked: by words, a picture, an example neuron. All but an upload is in the address."""

import streamlit as st

from csp.face.screen.page.pickers import layer_picker, run_picker
from csp.face.screen.state.cached import rows_of
from csp.face.screen.url.params import Params, one_of, whole_number
from csp.face.screen.url.state import choose, follow, put, write
from csp.face.screen.wording import plain
from csp.keeping.run_folder.run import Run
from csp.work.explorer.explorer import Explorer
from csp.work.labels.vocabulary import run_vocabulary
from csp.work.neurons.rows import common_labels

WAYS = {"words": "By words", "picture": "By a picture", "neuron": "Like a neuron"}
SUGGESTED = 8
MOST_TERMS = 2000
"""So many terms are offered at once: a browser takes seconds for 100,000."""
AGAIN = ("most",)
"""What the address no longer says once something else is searched for."""
HELP = (
    "Several texts between commas; one with a minus sign before it is to be absent: "
    "*blue-white veil, -ruler*. Words of the vocabulary are found at once; for others the encoder is loaded."
)


def chosen_way(params: Params) -> str:
    """How to search, from the address."""
    return one_of(params, "by", list(WAYS), "words")


def chosen_layers(params: Params, run: Run, layer: str) -> tuple[str, ...]:
    """Where to search: every layer, or the one in the address."""
    everywhere = one_of(params, "layers", ("all", "one"), "all") == "all"
    return run.layers if everywhere else (layer,)


def search_bar(run: Run, layer: str, way: str, layers: tuple[str, ...]) -> None:
    """The way to search, the run, and where."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="search-bar"):
        st.subheader("Search", anchor=False, width="content")
        choose("by", way, WAYS, "How to search", drop=("image", "page", "class", *AGAIN))
        st.space("stretch")
        run_picker(run)
        if len(run.layers) > 1:
            follow("everywhere", len(layers) > 1)
            st.toggle("In every layer", key="everywhere", on_change=_everywhere)
            if len(layers) == 1 or way == "neuron":
                layer_picker(run, layer)


def query_box(text: str, run: Run) -> None:
    """The words, and the vocabulary to browse."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        follow("query", text)
        st.text_input(
            "What should the neuron look for?",
            key="query",
            placeholder="blue-white veil, -ruler",
            help=HELP,
            type="search",
            on_change=write,
            args=("query", AGAIN),
        )
        if len(run.vocabulary):
            st.session_state["term"] = None
            offered, terms = _offered(run, text)
            st.selectbox(
                offered,
                terms,
                key="term",
                placeholder="Choose or type",
                on_change=_add_term,
                width=380,
            )


def _offered(run: Run, text: str) -> tuple[str, list[str]]:
    """What may be chosen: all terms, or of very many those that hold the last words asked."""
    count = len(run.vocabulary)
    if count <= MOST_TERMS:
        return f"Or one of the {count:,} terms of the vocabulary", list(run.vocabulary["text"])
    words = text.rpartition(",")[2].strip(" -")
    terms = run_vocabulary(run).holding(words, MOST_TERMS)
    which = f"Terms with “{words}”" if words and terms else "The first terms"
    terms = terms or run_vocabulary(run).holding("", MOST_TERMS)
    return f"{which}: {len(terms):,} of {count:,}", terms


def suggestions(explorer: Explorer, layers: tuple[str, ...]) -> None:
    """Terms to begin with: labels that many neurons have."""
    terms = common_labels([rows_of(explorer, layer) for layer in layers], SUGGESTED)
    if terms:
        st.session_state["suggested"] = None
        st.pills(
            "Many neurons here look for",
            terms,
            format_func=plain,
            key="suggested",
            on_change=_take_suggestion,
        )


def neuron_box(params: Params, run: Run, layer: str) -> int:
    """The example neuron."""
    count = run.layer(layer).neurons
    neuron = whole_number(params, "neuron", 0, count - 1, 0)
    follow("neuron", neuron)
    st.number_input(
        f"Neurons like this one of {layer}",
        0,
        count - 1,
        key="neuron",
        on_change=write,
        args=("neuron", AGAIN),
        width=240,
    )
    return neuron


def _everywhere() -> None:
    put("layers", "all" if st.session_state["everywhere"] else "one", AGAIN)


def _add_term() -> None:
    if term := st.session_state["term"]:
        before = st.query_params.get("query", "").strip().rstrip(",")
        put("query", f"{before}, {term}" if before else term, AGAIN)


def _take_suggestion() -> None:
    if term := st.session_state["suggested"]:
        put("query", term, AGAIN)
