"""Puts what a checkout has beside the package inside it, in the wheel: called by hatchling (pyproject.toml).

An editable install takes the files where they are. `csp/keeping/bundle.py` finds them in both.
"""

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

BESIDE = ("app.py", "pages", "assets", ".streamlit/config.toml")


class Bundle(BuildHookInterface):  # type: ignore[type-arg]
    """Adds the files to the wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """`version` is `standard` or `editable`."""
        if version == "standard":
            build_data["force_include"] |= {name: f"csp/bundle/{name}" for name in BESIDE}
