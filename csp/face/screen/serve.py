"""Serves the app: `python -m csp.face.screen.serve APP [streamlit options]`.

What the first page needs is imported before the port opens, so that the first visitor does not wait for it.
"""

import sys

from streamlit.web.cli import main

import csp.face.screen.data  # noqa: F401

if __name__ == "__main__":
    main(["run", *sys.argv[1:]])
