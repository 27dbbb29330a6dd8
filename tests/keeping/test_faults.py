"""What people are told of an error, and what the log keeps of it."""

import errno
from pathlib import Path

import pytest

from csp.errors import BadInputError
from csp.keeping import faults
from csp.keeping.redaction import without_secrets


@pytest.fixture(autouse=True)
def as_users_have_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(faults.VARIABLE)


def test_an_unforeseen_error_has_a_number_under_which_the_log_has_the_rest(own_home: Path) -> None:
    said = [faults.told(KeyError("first")), faults.told(KeyError("second"))]
    numbers = [one.partition("number ")[2][:8] for one in said]
    assert numbers[0] != numbers[1] and all("\n" not in one for one in said)
    first, second = (own_home / "logs" / "errors.log").read_text().split(numbers[1])
    assert numbers[0] in first and "KeyError: 'first'" in first and "KeyError: 'second'" in second
    assert str(faults.log_path()) in said[0]


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (BadInputError("write 3"), "^write 3$"),
        (BadInputError("x" * 100_000), "^x{750}…x{750}$"),
        (MemoryError(), "not enough memory"),
        (OSError(errno.ENOSPC, "No space left on device", "out.csv"), "out.csv can't be used .*: make room"),
        (OSError(errno.ENAMETOOLONG, "File name too long", "x" * 300), "x…x+ can't be used .*255 bytes"),
        (UnicodeEncodeError("utf-8", "a\udcff", 1, 2, "surrogates not allowed"), "no text in UTF-8"),
    ],
)
def test_what_inputs_and_machines_bring_about_is_said_and_not_logged(
    error: Exception, sentence: str, own_home: Path
) -> None:
    with pytest.raises(AssertionError, match=sentence):
        raise AssertionError(faults.told(error))
    assert not (own_home / "logs").exists()


def test_debugging_shows_the_error_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(faults.VARIABLE, "1")
    with pytest.raises(KeyError, match="mine"):
        faults.told(KeyError("mine"))
    assert faults.told(BadInputError("write 3")) == "write 3"


def test_the_log_is_bounded(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faults, "MOST_BYTES", 5_000)
    for _ in range(100):
        faults.told(ValueError("long"))
    kept = list((own_home / "logs").iterdir())
    assert len(kept) == 2 and all(path.stat().st_size < 6_000 for path in kept)


def test_a_log_that_cannot_be_written_hides_no_error(own_home: Path) -> None:
    own_home.mkdir(exist_ok=True)
    (own_home / "logs").write_text("a file where the folder should be")
    assert "CSP_DEBUG=1 shows the details" in faults.told(KeyError("mine"))


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://ann:hunter2@host/reviews",
        "postgresql://ann:hunter2@x:y@host/reviews",
        "postgres:/ann:hunter2@host",
        "hunter2@host",
        "postgresql://host/reviews?password=hunter2",
        "postgresql://ann:hun%74er2@host/reviews",
    ],
)
def test_no_password_is_logged(address: str, own_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CSP_DATABASE_URL", address)
    faults.told(ValueError(f"can't connect to {address}: hunter2 is no port"))
    assert "hunter2" not in faults.log_path().read_text()
    assert "secret" not in without_secrets("at postgresql://ben:secret@there/x")
