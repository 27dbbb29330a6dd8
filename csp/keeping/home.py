"""Where runs and answers live, and how a run is found by name."""

import os
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
SHIPPED_RUNS = REPOSITORY / "assets" / "runs"


def home() -> Path:
    """The folder that holds runs and answers: `CSP_HOME`, or `cache/` of the repository."""
    given = os.environ.get("CSP_HOME")
    return Path(given).absolute() if given else REPOSITORY / "cache"


def runs_folder() -> Path:
    """Where `csp index` puts a run that is given by name."""
    return home() / "runs"


def result_cache_folder() -> Path:
    """Where computed answers are kept."""
    return home() / "answers"
