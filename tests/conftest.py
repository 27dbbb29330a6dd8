"""What tests of every floor share: their own home, and a small run."""

import os

os.environ["HF_HUB_OFFLINE"] = "1"  # read when huggingface_hub is imported: no test may wait for a hub
os.environ.setdefault("OMP_NUM_THREADS", "1")  # a worker has a processor, and its models no more than that
os.environ["CSP_DEBUG"] = "1"  # an error that nobody foresaw fails a test, also in a process that it starts

import shutil
import sys
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path

import psutil
import pytest
from hypothesis import HealthCheck, settings

from csp.keeping.run_folder.run import Run
from csp.work.control.control import measure_control_when_made
from tests import patience
from tests.build import build_run

# How long examples take says nothing on a busy machine. CI tries the same examples each time.
# All checks to leave out stand here: `@settings(suppress_health_check=...)` would bring the others back.
LEFT_OUT = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
settings.register_profile("here", deadline=None, print_blob=True, suppress_health_check=LEFT_OUT)
settings.register_profile("ci", settings.get_profile("here"), derandomize=True, database=None)
settings.load_profile("ci" if "CI" in os.environ else "here")


def pytest_addoption(parser: pytest.Parser) -> None:
    """How many odd runs are drawn beside those of each kind (`tests/odd_runs.py`)."""
    parser.addoption("--odd-runs", type=int, default=0, help="draw so many odd runs for pages and commands")
    parser.addoption("--hostile", type=int, default=0, help="spoil so many runs for pages and commands")


@pytest.fixture(scope="session", autouse=True)
def nothing_left_behind() -> Iterator[None]:
    """No process of a test outlives the tests, nor the folder that AppTest removes with a warning."""
    yield
    if app_test := sys.modules.get("streamlit.testing.v1.app_test"):
        app_test.TMP_DIR.cleanup()
    begun = {
        child: command for child in psutil.Process().children(recursive=True) if (command := of_a_test(child))
    }
    left = psutil.wait_procs(begun, timeout=patience.SECONDS)[1]
    assert [begun[child] for child in left] == []


def of_a_test(child: psutil.Process) -> str:
    """The command of a process that a test started; empty for Python's own, which end with this one."""
    try:
        command = " ".join(child.cmdline())
    except psutil.Error:
        return ""
    return "" if "from multiprocessing." in command else command


@pytest.fixture(scope="session", autouse=True)
def shared_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """CSP_HOME of what is made once for all tests."""
    home = tmp_path_factory.mktemp("shared") / "home"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CSP_HOME", str(home))
        yield home


@pytest.fixture(scope="session", autouse=True)
def components_looked_for_once() -> Iterator[None]:
    """Each AppTest looks through all that is installed for Streamlit components: 0.3 s a page."""
    with pytest.MonkeyPatch.context() as patch:
        if "streamlit.testing.v1" in sys.modules:
            manifests = import_module("streamlit.components.v2.manifest_scanner")
            patch.setattr(manifests, "scan_component_manifests", cache(manifests.scan_component_manifests))
        yield


@pytest.fixture(autouse=True)
def own_home(
    tmp_path_factory: pytest.TempPathFactory, shared_home: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """CSP_HOME points into a folder of the test's own, where the runs made for all tests were made too."""
    home = tmp_path_factory.mktemp("own") / "home"
    monkeypatch.setenv("CSP_HOME", str(home))
    if (shared_home / "trusted").is_dir():
        shutil.copytree(shared_home / "trusted", home / "trusted")
    return home


@pytest.fixture(autouse=True)
def own_main(monkeypatch: pytest.MonkeyPatch) -> None:
    """AppTest leaves its page behind as `__main__`, which processes that a later test starts would run."""
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])


@pytest.fixture(scope="session")
def built_run(tmp_path_factory: pytest.TempPathFactory, shared_home: Path) -> Path:
    """The tiny run with its control, made once; not to be changed."""
    built = build_run(tmp_path_factory.mktemp("built") / "tiny")
    measure_control_when_made(Run.open(built))
    return built


@pytest.fixture
def tiny_run(built_run: Path, own_home: Path) -> Run:
    """A copy of the tiny run, found by the name `tiny`, free to be changed."""
    return Run.open(shutil.copytree(built_run, own_home / "runs" / "tiny"))
