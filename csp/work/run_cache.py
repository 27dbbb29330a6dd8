"""What was computed about a run, kept for the next time it is asked: the one way in for every question.

    def compute() -> list[float]: ...                    # JSON values without NaN

    found = explorer.cache.get_or_compute({"layer": layer, "neuron": neuron}, compute)
    found.value, answered(found)                         # the result, and its `Provenance`

The key holds the function that computes, the hash of the code that it stands in and imports
(`csp.keeping.code_hash`), the run, and what was asked. So a result lives until one of these changes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from csp.keeping.code_hash import code_hash
from csp.keeping.result_cache import CachedResult, ResultCache
from csp.keeping.run_folder.manifest import Source
from csp.keeping.run_folder.run import Run
from csp.keeping.versions import csp_version
from csp.work.provenance import computed_by


@dataclass(frozen=True)
class RunCache:
    """The kept results of questions about one run."""

    run: Run
    results: ResultCache

    def get_or_compute(
        self, asked: Mapping[str, Any], compute: Callable[[], Any], *, model: Source | None = None
    ) -> CachedResult:
        """The kept result of `compute` for this run, or a new one, then kept.

        `asked` are the JSON values that `compute` depends on beside the run. `model` of the run takes part:
        it is named in the result's provenance.
        """
        return self._kept({"run": self.run.fingerprint}, asked, compute, model)

    def get_or_compute_for_model(
        self, model: Source, asked: Mapping[str, Any], compute: Callable[[], Any]
    ) -> CachedResult:
        """The same for what depends on a model and on nothing else of the run: all its runs share it."""
        return self._kept({"model": model.hash}, asked, compute, model)

    def _kept(
        self,
        about: Mapping[str, str],
        asked: Mapping[str, Any],
        compute: Callable[[], Any],
        model: Source | None,
    ) -> CachedResult:
        question = f"{compute.__module__}.{compute.__qualname__}"
        key = {"question": question, "code": code_hash(compute.__module__), **about, "asked": dict(asked)}
        by = computed_by(csp_version(), *([model.name] if model else []))
        return self.results.get_or_compute(key, compute, by=by)
