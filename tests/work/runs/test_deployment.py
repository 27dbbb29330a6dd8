"""What a server needs of its place: a folder to write, and a sign-in when others can come in."""

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

from csp.work.runs.deployment import examine_deployment

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("address", "local"),
    [
        *((one, True) for one in ("127.0.0.1", "127.0.0.7", "::1", "localhost")),
        *((one, False) for one in ("0.0.0.0", "::", "192.0.2.1", "csp.clinic.org")),
    ],
)
def test_whom_others_reach_asks_for_a_sign_in(
    address: str, local: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CSP_HOME", str(tmp_path))
    monkeypatch.setenv("CSP_ADDRESS", address)
    open_to_all = "nobody is asked to sign in"
    assert any(open_to_all in note for note in examine_deployment(asks_sign_in=False)["notes"]) != local
    assert not any(open_to_all in note for note in examine_deployment(asks_sign_in=True)["notes"])


def test_a_home_that_can_not_be_written_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("CSP_HOME", str(tmp_path / "file" / "home"))
    (problem,) = examine_deployment(asks_sign_in=True)["problems"]
    assert "can't be written" in problem


def variables_of_the_table() -> set[str]:
    guide = (ROOT / "docs" / "deploy.md").read_text("utf-8")
    return set(re.findall(r"^\| `(CSP_[A-Z_]+)`", guide, re.MULTILINE))


def test_every_variable_stands_in_the_table_of_deploying() -> None:
    code = [*(ROOT / "csp").rglob("*.py"), ROOT / "app.py", *(ROOT / "pages").glob("*.py")]
    used = {name for path in code for name in re.findall(r"\bCSP_[A-Z_]+[A-Z]\b", path.read_text("utf-8"))}
    assert used == variables_of_the_table()


def test_the_compose_file_fits_the_image_and_the_table() -> None:
    """The one folder that the image writes is kept, all else is read-only, and its port is let out."""
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))
    app, db = compose["services"]["app"], compose["services"]["db"]
    image = (ROOT / "Dockerfile").read_text("utf-8")
    (home,) = re.findall(r"^VOLUME (\S+)$", image, re.MULTILINE)
    (port,) = re.findall(r"^EXPOSE (\d+)$", image, re.MULTILINE)
    (user,) = re.findall(r"^USER (\S+)$", image, re.MULTILINE)
    assert user != "root"
    assert app["environment"].keys() <= variables_of_the_table()
    assert app["read_only"]
    assert [volume.split(":")[1] for volume in app["volumes"]] == [home]
    assert [mapped.split(":")[-1] for mapped in app["ports"]] == [port]
    assert app["depends_on"]["db"]["condition"] == "service_healthy"
    assert db["healthcheck"]["test"]
    asked = urlsplit(re.sub(r"\$\{.*?\}", "secret", app["environment"]["CSP_DATABASE_URL"]))
    account = db["environment"]
    assert (asked.username, asked.password, asked.hostname) == (account["POSTGRES_USER"], "secret", "db")
    assert "CSP_DB_PASSWORD" in account["POSTGRES_PASSWORD"]
    mounted = {volume.split(":")[0] for one in (app, db) for volume in one["volumes"]}
    assert mounted == compose["volumes"].keys()
