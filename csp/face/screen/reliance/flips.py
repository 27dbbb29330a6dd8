"""The probe images that the model would call something else without a concept, as pictures and as a file."""

import streamlit as st

from csp.face.screen.elements.components import Card, card_grid
from csp.face.screen.elements.pager import chosen_page, pager
from csp.face.screen.elements.thumbnails import source
from csp.face.screen.page.deeds import asked_when_pressed
from csp.face.screen.reliance.what_if import slug
from csp.face.screen.url.links import link
from csp.face.screen.url.params import Params
from csp.face.screen.wording import counted, percent, plain
from csp.keeping.run_folder.run import Run
from csp.work.explorer.explorer import Explorer
from csp.work.reliance.concepts import Concept, shown
from csp.work.reliance.heads import behind_head
from csp.work.reliance.what_if import Flip, Flips, as_csv, flips

PAGE, COLUMNS = 12, 6


def flips_section(explorer: Explorer, concept: Concept, params: Params) -> None:
    """In a sentence beside what chance gives, then the pictures, those that move most first."""
    seen = behind_head(explorer.run)
    if seen is None or not concept.of(seen.layer):
        return
    found = _flips(explorer.run, explorer.run.fingerprint, seen.layer, concept)
    with st.container(key="flips", gap="small"):
        st.markdown(f"**Decisions that rest on it** · {_in_words(concept, seen.layer, found)}")
        if not found.images:
            return
        page = chosen_page(params, len(found.images), PAGE)
        with st.container(horizontal=True, vertical_alignment="center"):
            st.download_button(
                f"All {counted(len(found.images), 'image')} as CSV",
                asked_when_pressed(lambda: as_csv(explorer.run, found).encode()),
                file_name=f"{explorer.run.name}-without-{concept.name}.csv",
                mime="text/csv",
                icon=":material/download:",
                key="flips-csv",
                on_click="ignore",
            )
            pager(page)
        cards = [_card(explorer.run, concept, one) for one in found.images[page.rows]]
        card_grid("Images called otherwise without it", cards, columns=COLUMNS, key="flip-cards")


@st.cache_data(max_entries=32, show_spinner="Looking at every image without it …")
def _flips(_run: Run, fingerprint: str, layer: str, concept: Concept) -> Flips:
    seen = behind_head(_run)
    assert seen is not None  # the section is only drawn then
    return flips(_run, seen, concept.of(layer), shown(_run, concept))


def _in_words(concept: Concept, layer: str, found: Flips) -> str:
    total, count = found.called.total(), len(concept.of(layer))
    where = "of the run that show it" if any(one.shows for one in found.images) else "of the run"
    if not total:
        return f"none of {found.looked_at:,} images {where} would be called something else without it."
    called = ", ".join(f"{count} *{plain(name)}*" for name, count in found.called.most_common(4))
    return (
        f"of {found.looked_at:,} images {where}, **{total}** are called what they are only because of its "
        f"{counted(count, 'neuron')} of {plain(layer)} ({called}); without as many other neurons, drawn by "
        f"chance, {found.by_chance:.0f} would be called something else."
    )


def _card(run: Run, concept: Concept, one: Flip) -> Card:
    label = run.images["label"].iloc[one.image]
    shows = {True: "shows it", False: "does not show it", None: ""}[one.shows]
    true = f"true class: {label}" if isinstance(label, str) else ""
    return Card(
        href=link("try", run=run.name, image=one.image, off=slug(concept)),
        title=str(one.image),
        label=f"{one.before} → {one.after}",
        line=f"{percent(one.before_value)} → {percent(one.after_value)}",
        pictures=[{"src": source(run, one.image), "alt": f"Image {one.image}"}],
        hint="\n".join(part for part in (shows, true, "Opens what it says without it") if part),
        whose="" if one.shows else shows,
    )
