"""Two servers behind one address: one home, one PostgreSQL; what is decided at one is seen at the other."""

import shutil
from pathlib import Path

import pytest

from csp.keeping.reviews.location import Location
from csp.keeping.reviews.store import Reviews
from tests.face.server import serving
from tests.face.visitor import visiting
from tests.postgres import PrivatePostgres, is_installed

SECRET = "a secret that only this test uses"  # of this test's own proxy
TEAM = 'sign_in = "proxy"\nhosts = ["csp.clinic.org"]\ndefault_role = "reviewer"\n'


def person(name: str) -> dict[str, str]:
    return {"X-Forwarded-Email": f"{name}@clinic.org", "X-CSP-Proxy-Secret": SECRET}


@pytest.mark.skipif(not is_installed(), reason="PostgreSQL is missing: scripts/fetch_postgres.sh installs it")
def test_what_is_decided_at_one_server_is_seen_at_the_other(
    built_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(built_run, tmp_path / "runs" / "tiny")
    (tmp_path / "team.toml").write_text(TEAM)
    with PrivatePostgres() as postgres:
        database = postgres.empty_database()
        monkeypatch.setenv("CSP_DATABASE_URL", database)
        monkeypatch.setenv("CSP_PROXY_SECRET", SECRET)
        with (
            serving(tmp_path) as one,
            serving(tmp_path) as other,
            visiting(one.address, person("ann")) as ann,
            visiting(other.address, person("bo")) as bo,
        ):
            page = ("neuron", "run=tiny&layer=late&neuron=1")
            assert "ann@clinic.org" not in str(bo.run(*page))
            ann.run(*page)
            ann.run(*page, press="none")
            assert "ann@clinic.org" in str(bo.run(*page))
            bo.run(*page, press="none")
        with Reviews(Location.of(database)) as record:
            assert [event.who.name for event in record.events()] == ["ann@clinic.org", "bo@clinic.org"]
            assert record.verify().ok
