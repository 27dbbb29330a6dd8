"""Chooses concepts to switch off, shows what the model is worth with them off, and has it written."""

from collections.abc import Mapping, Sequence

import streamlit as st

from csp.errors import BadInputError
from csp.face.screen.elements.components import Cell, Column, Row, row_table
from csp.face.screen.page.identity import me
from csp.face.screen.reliance.what_if import slug
from csp.face.screen.runs.job_offer import job_offer
from csp.face.screen.state.cached import concepts_of
from csp.face.screen.url.params import Params, one_of, some_of
from csp.face.screen.url.state import follow, ranges, write
from csp.face.screen.wording import as_sentence, counted, plain, turned
from csp.keeping.run_folder.run import Run
from csp.method.metrics.statistics import Interval
from csp.work.attribution.model_card import AS_DECIDED, GroupNumbers
from csp.work.explorer.explorer import Explorer
from csp.work.jobs.kinds.mend import mended_file
from csp.work.labels.vocabulary import shown_name
from csp.work.reliance.concepts import Concept
from csp.work.reliance.heads import behind_head
from csp.work.reliance.mending.cost import told_cost
from csp.work.reliance.mending.mend import MendPreview, mend_preview, together
from csp.work.subgroups import offered_columns

MEND, BY, OF = "without", "mend-by", "mend-of"
"""Parameters of the address: what is switched off, by which column it is told, and of which class."""
NONE = "none"


def mend_section(explorer: Explorer, params: Params) -> None:
    """Before and after on held-out images; then the button that writes the checkpoint."""
    seen = behind_head(explorer.run) if explorer.run.probabilities is not None else None
    with st.container(key="mend", gap="small"):
        st.subheader("Mend it", anchor=False)
        found, chosen = _chosen(explorer, params)
        if seen is None:
            st.caption(
                "A model can be mended where a layer of the run feeds its last linear layer: none of "
                "this run does."
            )
            return
        _choice(found, chosen)
        if not chosen:
            st.caption("Choose what the model should not lean on: you see what that would cost.")
            return
        concept = together(found[word] for word in chosen)
        _worth(explorer, concept, params)
        _write(explorer, [found[word].name for word in chosen], concept, seen.layer)


def check_mend(explorer: Explorer, params: Params) -> None:
    """Of a view without the section whose address keeps its choices; raises WrongAddressError."""
    _chosen(explorer, params)


def _chosen(explorer: Explorer, params: Params) -> tuple[dict[str, Concept], list[str]]:
    """The concepts that can be switched off, and those that the address names; all of it is looked at."""
    seen = behind_head(explorer.run) if explorer.run.probabilities is not None else None
    found = {slug(one): one for one in concepts_of(explorer) if one.of(seen.layer)} if seen else {}
    _column(explorer, params)
    if names := explorer.run.manifest.classes:
        one_of(params, OF, names, names[0])
    return found, some_of(params, MEND, list(found))


def _column(explorer: Explorer, params: Params) -> str:
    columns = offered_columns(explorer.run)
    return one_of(params, BY, (*columns, NONE), columns[0] if columns else NONE)


def _choice(found: Mapping[str, Concept], chosen: Sequence[str]) -> None:
    follow(MEND, list(chosen))
    beside = [word for word, one in found.items() if one.beside]
    st.pills(
        "Switch off",
        [*beside, *(word for word in found if word not in beside and word in chosen)],
        selection_mode="multi",
        key=MEND,
        format_func=lambda word: plain(found[word].name),
        on_change=write,
        args=(MEND,),
        help="What is not the lesion. Its neurons are held at their average.",
    )


def _worth(explorer: Explorer, concept: Concept, params: Params) -> None:
    columns = offered_columns(explorer.run)
    column = _column(explorer, params)
    try:
        with st.spinner("Counting how often it would be right …"):
            preview = mend_preview(explorer, concept, None if column == NONE else column)
    except BadInputError as error:
        st.info(as_sentence(error))
        return
    names = [one.name for one in preview.before.all.classes]
    name = one_of(params, OF, names, names[0])
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        _picker(explorer.run, BY, (*columns, NONE), column)
        _picker(explorer.run, OF, names, name)
    _table(explorer.run, preview, names.index(name))
    told = told_cost(explorer, concept, None if column == NONE else column)
    (st.warning if told.worse else st.success)(plain(told.words))
    if not concept.checked:
        st.caption(f"Nobody has checked the labels that mean {plain(concept.name)} yet.")


def _picker(run: Run, key: str, options: Sequence[str], chosen: str) -> None:
    def words(option: str) -> str:
        if key == OF:
            return plain(option)
        return "All images" if option == NONE else f"By {shown_name(run, option)}"

    follow(key, chosen)
    st.selectbox(
        {BY: "By", OF: "Class"}[key],
        list(options),
        format_func=words,
        key=key,
        on_change=write,
        args=(key,),
        label_visibility="collapsed",
        width=240,
    )


def _table(run: Run, preview: MendPreview, place: int) -> None:
    columns = [
        Column(shown_name(run, preview.before.column or "held-out images").capitalize()),
        Column("Images", numeric=True),
        Column("Right", "The share that the model calls rightly: now, and switched off", numeric=True),
        Column("AUROC", "Of the class: 0.5 is chance, 1 best", numeric=True),
        Column(AS_DECIDED, "Of the images of this class, the share that it calls so", numeric=True),
        Column("Specificity as decided", "Of all others, the share that it does not call so", numeric=True),
    ]
    before, after = ((*side.groups, side.all) for side in (preview.before, preview.after))
    rows = [_row(one, other, place) for one, other in zip(before, after, strict=True)]
    row_table("What changes", columns, rows, key="mend-table")
    st.caption("Now → switched off; below, the 95 % interval of the second number, over the images.")


def _row(before: GroupNumbers, after: GroupNumbers, place: int) -> Row:
    now, then = before.classes[place], after.classes[place]
    images: Cell = (
        ("lines", (f"{before.n:,}", "too few to compare")) if before.small else ("text", f"{before.n:,}")
    )
    return Row(
        [
            ("text", before.name),
            images,
            _cell(before.accuracy, after.accuracy),
            _cell(now.auroc, then.auroc),
            _cell(now.sensitivity, then.sensitivity),
            _cell(now.specificity, then.specificity),
        ]
    )


def _cell(now: Interval, then: Interval) -> Cell:
    if then.value != then.value:
        return "quiet", "–"
    under = "" if then.low != then.low else f"{then.low:.2f} to {then.high:.2f}"
    return "lines", (turned(f"{now.value:.3f}", f"{then.value:.3f}"), under)


def _write(explorer: Explorer, names: list[str], concept: Concept, layer: str) -> None:
    own, name = concept.of(layer), explorer.run.name
    others = len(concept.neurons) - len(own)
    left = f" {counted(others, 'neuron')} of other layers stay as they are." if others else ""
    reason = st.text_input("Why, for the record", key="mend-reason", placeholder="it is not the lesion")
    options = " ".join(f'--concept "{one}"' for one in names)
    out = mended_file(name, names)
    job_offer(
        "mend",
        {
            **{"run": name, "layer": layer, "neurons": ranges(own), "concepts": names},
            **{"out": str(out), "who": me().name, "reason": reason},
        },
        f"The mended model is the same architecture with {counted(len(own), 'neuron')} of {plain(layer)} "
        f"held at their average, written to {plain(str(out))} with a record of what, by whom and on "
        f"what evidence.{left} Index it to see it here.",
        button="Write the mended model",
        key="mend-write",
        icon=":material/healing:",
        command=f"csp mend {name} {options} -o mended.safetensors",
    )
