"""Who is at the screen, and whether they may be: asked of `team.toml`, the sign-in and the browser each time.

let_in()                 # in every page's frame: a stranger's page ends here, before a run is read
me()                     # the Person, for whatever is recorded
who_line()               # in the top line: name box, or name, role and Sign out
"""

import getpass
import os
from urllib.parse import quote, unquote

import streamlit as st
from streamlit import config

from csp.errors import BadInputError, CspError
from csp.extras import optional
from csp.face.screen.elements.components import PARTS
from csp.face.screen.page import admitted
from csp.face.screen.page.door import at_door
from csp.face.screen.wording import plain
from csp.keeping.faults import told
from csp.keeping.reviews.vocabulary import Role
from csp.work.reviews.desk import Person, may
from csp.work.reviews.people import NoAccessError, Team, read_team

COOKIE = "csp-reviewer"
"""Where the browser remembers a typed name."""

NAME_LIMIT = 80
_NAME, _BOX = "reviewer", "reviewer-name"

_visitor = st.components.v2.component(
    "csp-visitor",
    html='<button type="button" class="csp-sign-in" hidden>Sign in</button>',
    css=(PARTS / "visitor.css").read_text(encoding="utf-8"),
    js=(PARTS / "visitor.js").read_text(encoding="utf-8"),
    isolate_styles=False,
)


def me() -> Person:
    """Whoever is at the screen; NoAccessError or BadInputError when they may not even look."""
    team = _team()
    if team.sign_in == "proxy":
        headers = st.context.headers
        return team.person_of_headers({name.lower(): headers.get_all(name) for name in headers})
    if team.sign_in == "oidc":
        with optional():
            import authlib  # noqa: F401 (Streamlit signs in with it)
        claims = st.user.to_dict()
        if "is_logged_in" not in claims:
            raise NoAccessError("This server asks for a sign-in, but its secrets.toml has no section [auth]")
        if not claims["is_logged_in"]:
            raise NoAccessError("Sign in to go on")
        return team.person_of_claims(claims)
    return Person(name=_typed_name())


def is_named() -> bool:
    """Whether the person signed in or gave a name, now or before in this browser."""
    return me().verified or bool(_given_name())


def call_me(name: str) -> None:
    """Take a name that was typed; the browser remembers it."""
    st.session_state[_NAME] = st.session_state[_BOX] = " ".join(name.split())


def let_in() -> None:
    """Ends the page of whoever may not look; what they asked for opens after they signed in."""
    try:
        me()
    except Exception as error:  # noqa: BLE001 # whatever is wrong lets nobody in
        admitted.dismiss()
        _door(at_door(error), can_sign_in=isinstance(error, NoAccessError))
        st.stop()
    admitted.admit()


def said_here(error: Exception) -> str:
    """What to say of an error to whoever is at the screen: to a stranger nothing about the server."""
    try:
        me()
    except Exception:  # noqa: BLE001 # who may not look
        return at_door(error)
    return told(error)


def who_line() -> None:
    """Who is here, in the top line of a page: a box for the name, or the name, the role and Sign out."""
    person = me()
    words = person.who.words if is_named() else "Your name"
    with st.popover(plain(words), type="tertiary", key="who", help="Who reviews here"):
        if person.verified:
            _signed_in(person)
        else:
            _name_box(person)
    typed = quote(st.session_state.get(_NAME, ""))
    _visitor(data={"name": typed, "cookie": COOKIE, "inside": True}, key="visitor", width="content")


def may_review() -> bool:
    """Whether the person may decide; a viewer may only look."""
    return me().role is not Role.VIEWER


def owner(doing: str = "import reviews") -> Person:
    """The person, if they may replace what is kept: an admin, or who sits at this machine; BadInputError."""
    person = me()
    if not person.verified and _at_this_machine():
        return Person(name=person.name, role=Role.ADMIN)
    may(person, Role.ADMIN, doing)
    return person


def may_manage(doing: str) -> str:
    """Why the person may not do what takes an `owner`, in a sentence; "" when they may."""
    try:
        owner(doing)
    except CspError as error:
        return str(error)
    return ""


def _team() -> Team:
    """A server whose secrets have a sign-in never falls back to typed names, nor one whose can't be read."""
    team = read_team()
    if not st.secrets.load_if_toml_exists() and (found := _secrets_there()):
        raise BadInputError(
            f"{found} can't be read as Streamlit's secrets, which may hold a sign-in: mend it"
        )
    if team.sign_in == "name" and "is_logged_in" in st.user.to_dict():
        return team.model_copy(update={"sign_in": "oidc"})
    return team


def _secrets_there() -> str:
    """The first file of secrets that there is; "" without one."""
    return next((path for path in config.get_option("secrets.files") if os.path.lexists(path)), "")


def _door(reason: str, can_sign_in: bool) -> None:
    st.subheader("Please sign in" if can_sign_in else "Closed for now", anchor=False)
    claims = st.user.to_dict()
    st.markdown(plain(reason) + ".")
    if claims.get("is_logged_in"):
        st.button("Sign out", key="sign-out", on_click=st.logout)
    elif can_sign_in and "is_logged_in" in claims:
        done = _visitor(data={"inside": False}, key="visitor", on_sign_in_change=_ignore)
        if done.sign_in:
            st.login()


def _signed_in(person: Person) -> None:
    st.markdown(f"**{plain(person.name)}**, {person.role}")
    st.caption("Verdicts carry this name, as checked at sign-in.")
    if "is_logged_in" in st.user.to_dict():
        st.button("Sign out", key="sign-out", on_click=st.logout)


def _name_box(person: Person) -> None:
    st.session_state.setdefault(_BOX, _given_name())
    st.text_input("Your name", key=_BOX, max_chars=NAME_LIMIT, on_change=_keep_name)
    st.caption("Verdicts carry this name, marked as not checked. A team can set up a sign-in: docs/teams.md.")


def _keep_name() -> None:
    st.session_state[_NAME] = st.session_state[_BOX].strip()


def _typed_name() -> str:
    """What was given, else the account at this very machine."""
    return _given_name() or (_account() if _at_this_machine() else "")


def _given_name() -> str:
    """What was typed here, else what the browser remembers."""
    if typed := st.session_state.get(_NAME):
        return str(typed)
    remembered = st.context.cookies.get(COOKIE)  # a page under test has no browser
    return unquote(remembered).strip()[:NAME_LIMIT] if isinstance(remembered, str) else ""


def _at_this_machine() -> bool:
    """Streamlit gives no address for a browser on the server's own machine; a proxy there passes one on."""
    forwarded = {"forwarded", "x-forwarded-for", "x-real-ip"} & {name.lower() for name in st.context.headers}
    return not isinstance(st.context.ip_address, str) and not forwarded


def _account() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):  # an account without a name, as in some containers
        return ""


def _ignore() -> None:
    """Streamlit reports a press only for names that have a callback."""
