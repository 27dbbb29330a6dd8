"""What the compare page sets side by side: chosen in the address by `what`, `a` and `b`."""

from dataclasses import dataclass

import streamlit as st

from csp.face.screen.state.cached import run_names
from csp.face.screen.url.params import Params, fraction, one_of, whole_number
from csp.face.screen.url.state import as_text, choose, follow, put
from csp.face.screen.wording import LABELERS
from csp.work.explorer.explorer import Explorer

WHAT = {
    "neurons": "Two neurons",
    "labelers": "Two methods",
    "gammas": "Two contrasts",
    "runs": "Two runs",
    "concepts": "Concepts",
}
"""By the value of `what` in the address."""
Side = str | int | float


@dataclass(frozen=True)
class Sides:
    """What is compared, and its two sides."""

    what: str
    a: Side
    b: Side


def chosen_sides(params: Params, explorer: Explorer, layer: str) -> Sides:
    """The two sides in the address; without them the first two neurons, the first two methods, gamma 0 and
    1, or this run and another."""
    what = one_of(params, "what", tuple(WHAT), "neurons")
    if what == "neurons":
        last = explorer.run.layer(layer).neurons - 1
        return Sides(
            what, *(whole_number(params, name, 0, last, min(near, last)) for near, name in enumerate("ab"))
        )
    if what == "gammas":
        return Sides(what, fraction(params, "a", 0.0), fraction(params, "b", 1.0))
    options = tuple(LABELERS) if what == "labelers" else tuple(run_names())
    first = options[0] if what == "labelers" else explorer.run.name
    second = next((option for option in options if option != first), first)
    return Sides(what, one_of(params, "a", options, first), one_of(params, "b", options, second))


def side_pickers(sides: Sides, explorer: Explorer, layer: str) -> None:
    """What to compare, both sides, and a button that swaps them."""
    choose("what", sides.what, WHAT, "Compare", drop=("a", "b", "page", "neuron"))
    _picker("a", sides.a, sides.what, explorer, layer)
    st.button("Swap", key="swap", icon=":material/swap_horiz:", on_click=_swap, args=(sides,))
    _picker("b", sides.b, sides.what, explorer, layer)


def _picker(name: str, value: Side, what: str, explorer: Explorer, layer: str) -> None:
    key = f"compare-{what}-{name}"
    follow(key, value)
    if isinstance(value, str):
        options = tuple(LABELERS) if what == "labelers" else tuple(run_names())
        st.selectbox(
            name.upper(),
            options,
            format_func=lambda option: LABELERS.get(option, option),
            key=key,
            on_change=_write_side,
            args=(what, name, key),
            label_visibility="collapsed",
            width=180,
        )
        return
    last: int | float = explorer.run.layer(layer).neurons - 1 if what == "neurons" else 1.0
    st.number_input(
        name.upper(),
        0 if what == "neurons" else 0.0,
        last,
        step=1 if what == "neurons" else 0.05,
        key=key,
        on_change=_write_side,
        args=(what, name, key),
        label_visibility="collapsed",
        width=130,
    )


def _write_side(what: str, name: str, key: str) -> None:
    """Callback: the number of a neuron is no side once two methods are asked for."""
    if st.query_params.get("what", "neurons") == what:
        put(name, as_text(st.session_state[key]), drop=("page",))


def _swap(sides: Sides) -> None:
    """Both at once: each write of the address is a step for Back."""
    here = {"a": as_text(sides.a), "b": as_text(sides.b)} | st.query_params.to_dict()
    st.query_params.from_dict(here | {"a": here["b"], "b": here["a"]})
