"""The button that makes the audit report: one HTML file, to keep or to hand over."""

import streamlit as st

from csp.errors import CspError
from csp.face.screen.page.frame import own_edge
from csp.face.screen.page.identity import let_in
from csp.face.screen.state import review_store
from csp.face.screen.wording import as_sentence, counted
from csp.work.explorer.explorer import Explorer
from csp.work.progress import Progress
from csp.work.report.content import ReportOptions
from csp.work.report.export import report_text


@st.fragment
@own_edge
def report_panel(explorer: Explorer) -> None:
    """Options, then "Make the report", then the download; while it is made, how far it is."""
    let_in()
    with st.container(border=True, key="report"):
        st.markdown(
            "**Audit report** · one HTML file that opens without a network and prints well: the model, the "
            "images, the method, what was checked, every neuron with its history, and the hashes."
        )
        with st.container(horizontal=True, vertical_alignment="center"):
            pictures = st.checkbox("With pictures", value=True, key="report-pictures")
            only = st.checkbox("Only neurons that somebody reviewed", key="report-reviewed")
            made = st.button("Make the report", icon=":material/description:", key="report-make")
        if made:
            _make(explorer, ReportOptions(explorer.run.layers, pictures=pictures, reviewed_only=only))


def _make(explorer: Explorer, wish: ReportOptions) -> None:
    bar = st.progress(0.0, "Reading the run …")

    def show(progress: Progress) -> None:
        left = "" if progress.seconds_left is None else f", about {progress.seconds_left:.0f} s left"
        bar.progress(progress.done / max(progress.total, 1), f"{progress.stage}: {progress.done}{left}")

    try:
        html, neurons = report_text(explorer, review_store.desk(explorer), wish, show)
    except CspError as error:
        st.warning(as_sentence(error))
        return
    finally:
        bar.empty()
    st.download_button(
        f"Download the report ({len(html) / 1e6:.1f} MB, {counted(neurons, 'neuron')})",
        html,
        file_name=f"{explorer.run.name}-audit.html",
        mime="text/html",
        icon=":material/download:",
        type="primary",
        key="report-download",
        on_click="ignore",
    )
