"""Where runs and answers live."""

import os
from pathlib import Path

from csp.keeping.bundle import ASSETS, BUNDLE, INSTALLED

SHIPPED_RUNS = ASSETS / "runs"


def home() -> Path:
    """The folder that holds runs and answers.

    `CSP_HOME`, else `cache/` of the checkout, else (installed from a wheel) the user's own folder for data,
    as the system has it: `~/.local/share/csp-explorer` on Linux.
    """
    given = os.environ.get("CSP_HOME")
    if given:
        return Path(given).absolute()
    return _of_this_user() if INSTALLED else BUNDLE / "cache"


def runs_folder() -> Path:
    """Where `csp index` puts a run that is given by name."""
    return home() / "runs"


def result_cache_folder() -> Path:
    """Where computed answers are kept."""
    return home() / "answers"


def _of_this_user() -> Path:
    from platformdirs import user_data_path

    return user_data_path("csp-explorer", appauthor=False)
