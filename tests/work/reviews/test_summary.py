"""The run at a glance: counts of neurons by what people and the machine say of them."""

from csp.keeping.reviews.event import Entry
from csp.keeping.reviews.vocabulary import Action
from csp.work.control.control import unclaimed
from csp.work.explorer.explorer import Explorer
from csp.work.neurons.rows import machine_rows
from csp.work.reviews.checklist import artefacts_of, criteria
from csp.work.reviews.desk import Person, ReviewDesk
from csp.work.reviews.summary import layer_summary

ANN, BO = (Person(name=name) for name in ("Ann", "Bo"))


def test_without_reviews_artefacts_are_those_that_the_machine_names(explorer: Explorer) -> None:
    frame = machine_rows(explorer, "late").frame
    found = layer_summary(explorer, "late", {})
    assert (found.neurons, found.reviewed, found.disputed) == (len(frame), 0, 0)
    assert found.artefacts == sum(bool(named) for named in frame["artefacts"]) > 0
    claimed = frame[~frame["neuron"].isin(unclaimed(explorer, "late"))]
    first = claimed["machine_label"].dropna().map(lambda label: bool(artefacts_of(label, criteria())))
    assert found.artefacts_by_first_label == first.sum() > 0, "as the controls count, which have no facets"


def test_a_persons_label_or_tag_makes_an_artefact_and_takes_one_away(
    explorer: Explorer, desk: ReviewDesk
) -> None:
    frame = machine_rows(explorer, "late").frame
    before = layer_summary(explorer, "late", {}).artefacts
    cleared, tagged = (int(neuron) for neuron in frame["neuron"][frame["artefacts"].map(bool)][:2])
    for who, neuron, label, tags in (
        (ANN, cleared, "a mole", ()),
        (BO, cleared, "a nevus", ()),
        (ANN, tagged, "a mole", ("artefact:ink",)),
    ):
        said = Entry(layer="late", neuron=neuron, verdict=Action.OVERRIDE, label=label, tags=tags)
        desk.record(who, said)
    found = layer_summary(explorer, "late", desk.reviewed("late"))
    assert (found.reviewed, found.disputed, found.artefacts) == (2, 1, before - 1)
