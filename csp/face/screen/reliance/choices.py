"""Which subgroups the page tells apart, and the work that its numbers take."""

import streamlit as st

from csp.errors import NotFoundError
from csp.face.screen.state import review_store
from csp.face.screen.state.waiting import waited
from csp.face.screen.url.params import Params, Way, WrongAddressError, one_of
from csp.face.screen.url.state import follow, write
from csp.keeping.run_folder.run import Run
from csp.work.explorer.explorer import Explorer
from csp.work.labels.vocabulary import shown_name
from csp.work.reliance.reliance import Reliance, reliance
from csp.work.subgroups import offered_columns, subgroup_columns

EVERYBODY = ""


def chosen_column(params: Params, run: Run) -> str | None:
    """The column in the address; None: nobody is told apart."""
    return one_of(params, "by", (EVERYBODY, *subgroup_columns(run)), EVERYBODY) or None


def column_picker(run: Run, by: str | None) -> None:
    """Chooses for whom: everybody together, or the parts of a column."""
    columns = tuple(dict.fromkeys([EVERYBODY, *offered_columns(run), by or EVERYBODY]))
    follow("by", by or EVERYBODY)
    st.selectbox(
        "For whom",
        columns,
        columns.index(by or EVERYBODY),
        format_func=lambda name: f"By {shown_name(run, name)}" if name else "Everybody",
        key="by",
        on_change=write,
        args=("by",),
        label_visibility="collapsed",
        width=200,
    )


def found_reliance(explorer: Explorer, by: str | None, concept: str | None) -> Reliance | None:
    """What the model leans on, of all concepts or one; None while it is worked out, and a line says how long.

    Raises WrongAddressError for a concept that there is not.
    """
    states = review_store.standing(explorer).states() if review_store.is_there() else {}
    events = sum(len(state.events) for state in states.values())
    key = explorer.run.fingerprint, events, by, concept
    names = [concept] if concept else None
    try:
        return waited(
            "reliance", key, lambda: reliance(explorer, states, names, by=by), "Switching concepts off"
        )
    except NotFoundError as error:
        raise WrongAddressError(f"{error}.", [Way("All concepts", {"run": explorer.run.name})]) from error
