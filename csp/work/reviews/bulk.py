"""One verdict on many neurons at once: each is an event of its own in the record, as if said one by one.

outcome = record_all(desk, ann, "layer4", {17: first, 30: second}, Action.CONFIRM, tags=("artefact:ruler",))
outcome.recorded, outcome.left_out          # 36 neurons, and by reason those on which nothing was recorded
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from csp.errors import BadInputError
from csp.keeping.reviews.checks import OvertakenError
from csp.keeping.reviews.event import Entry
from csp.keeping.reviews.normalise import same_label
from csp.keeping.reviews.state import NeuronReview
from csp.keeping.reviews.vocabulary import Action
from csp.work.reviews.desk import Person, ReviewDesk
from csp.work.reviews.label_in_force import LabelInForce

ACTS = (Action.CONFIRM, Action.REJECT, Action.UNSURE, Action.FLAG)
"""What can be said of many neurons; `FLAG` puts them in the queue for a second look."""
MOST = 1000
"""Neurons judged at once."""
NO_LABEL, DISPUTED, OVERTAKEN = "without a label", "on which people disagree", "that others judged meanwhile"


@dataclass(frozen=True)
class BulkOutcome:
    """What came of it."""

    recorded: int
    left_out: Mapping[str, int]
    """By reason, of how many neurons nothing was recorded."""


@dataclass(frozen=True)
class Shown:
    """A neuron as it stood on the screen: its label, and where people stood."""

    label: LabelInForce
    state: NeuronReview


def record_all(
    desk: ReviewDesk,
    person: Person,
    layer: str,
    shown: Mapping[int, Shown],
    act: Action,
    *,
    reason: str = "",
    tags: tuple[str, ...] = (),
    labeler: str | None = None,
) -> BulkOutcome:
    """Record `act` on each neuron; to confirm is to confirm the label that stood on the screen.

    The reason of each event says of how many neurons it was said together. Left out are neurons that can't
    be judged so, and those that somebody else judged since they were shown.

    Raises BadInputError for another act, too many neurons or a viewer, UnavailableError when the record can't
    be written: what was recorded until then stays.
    """
    if act not in ACTS:
        raise BadInputError(f"{act} can't be said of many neurons at once; take {', '.join(ACTS)}")
    if not 1 <= len(shown) <= MOST:
        raise BadInputError(f"1 to {MOST:,} neurons can be judged at once, not {len(shown):,}")
    left_out, recorded = Counter[str](), 0
    together = f"one of {len(shown)} neurons judged together"
    said = f"{reason} ({together})" if reason else together
    for neuron, one in shown.items():
        if why := _unfit(act, one):
            left_out[why] += 1
            continue
        label, machine = (one.label.text if act is Action.CONFIRM else None), one.label.machine
        other = act is Action.CONFIRM and same_label(label) != same_label(machine)
        entry = Entry(
            layer=layer,
            neuron=neuron,
            verdict=Action.OVERRIDE if other else act,
            label=label,
            machine_label=machine,
            labeler=labeler,
            reason=said,
            tags=tags,
            seen=one.state.seen,
        )
        try:
            desk.record(person, entry, ask=True)
            recorded += 1
        except OvertakenError:
            left_out[OVERTAKEN] += 1
    return BulkOutcome(recorded, dict(left_out))


def _unfit(act: Action, one: Shown) -> str:
    """Why nothing can be said of a neuron together with others; "" when it can."""
    if act is Action.CONFIRM and one.label.sides:
        return DISPUTED
    if act in (Action.CONFIRM, Action.REJECT) and one.label.text is None:
        return NO_LABEL
    return ""
