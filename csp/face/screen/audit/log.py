"""The log: every event of the run, filtered, newest first; and its verification."""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from csp.errors import CspError
from csp.face.screen.elements.components import Column, Row, row_table
from csp.face.screen.elements.pager import chosen_page, pager
from csp.face.screen.state import review_store
from csp.face.screen.url.links import neuron_link
from csp.face.screen.url.params import Params, one_of, text
from csp.face.screen.url.state import follow, write
from csp.face.screen.wording import as_sentence, counted, plain, spot
from csp.keeping.reviews.event import Event
from csp.keeping.reviews.vocabulary import DONE, TAGS, Action

PAGE = 50
"""Events at a time."""
ANY = "all"


@dataclass(frozen=True)
class LogFilter:
    """Which events an address asks for."""

    who: str
    what: str
    words: str

    def fits(self, event: Event) -> bool:
        """Whether to show an event; words are looked for in labels, reasons and tags, in any case."""
        text = " ".join([event.label or "", event.label_before or "", event.reason, *event.tags]).casefold()
        return (
            self.who in (ANY, event.reviewer)
            and self.what in (ANY, str(event.verdict))
            and self.words.casefold() in text
        )


def chosen_filter(params: Params, events: Sequence[Event]) -> LogFilter:
    """The filter in the address; WrongAddressError names what exists."""
    people = [ANY, *sorted({event.reviewer for event in events})]
    acts = [ANY, *(str(act) for act in Action)]
    return LogFilter(
        one_of(params, "by", people, ANY), one_of(params, "act", acts, ANY), text(params, "words")
    )


def log_view(run: str, events: Sequence[Event], params: Params) -> None:
    """Filters, then one page of the log, newest first."""
    chosen = chosen_filter(params, events)
    _filters(chosen, events)
    found = [event for event in reversed(events) if chosen.fits(event)]
    st.caption(f"{len(found):,} of {counted(len(events), 'event')} of this run, newest first.")
    page = chosen_page(params, len(found), PAGE)
    columns = [
        Column("No.", "Place in the chain", numeric=True),
        Column("When (UTC)"),
        Column("Neuron"),
        Column("Who"),
        Column("What"),
        Column("Label", "After it; below, the label before"),
        Column("Reason and tags"),
        Column("Hash", "Of the event and of all before it"),
    ]
    if found:
        rows = [_row(run, event) for event in found[page.rows]]
        row_table("Events", columns, rows, key="audit-log")
    pager(page)


def verify_button() -> None:
    """Checks the whole chain, or that an event noted earlier is still there, and says what was found."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="verify"):
        noted = st.text_input(
            "A hash that you noted earlier (may be left empty)",
            key="verify-hash",
            max_chars=64,
            width=420,
            help="Then it is also checked that this very event, and so all before it, is still there.",
        )
        pressed = st.button("Verify the record", icon=":material/verified_user:", key="verify-button")
    if not pressed:
        return
    try:
        finding = review_store.verify(noted.strip() or None)
    except CspError as error:
        st.warning(as_sentence(error))
        return
    if finding.ok:
        st.success(
            f"All {finding.events:,} events are as they were recorded. Newest hash, to note down elsewhere: "
            f"`{finding.head}`"
        )
    else:
        where = f" First bad event: no. {finding.first_bad}." if finding.first_bad else ""
        st.error(f"The record is not as it was written: {plain(finding.problem or '')}.{where}")


def _filters(chosen: LogFilter, events: Sequence[Event]) -> None:
    people = [ANY, *sorted({event.reviewer for event in events})]
    who, what, words = st.columns([2, 2, 3])
    follow("by", chosen.who)
    follow("act", chosen.what)
    follow("words", chosen.words)
    who.selectbox("Who", people, key="by", on_change=write, args=("by", ("page",)))
    what.selectbox(
        "What",
        [ANY, *(str(act) for act in Action)],
        key="act",
        format_func=lambda act: act if act == ANY else DONE[Action(act)],
        on_change=write,
        args=("act", ("page",)),
    )
    words.text_input(
        "Words in label, reason or tags",
        key="words",
        max_chars=100,
        on_change=write,
        args=("words", ("page",)),
    )


def _row(run: str, event: Event) -> Row:
    tags = ", ".join(TAGS.get(tag, tag) for tag in event.tags)
    return Row(
        [
            ("text", str(event.sequence)),
            ("text", f"{event.at:%d %b %Y, %H:%M:%S}"),
            ("text", spot(event.layer, event.neuron)),
            ("lines", (event.who.words, str(event.role))),
            ("text", DONE[event.verdict]),
            ("lines", (event.label or "–", f"before: {event.label_before or '–'}")),
            ("lines", (event.reason or "–", tags)),
            ("quiet", event.hash[:12]),
        ],
        href=neuron_link(run, event.layer, event.neuron),
    )
