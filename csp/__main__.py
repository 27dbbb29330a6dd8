"""`python -m csp` and the `csp` command."""

import sys

from csp.face.cli.app import run
from csp.world.places.bounded import leave


def main() -> None:
    """Run the command line and leave with its exit code."""
    leave(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
