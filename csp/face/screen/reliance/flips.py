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
        page = chosen_page(params, len(found.images), PAGE)
        if not found.images:
            return
        with st.container(horizontal=True, vertical_alignment="center"):
            st.download_button(
                f"All {counted(len(found.images), 'image')} as CSV",
                asked_when_pressed(lambda: as_csv(explorer.run, found).encode()),
                file_name=f"{explorer.run.name}-{slug(concept)}-switched-off.csv",
                mime="text/csv",
                icon=":material/download:",
                key="flips-csv",
                on_click="ignore",
            )
            pager(page)
        cards = [_card(explorer.run, concept, one) for one in found.images[page.rows]]
        card_grid("Images called otherwise with it switched off", cards, columns=COLUMNS, key="flip-cards")


@st.cache_data(max_entries=32, show_spinner="Looking at every image with it switched off …")
def _flips(_run: Run, fingerprint: str, layer: str, concept: Concept) -> Flips:
    seen = behind_head(_run)
    assert seen is not None  # the section is only drawn then
    return flips(_run, seen, concept.of(layer), shown(_run, concept))


def _in_words(concept: Concept, layer: str, found: Flips) -> str:
    """How many of the images that show it, beside chance; then how many of the others, beside chance."""
    total, off = found.called.total(), f"{_its(concept, layer)} switched off"
    where = f"{counted(found.looked_at, 'image')} of the run" + " that show it" * found.of_those_that_show
    chance = f"with as many others off, drawn by chance, {found.by_chance:.0f} would be"
    if total:
        called = ", ".join(f"{count} *{plain(name)}*" for name, count in found.called.most_common(4))
        said = f"of {where}, **{total:,}** would be called something else with {off} ({called}); {chance}."
    else:
        said = f"of {where}, none would be called something else with {off}; {chance}."
    if not found.others:
        return said
    return (
        f"{said} Of images that do not show it, or of which nobody says, {found.others:,} would be, too (by "
        f"chance {found.others_by_chance:.0f}): they come last."
    )


def _its(concept: Concept, layer: str) -> str:
    return f"its {counted(len(concept.of(layer)), 'neuron')} of {plain(layer)}"


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
        hint="\n".join(part for part in (shows, true, "Opens what it says with it switched off") if part),
        whose="" if one.shows else shows,
    )
