"""Prints what CHANGELOG.md says of a version: `python scripts/release_notes.py v0.2.0`.

Fails when the tag is not the version of the program, or the changelog has no section for it.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def notes(tag: str, version: str, changelog: str) -> str:
    """The section `## 0.2.0` (a date may follow), without its heading. ValueError says what is missing."""
    if tag != f"v{version}":
        raise ValueError(f"the tag is {tag}, but csp/keeping/versions.py says {version}: mend one of the two")
    _head, *sections = re.split(r"^## ", changelog, flags=re.MULTILINE)
    for section in sections:
        title, _, body = section.partition("\n")
        if title.split()[:1] == [version]:
            return body.strip() + "\n"
    raise ValueError(f"CHANGELOG.md has no section '## {version}': rename 'Unreleased' to it")


def version() -> str:
    """The version of the program, read and not imported: a release needs no installed library."""
    source = (ROOT / "csp" / "keeping" / "versions.py").read_text(encoding="utf-8")
    found = re.search(r'^VERSION = "(.+)"$', source, flags=re.MULTILINE)
    if found is None:
        raise ValueError("csp/keeping/versions.py has no line VERSION")
    return found[1]


if __name__ == "__main__":
    try:
        sys.stdout.write(notes(sys.argv[1], version(), (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")))
    except ValueError as error:
        sys.exit(str(error))
