"""Work that pages do not wait for: shared by those who ask, done once, not begun when nobody holds it."""

from collections.abc import Iterator
from threading import Event

import pytest

from csp.errors import UnavailableError
from csp.work.jobs.background import Background
from tests import patience


@pytest.fixture
def gate() -> Iterator[Event]:
    """What work waits for; open in the end, so that no thread stays behind."""
    gate = Event()
    yield gate
    gate.set()


def test_two_who_ask_the_same_share_one_task(gate: Event) -> None:
    background, done = Background(), list[int]()

    def work() -> int:
        gate.wait()
        done.append(1)
        return len(done)

    first, second = background.ask("key", work), background.ask("key", work)
    assert not first.wait(0) and not second.finished
    gate.set()
    assert first.wait(patience.SECONDS)
    assert (first.result(), second.result(), done) == (1, 1, [1])


def test_what_the_work_raises_comes_to_who_asks_and_is_tried_anew_later(gate: Event) -> None:
    background, gives = Background(), list[str]()

    def work() -> str:
        if not gives:
            raise UnavailableError("the weights are missing")
        return gives[0]

    task = background.ask("key", work)
    assert task.wait(patience.SECONDS)
    with pytest.raises(UnavailableError, match="the weights are missing"):
        task.result()
    gives.append("found")
    again = background.ask("key", work)
    assert again.wait(patience.SECONDS)
    assert again.result() == "found"


def test_what_nobody_holds_any_more_is_not_begun(gate: Event) -> None:
    background, begun = Background(threads=1), list[str]()

    def work(name: str) -> str:
        begun.append(name)
        gate.wait()
        return name

    first = background.ask("first", lambda: work("first"))
    second = background.ask("second", lambda: work("second"))
    third = background.ask("third", lambda: work("third"))
    del second
    gate.set()
    assert third.wait(patience.SECONDS)
    assert begun == ["first", "third"]
    assert first.result() == "first"
