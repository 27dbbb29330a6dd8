"""The last few values stay, the others go; threads may share them."""

from concurrent.futures import ThreadPoolExecutor

from csp.keeping.lru import LruCache


def test_the_ones_used_last_stay() -> None:
    made: list[str] = []
    recent: LruCache[str, str] = LruCache(2)

    def ask(key: str) -> str:
        def make() -> str:
            made.append(key)
            return key.upper()

        return recent.get(key, make)

    assert [ask(key) for key in "abacab"] == list("ABACAB")
    assert made == ["a", "b", "c", "b"], "a was used again before c came, so b went"


def test_threads_share_it_within_its_bound() -> None:
    recent: LruCache[int, int] = LruCache(3)
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda place: recent.get(place % 7, lambda: place % 7), range(2_000)))
    assert found == [place % 7 for place in range(2_000)]
    again = [recent.get(key, lambda: -1) for key in range(7)]
    assert again.count(-1) >= 4, "at most three were kept"
