"""The runs on this machine, each in plain words, with what can be done with it."""

import time
from pathlib import Path

import streamlit as st

from csp.errors import CspError
from csp.face.screen.page.deeds import deed
from csp.face.screen.page.identity import may_manage, owner
from csp.face.screen.state.cached import DEMO, close_run
from csp.face.screen.state.waiting import waited
from csp.face.screen.wording import as_sentence, counted, named_classes, plain
from csp.keeping.faults import told
from csp.keeping.library.trash import (
    discard_run,
    discarded_name,
    discarded_runs,
    forget_run,
    restore_run,
)
from csp.keeping.run_folder.manifest import Manifest
from csp.work.runs.listing import RunFacts, looked_at, run_facts
from csp.work.runs.soundness import soundness
from csp.work.runs.strangers import distrust_run, trust_run

SAID = "runs-said"
"""What the last action did, in a sentence, until it is shown."""


def run_cards() -> None:
    """Draws a card for each run, the demo first, then the trash."""
    if said := st.session_state.pop(SAID, None):
        done, sentence = said
        (st.success if done else st.error)(as_sentence(sentence))
    facts = sorted(run_facts(), key=lambda run: (run.name != DEMO, run.name))
    if not facts:
        st.info("There is no run on this machine yet: start a job that makes one, or use `csp index`.")
    for run in facts:
        with st.container(border=True, key=f"run-{run.name}", gap="xsmall"):
            try:
                _card(run)
            except Exception as error:  # noqa: BLE001 # one card must not hide the others
                st.error(plain(told(error)), icon=":material/error:")
    _trash()


def _card(run: RunFacts) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        badge = " :gray-badge[comes with the program]" if run.shipped else ""
        if run.address:
            badge = " :gray-badge[on a server]"
        st.markdown(f"**{plain(run.name)}**{badge}", width="content")
        st.space("stretch")
        _actions(run)
    if run.manifest is None:
        st.error(plain(run.problem), icon=":material/error:")
        return
    st.markdown(_sentence(run.manifest))
    made = run.manifest
    st.caption(
        f"{run.megabytes:,.0f} MB · made {made.created:%d %b %Y, %H:%M} UTC by CSP Explorer "
        f"{plain(made.csp_version)} · fingerprint `{made.fingerprint[:12]}`"
    )
    if run.address:
        st.caption(f":material/cloud: {plain(run.address)}: what is looked at is fetched once")
    for remark in run.remarks:
        st.caption(f":material/info: {plain(remark)}")
    if not run.shipped:
        _trust_button(run.name, trusted=run.trust is not None)
    _checked(run)
    with st.expander("How it was made", icon=":material/receipt_long:"):
        _details(run.path, made)


def _sentence(made: Manifest) -> str:
    layers = ", ".join(f"**{plain(one.layer)}** ({counted(one.neurons, 'neuron')})" for one in made.layers)
    classes = f", {named_classes(made.classes)}," if made.classes else ""
    return (
        f"**{plain(made.target.name)}**{classes} on {plain(looked_at(made))}, "
        f"seen through {plain(made.encoder.name)}. Layers: {layers}."
    )


def _actions(run: RunFacts) -> None:
    if run.manifest is not None:
        st.page_link(
            "pages/neurons.py",
            label="**Open**",
            icon=":material/arrow_forward:",
            query_params={"run": run.name},
        )
        st.page_link(
            "pages/compare.py",
            label="Compare",
            icon=":material/compare_arrows:",
            query_params={"run": run.name, "what": "runs"},
        )
        st.button(
            "Check",
            key=f"check-{run.name}",
            on_click=_check,
            args=(run,),
            help="Reads every file again and compares it with the fingerprints made when the run was made.",
        )
    refused = "It comes with the program." if run.shipped else may_manage("delete runs")
    if run.address:
        with st.popover("Forget …", key=f"forget-{run.name}", disabled=bool(refused), help=refused or None):
            _forgetting(run)
        return
    with st.popover("Delete …", key=f"delete-{run.name}", disabled=bool(refused), help=refused or None):
        _deletion(run.name)


def _trust_button(name: str, *, trusted: bool) -> None:
    refused = may_manage("trust runs")
    effect = (
        "nothing that the run names is opened"
        if trusted
        else ("the files and the models, also code, that the run names are opened")
    )
    st.button(
        "Withdraw trust" if trusted else "Trust this run",
        key=f"{'distrust' if trusted else 'trust'}-{name}",
        icon=":material/gpp_maybe:" if trusted else ":material/verified_user:",
        type="tertiary" if trusted else "secondary",
        on_click=_distrust if trusted else _trust,
        args=(name,),
        disabled=bool(refused),
        help=plain(refused) if refused else f"From then on {effect}.",
    )


@deed("trust runs")
def _trust(name: str) -> None:
    try:
        trust_run(name, owner("trust runs").name)
    except CspError as error:
        _say(False, str(error))
    else:
        _say(True, f"The run {name} is trusted from now on.")


@deed("trust runs")
def _distrust(name: str) -> None:
    try:
        distrust_run(name, owner("trust runs").name)
    except CspError as error:
        _say(False, str(error))
    else:
        _say(True, f"The run {name} is a stranger from now on: nothing that it names is opened.")


def _check(run: RunFacts) -> None:
    """Callback: whoever presses has the files read now, not as somebody else found them before."""
    st.session_state[_check_key(run)] = time.monotonic_ns()


def _checked(run: RunFacts) -> None:
    asked = st.session_state.get(_check_key(run))
    if asked is None:
        return
    words, slot = "Reading every file again", f"check-{run.name}"
    found = waited(slot, asked, lambda: soundness(run.path), words)
    if found is None:
        return
    if found.problems:
        st.error("\n".join(f"- {plain(problem)}" for problem in found.problems))
    else:
        every = "what was fetched" if run.address else "every file"
        st.success(f"Sound: {every} is as it was made.", icon=":material/check:")
    for note in found.notes:
        st.caption(f":material/cloud: {plain(note)}")


def _check_key(run: RunFacts) -> str:
    return f"checked-{run.name}-{run.manifest.fingerprint if run.manifest else ''}"


def _details(path: Path, made: Manifest) -> None:
    settings = made.parameters
    rule = "may serve several" if settings.reuse else "serves one only"
    lines = [
        f"Folder: {plain(str(path))}",
        *(
            f"{what}: {plain(source.name)}" + (f", {plain(source.spec)}" if source.spec else "")
            for what, source in (("Model", made.target), ("Images", made.dataset), ("Encoder", made.encoder))
        ),
        f"Each neuron: {settings.k} activating images; a look-alike {rule}; "
        f"strength of the contrast {settings.gamma:g}",
        *(
            f"Layer {plain(one.layer)}: one number an image by {plain(one.pooling)} over its map"
            for one in made.layers
            if one.pooling
        ),
        f"Fingerprint: `{made.fingerprint}`",
        "Libraries: " + plain(", ".join(f"{name} {version}" for name, version in made.libraries.items())),
    ]
    st.markdown("\n".join(f"- {line}" for line in lines))


def _deletion(name: str) -> None:
    st.markdown(
        f"The run **{plain(name)}** goes to the trash folder, from where it can be put back. "
        "Reviews of its neurons stay in the review record."
    )
    typed = st.text_input("Type the name of the run to confirm", key=f"typed-{name}")
    unsure = typed.strip() != name
    st.button("Move to trash", key=f"discard-{name}", on_click=_discard, args=(name,), disabled=unsure)


def _forgetting(run: RunFacts) -> None:
    st.markdown(
        f"What was fetched of **{plain(run.name)}** is deleted here. The run at {plain(run.address)} stays, "
        "and so do the reviews of its neurons."
    )
    st.button("Forget it here", key=f"forget-now-{run.name}", on_click=_forget, args=(run,))


@deed("delete runs")
def _forget(run: RunFacts) -> None:
    try:
        close_run(run.path)
        forget_run(run.name)
    except CspError as error:
        _say(False, str(error))
    else:
        _say(True, f"The run {run.name} is forgotten here; it stays at {run.address}.")


@deed("delete runs")
def _discard(name: str) -> None:
    try:
        folder = discard_run(name)
    except CspError as error:
        _say(False, str(error))
    else:
        _say(True, f"The run {name} was moved to {folder}.")


def _trash() -> None:
    folders = discarded_runs()
    if not folders:
        return
    with st.expander(f"Trash ({len(folders)})", icon=":material/delete:"):
        for folder in folders:
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(f"{plain(discarded_name(folder))} in {plain(str(folder))}", width="content")
                st.button("Put back", key=f"restore-{folder.name}", on_click=_restore, args=(folder.name,))


@deed("put runs back")
def _restore(folder: str) -> None:
    try:
        name = restore_run(folder)
    except CspError as error:
        _say(False, str(error))
    else:
        _say(True, f"The run {name} is back.")


def _say(done: bool, sentence: str) -> None:
    """What went well and is not on the screen yet stays: the same press came again and met what it did."""
    if not done and st.session_state.get(SAID, (False,))[0]:
        return
    st.session_state[SAID] = (done, sentence)
