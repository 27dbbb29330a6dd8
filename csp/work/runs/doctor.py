"""`csp doctor`: is everything here, and is it sound?"""

import os
import platform
from pathlib import Path
from typing import Any

import psutil

from csp.errors import CspError
from csp.keeping.faults import told
from csp.keeping.home import home, result_cache_folder
from csp.keeping.library.find import list_runs
from csp.keeping.result_cache import ResultCache
from csp.keeping.reviews.store import open_reviews
from csp.keeping.run_folder.manifest import read_manifest
from csp.keeping.versions import csp_version, installed_libraries
from csp.work.runs.soundness import soundness


def examine() -> dict[str, Any]:
    """Versions, device, cache and the integrity of every run, as one JSON document."""
    return {
        "versions": {"csp": csp_version(), "python": platform.python_version(), **installed_libraries()},
        "device": _device(),
        "home": str(home()),
        "cache": _cache(),
        "database": _examine_database(),
        "runs": [_examine_run(path) for path in list_runs()],
    }


def _device() -> dict[str, Any]:
    memory = psutil.virtual_memory()
    return {
        "system": platform.platform(),
        "processors": os.cpu_count(),
        "memory_gb": round(memory.total / 2**30, 1),
        "memory_free_gb": round(memory.available / 2**30, 1),
        "nvidia_driver": Path("/proc/driver/nvidia/version").exists(),
    }


def _cache() -> dict[str, Any]:
    folder = result_cache_folder()
    if not folder.exists():
        return {
            "path": str(folder),
            "bytes": 0,
            "limit_bytes": ResultCache(folder).limit_bytes,
            "notice": None,
        }
    with ResultCache(folder) as answers:
        used = answers.bytes_used()
        return {
            "path": str(folder),
            "bytes": used,
            "limit_bytes": answers.limit_bytes,
            "notice": answers.notice,
        }


def _examine_database() -> dict[str, Any]:
    """Where the review record is, how many events it has, and what is wrong with it."""
    try:
        with open_reviews() as reviews:
            found = reviews.verify()
            where = {"kind": reviews.location.kind, "where": str(reviews.location)}
            return where | {"events": found.events, "head": found.head, "problem": found.problem}
    except Exception as error:  # noqa: BLE001 # whatever a damaged record brings about is a finding
        return {"kind": None, "where": None, "events": None, "head": None, "problem": told(error)}


def _examine_run(path: Path) -> dict[str, Any]:
    found = soundness(path)
    return {
        "name": path.name,
        "path": str(path),
        "problems": list(found.problems),
        "notes": [*found.notes, *_made_with(path)],
    }


def _made_with(path: Path) -> tuple[str, ...]:
    """What was noted when the run was made."""
    try:
        return read_manifest(path).notes
    except CspError:
        return ()
