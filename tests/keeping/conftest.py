from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from csp.keeping.reviews.location import Location
from csp.keeping.reviews.store import Reviews
from tests.postgres import PrivatePostgres, is_installed


@pytest.fixture(scope="session")
def postgres() -> Iterator[PrivatePostgres]:
    """A PostgreSQL server that only these tests use."""
    if not is_installed():
        pytest.skip("PostgreSQL is missing: scripts/fetch_postgres.sh installs it (as root, on Debian)")
    with PrivatePostgres() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def location(request: pytest.FixtureRequest, tmp_path: Path) -> Location:
    """An empty database of either kind."""
    if request.param == "sqlite":
        return Location(path=tmp_path / "reviews.sqlite")
    return Location.of(request.getfixturevalue("postgres").empty_database())


@pytest.fixture
def open_record() -> Iterator[Callable[..., Reviews]]:
    """Opens records, and closes them after the test."""
    opened: list[Reviews] = []

    def open_record(location: Location, **options: Any) -> Reviews:
        opened.append(Reviews(location, **options))
        return opened[-1]

    yield open_record
    for record in opened:
        record.close()


@pytest.fixture
def reviews(location: Location, open_record: Callable[..., Reviews]) -> Reviews:
    """An empty record in a database of either kind."""
    return open_record(location)
