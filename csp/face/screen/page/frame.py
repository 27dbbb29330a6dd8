"""The frame around every page: look, navigation, notices, footer. Streamlit runs a page's file alone when its
address is opened cold (app.py is then skipped), so each page starts with `with frame(title):`."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import wraps
from typing import ParamSpec

import streamlit as st

from csp.errors import NotFoundError
from csp.face.screen.elements.components import PARTS, copy_link, landmarks, layered_keys
from csp.face.screen.page.deeds import say_refusal
from csp.face.screen.page.identity import let_in, said_here, who_line
from csp.face.screen.page.navigation import STAYS, link_name, navigation
from csp.face.screen.page.shortcuts import help_button
from csp.face.screen.state.cached import chosen_explorer, sight_of, skill_of
from csp.face.screen.state.review_store import alarm
from csp.face.screen.url.params import Way, WrongAddressError, note_read, reading, unread
from csp.face.screen.wording import as_sentence, plain
from csp.keeping.faults import told
from csp.keeping.run_folder.run import Run
from csp.keeping.run_folder.thumbnails import PACK_NAME
from csp.work.attribution.model_card import GUESSES
from csp.work.control.sight import HARDLY_KNOWS
from csp.work.runs.listing import looked_at
from csp.work.runs.strangers import how_to_trust, is_stranger

P = ParamSpec("P")

FIRST_STEPS = """csp demo                       # the shipped example
csp index --model MODEL --layer LAYER --data folder:PATH --encoder ENCODER --out my-run"""

NO_PICTURES = (
    "This run was made without pictures: an empty box stands for each. `csp import` takes them by `--images`."
)
WITHOUT_RUN = ("Runs",)
"""Pages that show no single run."""
TITLED = ("Start",)
"""Pages with a title of their own."""


@contextmanager
def frame(title: str) -> Iterator[None]:
    """Draws what every page has; an error inside becomes a page that says what is wrong."""
    st.set_page_config(page_title=f"{title} · CSP Explorer", page_icon=str(PARTS / "icon.png"), layout="wide")
    st.html(PARTS / "page.css")
    let_in()
    _top(title)
    say_refusal()
    alarm()
    if title not in WITHOUT_RUN:
        with suppress(Exception):  # what is wrong with the run is said by what the page asks of it
            banners()
    notice = st.container(key="notice")  # first on the page, also where an error comes late
    asked, read = st.query_params.to_dict(), reading()
    note_read(*STAYS)
    try:
        yield
        if words := unread(asked, read):
            notice.caption(f":material/link_off: {plain(words)}")
    except WrongAddressError as error:
        with notice:
            _notice(str(error), error.ways)
    except NotFoundError as error:
        with notice:
            _notice(str(error), ())
            st.code(FIRST_STEPS, language="shell")
    except Exception as error:  # noqa: BLE001 # the edge of every page
        with notice:
            _notice(told(error), ())


def own_edge(draw: Callable[P, None]) -> Callable[P, None]:
    """Decorates a part that is drawn alone, whose errors never come to the frame: what is wrong stands in its
    place, and the page around it stays."""

    @wraps(draw)
    def drawn(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            draw(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 # the edge of this part
            st.warning(as_sentence(told(error)))

    return drawn


def fault_shown(error: Exception) -> bool:
    """What Streamlit calls with an error outside a page's frame: of a callback or a part drawn alone."""
    st.error(plain(said_here(error)))
    return True


def banners() -> None:
    """Says so where the page's run can show little: a model that guesses, an encoder that is near blind."""
    explorer = chosen_explorer(st.query_params.to_dict())
    name = explorer.run.name
    if (skill := skill_of(explorer)) is not None and skill.guessing:
        words = f":orange-badge[:material/casino: Guesses] **{GUESSES}.** {plain(skill.number)}."
        way = ("How good the model is", {"run": name, "view": "model"})
        _banner(words, f"{plain(skill.sentence)}.", way, key="guesses")
    if (sight := sight_of(explorer)) is not None and sight.near_blind:
        badge = ":orange-badge[:material/visibility_off: Near blind]"
        words = f"{badge} **{HARDLY_KNOWS}.** {plain(sight.number)}."
        way = ("What was measured", {"run": name, "view": "encoder"})
        _banner(words, f"{plain(sight.sentence)}.", way, key="near-blind")

    if not explorer.run.has(PACK_NAME):
        st.caption(f":material/hide_image: {NO_PICTURES}")


def _banner(words: str, more: str, way: tuple[str, dict[str, str]], *, key: str) -> None:
    """One line on a screen 1280 pixels wide: a page of pictures has little height. `way`: where it leads."""
    label, shown = way
    with st.container(horizontal=True, vertical_alignment="center", key=key):
        st.markdown(words, help=more)
        st.page_link("pages/audit.py", label=label, query_params=shown)


def run_line(run: Run) -> None:
    """The foot of a page: which run this is, of what, made when, and what it is not for."""
    with st.container(key="run-line"):
        _run_line(run)
        if is_stranger(run):
            st.caption(f":material/info: {plain(how_to_trust(run.name))}")


def _run_line(run: Run) -> None:
    made = run.manifest
    skipped = f", {made.skipped} skipped" if made.skipped else ""
    st.caption(
        "A research and audit aid, **not for diagnosis** · "
        f"Run **{plain(run.name)}** `{run.fingerprint[:8]}` · {plain(made.target.name)} on "
        f"{plain(looked_at(made))}{skipped} · "
        f"encoder {plain(made.encoder.name)} · "
        f"made {made.created:%d %b %Y, %H:%M} UTC by CSP Explorer {plain(made.csp_version)}"
    )


def _top(title: str) -> None:
    landmarks(title, link_name(title), titled=title in TITLED)
    with st.container(horizontal=True, vertical_alignment="center", key="frame-top"):
        with st.container(horizontal=True, vertical_alignment="center", width="content", key="frame-links"):
            navigation(title)
        st.space("stretch")
        # Together, so that a narrow screen moves them into the second line as one.
        with st.container(horizontal=True, vertical_alignment="center", width="content", key="frame-tools"):
            st.caption("Not for diagnosis", width="content")
            copy_link()
            layered_keys()
            help_button(title)
            who_line()


def _notice(message: str, ways: Sequence[Way]) -> None:
    st.subheader("This link leads nowhere here" if ways else "Nothing to show")
    st.warning(as_sentence(message))
    for position, way in enumerate(ways):
        st.button(
            plain(way.text),
            key=f"way-{position}",
            icon=":material/arrow_forward:",
            on_click=st.query_params.from_dict,
            args=(way.params,),
        )
