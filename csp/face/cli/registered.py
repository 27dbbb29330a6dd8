"""Help that names what is registered: `$targets`, `$labelers`, `$metrics` and the like become lists.

They are filled in when help is shown, not when a command is read: registries import much, plug-ins too.
"""

from collections.abc import Callable, Iterable
from string import Template
from typing import Any

from typer.core import TyperCommand

from csp.world.specs.registry import DATASETS, ENCODERS, GENERATORS, SAES, TARGETS, VLMS


def _labelers() -> Iterable[str]:
    from csp.method.labelers.registry import LABELERS

    return LABELERS


def _metrics() -> Iterable[str]:
    from csp.work.metrics.registry import METRICS

    return METRICS


LISTS: dict[str, Callable[[], Iterable[str]]] = {
    "targets": lambda: TARGETS.examples,
    "saes": lambda: SAES.examples,
    "encoders": lambda: ENCODERS.examples,
    "datasets": lambda: DATASETS.examples,
    "vlms": lambda: VLMS.examples,
    "generators": lambda: GENERATORS.examples,
    "labelers": _labelers,
    "metrics": _metrics,
}
"""By the word after `$` in a help text, the names or examples that stand there."""


class RegisteredCommand(TyperCommand):
    """A command whose help may name lists."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help, with the lists as they are on this machine."""
        for one in self.params:
            if text := getattr(one, "help", None):
                one.help = filled(text)  # type: ignore[attr-defined]
        super().format_help(ctx, formatter)


def filled(text: str) -> str:
    """The text with its lists: `a, b or c`."""
    found = Template(text)
    asked = [name for name in found.get_identifiers() if name in LISTS]
    return found.safe_substitute({name: _either(LISTS[name]()) for name in asked})


def _either(names: Iterable[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} or {last}" if first else last
