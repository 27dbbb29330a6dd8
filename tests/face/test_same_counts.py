"""A count of neurons that several pages show is one number, in the demo and in an odd run."""

import pytest

from csp.face.screen.atlas.chips import chips_of
from csp.face.screen.wording import STATES
from csp.keeping.bundle import ASSETS
from csp.keeping.home import result_cache_folder
from csp.keeping.result_cache import ResultCache
from csp.keeping.reviews.event import Entry
from csp.keeping.reviews.store import open_reviews
from csp.keeping.reviews.vocabulary import Action
from csp.keeping.run_folder.run import Run
from csp.work.control.control import unclaimed
from csp.work.explorer.explorer import Explorer
from csp.work.neurons.review_queues import QueueFacts, queue
from csp.work.neurons.rows import machine_rows, with_reviews
from csp.work.reliance.concepts import concepts
from csp.work.report.content import layer_claims
from csp.work.report.findings import artefact_groups
from csp.work.reviews.artefacts import artefacts_in
from csp.work.reviews.audit import audit_of
from csp.work.reviews.checklist import artefacts_of, criteria
from csp.work.reviews.desk import Person, ReviewDesk
from csp.work.reviews.summary import layer_summary

ANN, BO = Person(name="Ann"), Person(name="Bo")


@pytest.mark.parametrize("name", ["demo", "tiny"])
def test_each_count_is_the_same_on_all_pages(name: str, tiny_run: Run) -> None:
    explorer = opened(name, tiny_run)
    layer, chips = explorer.run.layers[-1], chips_of(explorer.run.manifest.classes)
    with open_reviews() as reviews:
        desk = ReviewDesk(explorer.run, reviews)
        judge(desk, layer)
        states, reviewed, audit = desk.states(), desk.reviewed(layer), audit_of(explorer, desk)
    rows = with_reviews(machine_rows(explorer, layer), reviewed)
    facts, start, checked = (
        QueueFacts(rows, reviewed),
        layer_summary(explorer, layer, reviewed),
        audit.coverage[layer],
    )
    artefacts = artefacts_in(explorer, layer, states)

    def chip(*names: str) -> int:
        return sum(int(chips[one].fits(rows.frame).sum()) for one in names)

    def queued(one: str) -> int:
        return len(queue(one, facts, ANN))

    assert start.neurons == checked.neurons == len(rows.frame) == queued("all")
    judged = chip("confirm", "override", "reject", "disputed")
    assert start.reviewed == checked.checked == audit.decided == judged > 0
    assert checked.unsure == chip("unsure") > 0
    assert (
        start.disputed
        == checked.disputed
        == chip("disputed")
        == queued("disagreements")
        == len(audit.disputes)
        > 0
    )
    assert checked.second_look == chip("second-look") == queued("second-look") > 0
    assert chip("doubtful") == queued("doubtful") > 0
    assert start.artefacts == len(artefacts) == chip("artefact") == queued("artefacts") > 0
    assert sum(len(group.rows) for group in artefact_groups(artefacts)) == len(artefacts)
    assert chip(*STATES) == start.neurons
    spoken = {neuron for one in audit.criteria for where, neuron in one.labelled if where == layer}
    assert not spoken & (unclaimed(explorer, layer) - reviewed.keys()), (
        "what is not claimed meets no criterion"
    )
    claims, nobody = layer_claims(explorer, layer), machine_rows(explorer, layer).frame
    assert claims is not None
    assert claims.labelled - claims.claimed == int(chips["nothing-fits"].fits(nobody).sum())


@pytest.mark.parametrize("name", ["demo", "tiny"])
def test_what_it_leans_on_holds_the_neurons_that_classes_and_audit_call_artefacts(
    name: str, tiny_run: Run
) -> None:
    explorer = opened(name, tiny_run)
    layer, known = explorer.run.layers[-1], criteria()
    audited = {(tag, one.neuron) for one in artefacts_in(explorer, layer, {}) for tag in one.tags}
    leant_on = {
        (tag, neuron)
        for one in concepts(explorer, {})
        for label in one.labels
        for tag in artefacts_of(label, known)
        for neuron in one.of(layer)
    }
    assert leant_on == audited != set()


def opened(name: str, tiny_run: Run) -> Explorer:
    """The demo, or the run of `tests.build`: of six neurons one never fires, one is constant, one broken."""
    run = Run.open(ASSETS / "runs/demo") if name == "demo" else tiny_run
    return Explorer(run, ResultCache(result_cache_folder()))


def judge(desk: ReviewDesk, layer: str) -> None:
    """One neuron of each kind: confirmed, replaced by an artefact, none fits, unsure, disputed, flagged."""
    for who, neuron, verdict, label, tags in (
        (ANN, 0, Action.CONFIRM, "ruler", ()),
        (ANN, 1, Action.OVERRIDE, "ink", ("artefact:ink",)),
        (ANN, 2, Action.REJECT, None, ("artefact:bubbles",)),
        (BO, 3, Action.UNSURE, None, ()),
        (ANN, 4, Action.OVERRIDE, "a mole", ()),
        (BO, 4, Action.OVERRIDE, "a ruler", ()),
        (ANN, 5, Action.OVERRIDE, "a mole", ()),
        (BO, 5, Action.UNSURE, None, ()),
        (ANN, 4, Action.FLAG, None, ()),
    ):
        desk.record(who, Entry(layer=layer, neuron=neuron, verdict=verdict, label=label, tags=tags))
