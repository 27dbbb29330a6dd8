"""People's verdicts recalibrate the chances of first labels, from enough of them on."""

import numpy as np
import pytest

from csp.keeping.home import result_cache_folder
from csp.keeping.result_cache import ResultCache
from csp.keeping.reviews.event import Entry
from csp.keeping.reviews.vocabulary import Action
from csp.work.explorer.explorer import Explorer
from csp.work.labels.chance import label_chances, measure_chances
from csp.work.labels.stored import StoredLabels
from csp.work.neurons.rows import machine_rows, with_chances
from csp.work.reviews import recalibrated
from csp.work.reviews.desk import Person, ReviewDesk
from csp.work.reviews.recalibrated import recalibrated_chances

ANN = Person(name="Ann", verified=True)


def test_verdicts_count_from_enough_on(desk: ReviewDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    measure_chances(desk.run)
    neurons = sorted(StoredLabels(desk.run).first_labels("early"))[:3]
    for neuron in neurons:
        desk.record(ANN, Entry(layer="early", neuron=neuron, verdict=Action.OVERRIDE, label="something else"))
    before = label_chances(desk.run, "early")
    few = recalibrated_chances(desk.run, "early", desk)
    assert (few.judged, few.recalibrated) == (3, False)
    assert np.array_equal(few.chances, before, equal_nan=True)
    monkeypatch.setattr(recalibrated, "ENOUGH", 3)
    enough = recalibrated_chances(desk.run, "early", desk)
    assert enough.recalibrated
    labelled = np.isfinite(before)
    assert (enough.chances[labelled] < before[labelled]).all(), "all judged labels were wrong"


def test_unsure_and_flags_are_no_verdicts(desk: ReviewDesk) -> None:
    measure_chances(desk.run)
    desk.record(ANN, Entry(layer="early", neuron=0, verdict=Action.UNSURE))
    assert recalibrated_chances(desk.run, "early", desk).judged == 0
    desk.record(ANN, Entry(layer="early", neuron=0, verdict=Action.CONFIRM))
    assert recalibrated_chances(desk.run, "early", desk).judged == 1


def test_rows_and_files_take_the_chances_that_verdicts_tell(
    desk: ReviewDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    explorer = Explorer(desk.run, ResultCache(result_cache_folder()))
    measure_chances(desk.run)
    neurons = sorted(StoredLabels(desk.run).first_labels("early"))[:3]
    for neuron in neurons:
        desk.record(ANN, Entry(layer="early", neuron=neuron, verdict=Action.OVERRIDE, label="something else"))
    before = machine_rows(explorer, "early")
    assert with_chances(before, recalibrated_chances(desk.run, "early", desk)) is before
    monkeypatch.setattr(recalibrated, "ENOUGH", 3)
    after = with_chances(before, recalibrated_chances(desk.run, "early", desk))
    known = before.frame["chance"].notna()
    assert after.chances_by == 3
    assert (after.frame["chance"][known] < before.frame["chance"][known]).all()
    assert np.allclose(after.frame["doubt"][known], 1 - after.frame["chance"][known])


def test_a_confirmed_label_with_a_semicolon_is_right(desk: ReviewDesk) -> None:
    machine = "ruler; hairs"
    desk.record(ANN, Entry(layer="late", neuron=0, verdict=Action.CONFIRM, machine_label=machine))
    assert recalibrated._right(desk.neuron("late", 0), machine) is True
