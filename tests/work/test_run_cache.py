"""What is computed about a run is kept until the code, the run or the question changes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from csp.keeping.result_cache import ResultCache
from csp.keeping.run_folder.run import Run
from csp.work import run_cache
from csp.work.provenance import answered
from csp.work.run_cache import RunCache


@pytest.fixture
def cache(tiny_run: Run, tmp_path: Path) -> RunCache:
    return RunCache(tiny_run, ResultCache(tmp_path / "results"))


def one() -> int:
    return 1


def two() -> int:
    return 2


def source(cache: RunCache, asked: dict[str, Any], compute: Callable[[], Any] = one) -> str:
    return cache.get_or_compute(asked, compute).source


def test_kept_for_the_same_question_only(cache: RunCache) -> None:
    assert [source(cache, {"layer": "late"}) for _ in range(2)] == ["computed", "cached"]
    assert source(cache, {"layer": "early"}) == "computed"
    assert cache.get_or_compute({"layer": "late"}, two).value == 2, "another function is another question"


def test_new_code_is_asked_anew(cache: RunCache, monkeypatch: pytest.MonkeyPatch) -> None:
    source(cache, {})
    monkeypatch.setattr(run_cache, "code_hash", lambda module: f"another {module}")
    assert [source(cache, {}) for _ in range(2)] == ["computed", "cached"]


def test_runs_share_only_what_depends_on_a_model_alone(cache: RunCache, indexed: Run) -> None:
    other, encoder = RunCache(indexed, cache.results), cache.run.manifest.encoder
    source(cache, {})
    assert source(other, {}) == "computed"
    cache.get_or_compute_for_model(encoder, {"text": "ruler"}, one)
    assert other.get_or_compute_for_model(encoder, {"text": "ruler"}, one).source == "cached"
    elsewhere = other.get_or_compute_for_model(indexed.manifest.encoder, {"text": "ruler"}, one)
    assert elsewhere.source == "computed"


def test_the_model_that_took_part_is_named(cache: RunCache) -> None:
    encoder = cache.run.manifest.encoder
    found = cache.get_or_compute({}, one, model=encoder)
    assert answered(found).by.endswith(f", {encoder.name}")
    assert cache.get_or_compute({"k": 1}, one).by.startswith("CSP Explorer ")
