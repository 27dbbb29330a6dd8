"""What is installed: the lists of libraries agree, and a wheel holds the whole program."""

import ast
import json
import os
import re
import subprocess
import sys
import sysconfig
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import csp
from scripts.release_notes import notes
from scripts.release_notes import version as release_version
from tests import patience
from tests.face.server import wait_until_up
from tests.ports import free_port

ROOT = Path(__file__).parents[1]
WITH_ANOTHER = {"authlib", "pydantic_core", "starlette"}
"""Libraries that streamlit[auth], pydantic and streamlit bring, in the version that fits them."""

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def merged(lines: list[str]) -> dict[str, tuple[set[str], str]]:
    """By library: its extras and versions, as all lines together ask for them; this program left out."""
    asked: dict[str, tuple[set[str], str]] = {}
    for wanted in map(Requirement, lines):
        if wanted.name != PROJECT["name"]:
            extras, versions = asked.get(wanted.name, (set(), ""))
            asked[wanted.name] = (extras | wanted.extras, max(versions, str(wanted.specifier)))
    return asked


def test_requirements_are_what_the_program_and_its_extras_ask_for() -> None:
    written = [line for line in (ROOT / "requirements.txt").read_text().splitlines() if line[0] != "#"]
    extras = [line for lines in PROJECT["optional-dependencies"].values() for line in lines]
    assert merged(written) == merged(PROJECT["dependencies"] + extras)
    assert len(written) == len(merged(written)), "a library is listed twice"


def test_every_library_that_is_imported_is_asked_for() -> None:
    extras = [line for lines in PROJECT["optional-dependencies"].values() for line in lines]
    asked = set(map(canonicalize_name, merged(PROJECT["dependencies"] + extras)))
    brought_by = packages_distributions()
    trees = [ast.parse(path.read_text()) for path in (ROOT / "csp").rglob("*.py")]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {str(node.module) for node in nodes if isinstance(node, ast.ImportFrom)}
    libraries = {name.partition(".")[0] for name in names} - sys.stdlib_module_names - {"csp"} - WITH_ANOTHER
    missing = {one for one in libraries if not asked & set(map(canonicalize_name, brought_by.get(one, [])))}
    assert not missing, f"imported, but not asked for in pyproject.toml: {missing}"


def test_every_extra_is_in_all() -> None:
    extras = PROJECT["optional-dependencies"]
    (everything,) = map(Requirement, extras["all"])
    assert everything.extras == extras.keys() - {"all"}


def test_browsing_asks_for_nothing_heavy() -> None:
    assert not merged(PROJECT["dependencies"]).keys() & {
        "torch",
        "torchvision",
        "open_clip_torch",
        "transformers",
        "diffusers",
        "psycopg",
        "umap-learn",
    }
    assert merged(PROJECT["dependencies"])["streamlit"][0] == set()


PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
OFFLINE = ["--no-deps", "--no-index"]


def environment(place: Path) -> Path:
    """The scripts of a fresh environment without this program; the libraries are those of the tests."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", place], check=True)
    scripts = place / ("Scripts" if os.name == "nt" else "bin")
    # Adds a folder to import from, without the .pth files that lie in it: no checkout is found through them.
    libraries = sysconfig.get_path("purelib")
    (Path(packages(scripts)) / "libraries.pth").write_text(f"{libraries}\n")
    return scripts


def packages(scripts: Path) -> str:
    """Where an environment keeps what is installed."""
    return printed(scripts / "python", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip()


def printed(*command: str | Path) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scripts of an environment with the wheel in it."""
    place = tmp_path_factory.mktemp("wheel")
    wheels = str(place / "wheels")
    subprocess.run(
        [*PIP, "wheel", *OFFLINE, "--no-build-isolation", "--wheel-dir", wheels, str(ROOT)], check=True
    )
    (wheel,) = map(str, (place / "wheels").iterdir())
    scripts = environment(place / "venv")
    subprocess.run([*PIP, "--python", str(scripts / "python"), "install", *OFFLINE, wheel], check=True)
    return scripts


@pytest.fixture
def elsewhere(installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder to work in, of somebody who set nothing up."""
    for name in [name for name in os.environ if name.startswith(("CSP_", "XDG_", "PYTHON"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "person"))
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    yield tmp_path / "empty"
    assert not list((tmp_path / "empty").iterdir()), "the program wrote where it was called"


@pytest.mark.slow
def test_an_installed_program_lists_the_demo_and_keeps_its_own_with_the_person(
    installed: Path, elsewhere: Path
) -> None:
    listed = [run["name"] for run in json.loads(printed(installed / "csp", "runs", "--json"))]
    assert listed == ["demo", "demo-saes"]
    report = json.loads(printed(installed / "csp", "doctor", "--json"))
    assert report["ok"], report
    assert Path(report["home"]).is_relative_to(elsewhere.parent / "person")
    assert report["versions"]["csp"] == csp.__version__


@pytest.mark.slow
def test_an_installed_program_opens_the_demo(installed: Path, elsewhere: Path) -> None:
    port = free_port()
    app = subprocess.Popen([installed / "csp", "demo", "--no-browser", "--port", str(port)])
    try:
        wait_until_up(f"http://127.0.0.1:{port}/_stcore/health", app)
        wait_until_up(f"http://127.0.0.1:{port}/neuron?run=demo", app)
    finally:
        app.terminate()
        app.wait(patience.SECONDS)
    pages = f"""
from streamlit.testing.v1 import AppTest
from csp.keeping.bundle import APP
app = AppTest.from_file(APP, default_timeout={patience.SECONDS}).run()
app.switch_page("pages/neuron.py").run()
assert not app.exception, app.exception
print([link.proto.label for link in app.get("page_link")])
"""
    links = printed(installed / "python", "-c", pages)
    assert re.findall(r"Neurons|Search|Review|Runs", links) == ["Neurons", "Search", "Review", "Runs"]


@pytest.mark.slow
def test_a_checkout_is_installed_in_place(tmp_path: Path) -> None:
    scripts = environment(tmp_path / "venv")
    python = str(scripts / "python")
    install = ["install", *OFFLINE, "--no-build-isolation", "--editable", str(ROOT)]
    subprocess.run([*PIP, "--python", python, *install], check=True, cwd=tmp_path)
    ask = "from csp.keeping.bundle import BUNDLE, INSTALLED; print(INSTALLED, BUNDLE)"
    done = subprocess.run([python, "-c", ask], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout.strip() == f"False {ROOT}"
    assert not (Path(packages(scripts)) / "csp").exists()


@pytest.mark.slow
def test_the_version_stands_in_one_place(installed: Path, elsewhere: Path) -> None:
    ask = "import csp, importlib.metadata as m; print(csp.__version__, m.version('csp-explorer'))"
    assert printed(installed / "python", "-c", ask).split() == [csp.__version__, csp.__version__]
    assert re.fullmatch(r"\d+\.\d+\.\d+", csp.__version__)


def test_a_release_says_what_the_changelog_says_of_it() -> None:
    changelog = (
        "# Changelog\n\n## Unreleased\n\n## 0.2.0 (2027-01-01)\n\n### Added\n\n- A.\n\n## 0.1.0\n\n- B.\n"
    )
    assert notes("v0.2.0", "0.2.0", changelog) == "### Added\n\n- A.\n"
    with pytest.raises(ValueError, match=r"the tag is v0\.3\.0, but .* says 0\.2\.0"):
        notes("v0.3.0", "0.2.0", changelog)
    with pytest.raises(ValueError, match=r"no section '## 0\.3\.0'"):
        notes("v0.3.0", "0.3.0", changelog)


def test_all_say_the_same_version() -> None:
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert csp.__version__ == release_version() == cited["version"]


def test_ci_does_what_a_clone_can_do() -> None:
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())
    assert [step["run"] for step in workflow["jobs"]["run"]["steps"] if "run" in step] == [".ci/run"]
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
