"""Work on many things at once."""

from threading import Barrier

from threadpoolctl import ThreadpoolController, threadpool_limits

from csp.method.threads import in_threads
from tests import patience


def products_threads() -> list[int]:
    return [library["num_threads"] for library in ThreadpoolController().select(user_api="blas").info()]


def test_in_order_at_once_and_the_products_threads_as_before() -> None:
    met = Barrier(2, timeout=patience.SECONDS)

    def work(thing: int) -> tuple[int, list[int]]:
        met.wait()  # breaks unless two are worked on at once
        assert set(products_threads()) == {1}
        return thing, in_threads(lambda part: part + thing, range(2))

    with threadpool_limits(2, user_api="blas"):
        found = in_threads(work, range(4))
        assert set(products_threads()) == {2}
    assert found == [(thing, [thing, thing + 1]) for thing in range(4)]
