"""Verdicts to files and back: everyone may export, an admin (or who sits at this machine) may import."""

from functools import partial
from pathlib import Path, PurePath
from tempfile import TemporaryDirectory

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from csp.errors import BadInputError, CspError
from csp.face.screen.page.deeds import asked_when_pressed
from csp.face.screen.page.identity import owner
from csp.face.screen.review_wording import shown
from csp.face.screen.state import review_store
from csp.face.screen.wording import plain
from csp.work.explorer.explorer import Explorer
from csp.work.reviews.exchange import Imported, export_reviews, import_reviews

KINDS = {"csv": "CSV", "json": "JSON", "parquet": "Parquet"}
SHOWN_ROWS = 50
_DONE = "import-done"


def exchange_panel(explorer: Explorer) -> None:
    """Buttons to export, and a box to import, closed until someone wants them."""
    run = explorer.run.name
    with st.container(key="exchange"), st.expander("Export and import verdicts"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"Every event of {shown(run)}, with who, when and why:", width="content")
            for kind, words in KINDS.items():
                st.download_button(
                    words,
                    asked_when_pressed(partial(_file, explorer, kind)),
                    f"reviews-{run}.{kind}",
                    key=f"export-{kind}",
                )
        _import(explorer)


def _import(explorer: Explorer) -> None:
    try:
        owner()
    except BadInputError as error:
        st.caption(f"To import, {plain(str(error))}.")
        return
    given = st.file_uploader("Import verdicts on this run", type=list(KINDS), key="import-file")
    if given is not None and st.button("Import", key="import", type="primary"):
        st.session_state[_DONE] = _read(explorer, given)
    if _DONE in st.session_state:
        _report(st.session_state[_DONE])


def _read(explorer: Explorer, given: UploadedFile) -> Imported | str:
    """What came of it, or why nothing did."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / PurePath(given.name).name
        path.write_bytes(given.getbuffer())
        try:
            owner()
            return import_reviews(review_store.desk(explorer).reviews, path, explorer.run)
        except CspError as error:
            return str(error)


def _report(done: Imported | str) -> None:
    if isinstance(done, str):
        st.error(f"Nothing was imported: {plain(done)}")
        return
    refused = f", {len(done.refused)} refused" if done.refused else ""
    st.success(f"{done.added} added, {done.known} known already{refused}.")
    for number, reason in done.refused[:SHOWN_ROWS]:
        st.markdown(f"Row {number}: {plain(' '.join(reason.split()))}")
    if len(done.refused) > SHOWN_ROWS:
        st.caption(f"and {len(done.refused) - SHOWN_ROWS} more; `csp review import` lists all.")


def _file(explorer: Explorer, kind: str) -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"reviews.{kind}"
        export_reviews(review_store.desk(explorer).reviews, path, explorer.run, kind)
        return path.read_bytes()
