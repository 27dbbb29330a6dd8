"""Where the review record is: whatever is wrong with its address, no password is shown."""

import traceback

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from csp.errors import BadInputError, CspError
from csp.keeping.reviews.location import Location
from csp.keeping.reviews.store import Reviews

SECRET = "hunter2"
ODD = st.sampled_from(
    [*"@/#?:%[]& aä\\'\"", "%00", "%FF", "\x07", "\udcff"]
)  # the last: bytes that are no text
PASSWORDS = st.lists(ODD, max_size=3).flatmap(
    lambda odd: st.sampled_from(
        [SECRET + "".join(odd), "".join(odd) + SECRET, f"a{''.join(odd)}{SECRET}{''.join(odd)}b"]
    )
)
ADDRESSES = st.sampled_from(
    [
        "postgresql://ann:{}@127.0.0.1:9/reviews",
        "postgresql+psycopg://ann:{}@127.0.0.1:9/reviews",
        "postgres://:{}@127.0.0.1:9/reviews",
        "postgresql://ann:{}@127.0.0.1:99999/reviews",
        "postgresql://ann:{}@127.0.0.1:port/reviews",
        "postgresql://ann:{}@[::1/reviews",
        "postgresql://127.0.0.1:9/reviews?password={}",
        "postgresql://127.0.0.1:9/reviews?{}=1",
        "postgresql://ann:{}@",
        "postgresql:ann:{}@127.0.0.1/reviews",
        "postgresq://ann:{}@127.0.0.1/reviews",
        "mysql://ann:{}@127.0.0.1/reviews",
        "ann:{}@127.0.0.1",
        "{}@127.0.0.1",
        "{}",
    ]
)


@settings(max_examples=40)
@given(ADDRESSES, PASSWORDS)
def test_no_password_shows(address: str, password: str) -> None:
    given_address = address.format(password)
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("CSP_DATABASE_URL", given_address)
        try:
            location = Location.configured()
            shown = f"{location} {location!r}"
            with Reviews(location, patience=0.01) as reviews:
                reviews.events()
        except CspError as error:
            shown = "".join(traceback.format_exception(error))
            assert "\n" not in str(error)
        assert SECRET not in shown


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("postgresql://me:p#a/ss@db.example:5433/reviews", "PostgreSQL on db.example, database reviews"),
        ("postgresql://me@[::1]/reviews?sslmode=require", "PostgreSQL on [::1], database reviews"),
        ("postgresql:///reviews?host=/run/postgresql", "PostgreSQL on this machine, database reviews"),
    ],
)
def test_addresses_that_can_be_read(address: str, shown: str) -> None:
    assert str(Location.of(address)) == shown


@pytest.mark.parametrize("odd", ["\udcff", "\x07", "%00", "%0A"])
def test_an_address_that_is_no_text_is_refused(odd: str) -> None:
    for address in (
        f"postgresql://me:{SECRET}@127.0.0.1:9/{odd}",
        f"postgresql://me:{odd}{SECRET}@127.0.0.1:9/x",
    ):
        with pytest.raises(BadInputError, match="can't be read as an address"):
            Location.of(address)
