"""People's verdicts recalibrate the chances of first labels, from enough of them on."""

import numpy as np
import pytest

from csp.keeping.reviews.event import Entry
from csp.keeping.reviews.vocabulary import Action
from csp.work.labels.chance import label_chances, measure_chances
from csp.work.labels.stored import StoredLabels
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
