"""Where the parts of the program lie that are not modules: app, pages, settings, assets.

A checkout has them beside the package. A wheel carries them inside it, in `csp/bundle/`, where
`scripts/bundle.py` puts them; they have the same names in both.
"""

from pathlib import Path

_PACKAGE = Path(__file__).parents[1]
_CARRIED = _PACKAGE / "bundle"

INSTALLED = _CARRIED.is_dir()
"""Whether the program runs from a wheel, whose folder belongs to pip and is not written to."""

BUNDLE = _CARRIED if INSTALLED else _PACKAGE.parent
"""The folder that holds `app.py`, `pages/`, `assets/` and `.streamlit/`."""

APP = BUNDLE / "app.py"
ASSETS = BUNDLE / "assets"
