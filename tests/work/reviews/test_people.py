"""Who is let in, as what: by the claims of a sign-in or the headers of a proxy."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from csp.errors import BadInputError
from csp.keeping.reviews.vocabulary import Role
from csp.work.reviews.desk import Person
from csp.work.reviews.people import NoAccessError, Team, read_team

SECRET = "s3cret-of-the-proxy"
PROXY = {"x-csp-proxy-secret": [SECRET], "x-forwarded-email": ["ann@clinic.org"]}


@pytest.fixture
def secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CSP_PROXY_SECRET", SECRET)


def write(home: Path, text: str) -> None:
    home.mkdir(exist_ok=True)
    (home / "team.toml").write_text(text)


def test_without_a_file_people_type_their_names(own_home: Path) -> None:
    assert read_team() == Team()
    assert read_team().sign_in == "name"


def test_roles_come_from_the_list_or_the_claim_and_the_highest_counts(own_home: Path) -> None:
    write(
        own_home,
        """
        sign_in = "oidc"
        role_claim = "roles"
        [people]
        "ann@clinic.org" = "admin"
        [groups]
        dermatologists = "reviewer"
        """,
    )
    team = read_team()

    def role(email: str, roles: Any = None) -> Role:
        return team.person_of_claims({"email": email, "roles": roles}).role

    assert role("Ann@Clinic.org") is Role.ADMIN
    assert role("bo@clinic.org") is Role.VIEWER
    assert role("bo@clinic.org", ["students", "dermatologists"]) is Role.REVIEWER
    assert role("bo@clinic.org", "admin") is Role.ADMIN
    assert role("ann@clinic.org", ["viewer"]) is Role.ADMIN
    assert team.person_of_claims({"email": "ann@clinic.org"}) == Person(
        name="ann@clinic.org", verified=True, role=Role.ADMIN
    )


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"sub": "17"}, "does not say your email"),
        ({"email": "ann@clinic.org", "email_verified": False}, "not verified yet"),
        ({"email": "eve@clinic.org"}, "eve@clinic.org is not on the list"),
    ],
)
def test_who_is_not_let_in_reads_why(claims: dict[str, Any], reason: str) -> None:
    team = Team(sign_in="oidc", default_role="none", people={"ann@clinic.org": Role.VIEWER})
    with pytest.raises(NoAccessError, match=reason):
        team.person_of_claims(claims)


@pytest.mark.usefixtures("secret")
def test_the_proxy_vouches_for_people_and_their_groups() -> None:
    team = Team.model_validate({"sign_in": "proxy", "proxy": {"roles_header": "X-Groups"}})
    person = team.person_of_headers(PROXY | {"x-groups": ["staff, reviewer"]})
    assert person == Person(name="ann@clinic.org", verified=True, role=Role.REVIEWER)


@pytest.mark.usefixtures("secret")
@pytest.mark.parametrize(
    "changed",
    [
        {"x-csp-proxy-secret": []},
        {"x-csp-proxy-secret": ["guess"]},
        {"x-csp-proxy-secret": [SECRET, SECRET]},
        {"x-csp-proxy-secret": ["ü"]},
        {"x-forwarded-email": []},
        {"x-forwarded-email": ["ann@clinic.org", "eve@clinic.org"]},
        {"x-forwarded-email": ["eve@clinic.org, ann@clinic.org"]},
    ],
)
def test_headers_that_a_visitor_could_have_sent_count_for_nothing(changed: dict[str, list[str]]) -> None:
    with pytest.raises(NoAccessError):
        Team(sign_in="proxy").person_of_headers(PROXY | changed)


@pytest.mark.usefixtures("secret")
@given(st.dictionaries(st.text(), st.lists(st.text())))
def test_no_headers_get_in_without_the_secret(headers: dict[str, list[str]]) -> None:
    team = Team(sign_in="proxy")
    with pytest.raises(NoAccessError):
        team.person_of_headers({name: values for name, values in headers.items() if values != [SECRET]})


def test_a_proxy_without_a_secret_is_refused(own_home: Path) -> None:
    write(own_home, 'sign_in = "proxy"')
    with pytest.raises(BadInputError, match="needs a secret of 16 characters in CSP_PROXY_SECRET"):
        read_team()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sign_in = ", "can't be read"),
        ('sign_in = "magic"', "sign_in: Input should be 'name', 'oidc' or 'proxy'"),
        ('[people]\n"ann@clinic.org" = "boss"', r"people\.ann@clinic\.org: Input should be"),
        ("open_to_all = true", "open_to_all: Extra inputs are not permitted"),
    ],
)
def test_wrong_settings_are_a_sentence_with_the_place(own_home: Path, text: str, message: str) -> None:
    write(own_home, text)
    with pytest.raises(BadInputError, match=rf"team\.toml.*{message}"):
        read_team()


def test_a_file_that_went_missing_opens_nothing(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CSP_TEAM", str(own_home / "gone.toml"))
    with pytest.raises(BadInputError, match=r"CSP_TEAM names .*gone\.toml, which does not exist"):
        read_team()


@pytest.mark.parametrize(
    "host", ["https://csp.clinic.org", "csp.clinic.org:443", "csp.clinic.org/app", "*", ""]
)
def test_a_host_is_a_bare_name(host: str) -> None:
    with pytest.raises(ValidationError, match="is no name of a host"):
        Team(hosts=[host])


def test_a_proxy_needs_the_name_that_people_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CSP_PROXY_SECRET", "x" * 16)
    assert "hosts" in (Team(sign_in="proxy").problem or "")
    assert Team(sign_in="proxy", hosts=["CSP.clinic.org"]).problem is None
