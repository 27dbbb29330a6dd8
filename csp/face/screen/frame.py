"""The frame around every page: look, navigation, notices, footer. Streamlit runs a page's file alone when its
address is opened cold (app.py is then skipped), so each page starts with `with frame(title):`."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import streamlit as st

from csp.errors import CspError, NotFoundError
from csp.face.screen.components import PARTS, copy_link
from csp.face.screen.place import Way, WrongAddressError
from csp.face.screen.words import plain
from csp.keeping.run import Run

FIRST_STEPS = """csp demo                       # the shipped example
csp index --model MODEL --layer LAYER --data folder:PATH --encoder ENCODER --out my-run"""


@contextmanager
def frame(title: str) -> Iterator[None]:
    """Draws what every page has; a `CspError` inside becomes a page that says what exists."""
    st.set_page_config(page_title=f"{title} · CSP Explorer", page_icon=str(PARTS / "icon.png"), layout="wide")
    st.html(PARTS / "page.css")
    _top()
    try:
        yield
    except WrongAddressError as error:
        _notice(str(error), error.ways)
    except NotFoundError as error:
        _notice(str(error), ())
        st.code(FIRST_STEPS, language="shell")
    except CspError as error:
        _notice(str(error), (Way("Back to the start", "app.py", {}),))


def run_line(run: Run) -> None:
    """The foot of a page: which run this is, of what, made when, and what it is not for."""
    made = run.manifest
    skipped = f", {made.skipped} skipped" if made.skipped else ""
    st.caption(
        f"Run **{plain(run.name)}** `{run.fingerprint[:8]}` · {plain(made.target.name)} on "
        f"{made.images:,} images{skipped} of {plain(made.dataset.name)} · "
        f"encoder {plain(made.encoder.name)} · "
        f"made {made.created:%d %b %Y, %H:%M} UTC by CSP Explorer {plain(made.csp_version)} · "
        "A research and audit aid, **not for diagnosis**."
    )


def _top() -> None:
    here = {name: st.query_params[name] for name in ("run", "layer") if name in st.query_params}
    with st.container(horizontal=True, vertical_alignment="center", key="frame-top"):
        st.page_link("app.py", label="**CSP Explorer**", query_params=here)
        st.page_link("pages/neurons.py", label="Neurons", query_params=here)
        st.space("stretch")
        st.caption("Not for diagnosis", width="content")
        copy_link()


def _notice(message: str, ways: Sequence[Way]) -> None:
    st.subheader("This link leads nowhere here" if ways else "Nothing to show yet")
    st.warning(plain(message))
    for way in ways:
        st.page_link(
            way.page or _this_page(),
            label=plain(way.text),
            icon=":material/arrow_forward:",
            query_params=way.params,
        )


def _this_page() -> str:
    name = st.context.url.split("?")[0].rstrip("/").rsplit("/", 1)[-1] if st.context.url else ""
    return f"pages/{name}.py" if name in ("neuron", "neurons") else "app.py"
