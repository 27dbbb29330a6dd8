"""Where things are kept follows the environment."""

from pathlib import Path

import pytest

from csp.keeping import home


def test_home_follows_the_environment_at_call_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CSP_HOME", str(tmp_path / "a"))
    assert home.runs_folder() == tmp_path / "a" / "runs"
    monkeypatch.setenv("CSP_HOME", str(tmp_path / "b"))
    assert home.result_cache_folder() == tmp_path / "b" / "answers"
    monkeypatch.delenv("CSP_HOME")
    assert home.home() == Path(__file__).parents[2] / "cache"
