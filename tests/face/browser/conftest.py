import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.face.server import serving


@pytest.fixture(scope="session")
def address(built_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One app with the tiny run beside the demo, for all tests that look and record no verdict."""
    home = tmp_path_factory.mktemp("browser-home")
    shutil.copytree(built_run, home / "runs" / "tiny")
    with serving(home) as served:
        yield served.address
