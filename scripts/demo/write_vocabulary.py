"""Writes assets/vocabularies/dermoscopy.txt and dermoscopy.terms.csv from csp/world/dermoscopy/terms.py.

Usage: python -m scripts.demo.write_vocabulary
"""

from __future__ import annotations

from csp.keeping.atomic import write_bytes
from csp.keeping.bundle import ASSETS
from csp.world.dermoscopy.terms import vocabulary_csv, vocabulary_text

FOLDER = ASSETS / "vocabularies"


def main() -> None:
    """Write both files."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    write_bytes(FOLDER / "dermoscopy.txt", vocabulary_text().encode())
    write_bytes(FOLDER / "dermoscopy.terms.csv", vocabulary_csv().encode())


if __name__ == "__main__":
    main()
