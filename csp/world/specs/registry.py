"""Specs such as `torchvision:resnet18`: a scheme, which names an adapter, and what the adapter opens.

The schemes of each kind are declared beside their adapters (`csp/world/targets/__init__.py` and the like),
or by plug-ins; commands, forms and docs read them here. Also what the adapters share to say what went wrong.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from csp.errors import BadInputError, CspError, UnavailableError
from csp.files import is_folder, is_regular
from csp.plugins import Registry, load

# `python:MODULE:NAME` hands NAME to a module of the user's own, found on the Python path.
OWN = "python"


@dataclass(frozen=True)
class Scheme:
    """One way to name something to open: `name:REST`."""

    name: str
    opens: str
    """`module:function`, imported only when something is opened; it is called with what follows the colon."""
    examples: tuple[str, ...]
    """Whole specs, the most usual first."""
    what: str
    """One line: what is opened?"""
    path: str | None = None
    """What comes before a path of this machine within REST: `@`, or "" where all of REST may be one."""
    folders: bool = False
    """Whether all of REST may be a path, too: one with `/` in it, or that begins with `.` or `~`."""
    published: str | None = None
    """What REST looks like where it names something from the adapter's own list: no file, no hub."""

    def split_path(self, rest: str) -> tuple[str, str]:
        """What stands before a path of this machine in REST, and the path ("" when it holds none)."""
        if self.folders and is_path(rest.partition("@")[0]):
            return "", rest
        if self.path is None or self.path not in rest:
            return rest, ""
        if not self.path:
            return "", rest
        before, mark, path = rest.partition(self.path)
        return f"{before}{mark}", path

    def is_published(self, rest: str) -> bool:
        """Whether REST names something that is the same on every machine."""
        return self.published is not None and re.fullmatch(self.published, rest, re.ASCII) is not None


class Schemes(Registry[Scheme]):
    """The schemes of one kind of thing."""

    def __init__(self, what: str, group: str, package: str, function: str) -> None:
        """`package` declares `SCHEMES`; `function` is what a module of the user's own is asked for."""
        super().__init__(what, group, Scheme, lambda: load(f"{package}:SCHEMES"))
        self._function = function

    @property
    def examples(self) -> tuple[str, ...]:
        """The first example of each scheme."""
        return tuple(scheme.examples[0] for scheme in self.values())

    @property
    def placeholder(self) -> str:
        """All examples in one line, for an empty field."""
        return " · ".join(example for scheme in self.values() for example in scheme.examples)

    def find(self, spec: str) -> tuple[Scheme, str]:
        """The scheme of a spec and what follows the colon. Raises BadInputError that lists the schemes."""
        name, _, rest = spec.partition(":")
        if name == OWN:
            module, _, rest = rest.partition(":")
            return Scheme(OWN, f"{module}:{self._function}", (), "a Python module of your own"), rest
        if name not in self:
            known = ", ".join(f"{each}:" for each in (*self, OWN))
            left_out = "".join(f" {problem}" for problem in self.problems)
            raise BadInputError(
                f"The {self.what} '{spec}' starts with none of {known}"
                f"{self._as_path(spec) or nearest(name, self)}.{left_out}"
            )
        if not rest:
            raise BadInputError(f"The {self.what} '{spec}' names nothing after '{name}:'.")
        return self[name], rest

    def _as_path(self, spec: str) -> str:
        """How to name a path of this machine that was given as it is, as a hint to append; else nothing."""
        takes_path = [
            f"{scheme.name}:{spec}" for scheme in self.values() if scheme.path == "" or scheme.folders
        ]
        is_there = is_folder(spec) or is_regular(spec)
        return f"; for that path write {' or '.join(takes_path)}" if takes_path and is_there else ""

    def opener(self, spec: str) -> tuple[Callable[..., Any], str]:
        """The function that opens a spec, imported now, and what to call it with. Raises CspError."""
        scheme, rest = self.find(spec)
        package = self.packages.get(scheme.name)
        if package is None:
            return load(scheme.opens), rest
        try:
            return load(scheme.opens), rest
        except (CspError, ImportError, SyntaxError) as error:
            raise UnavailableError(
                f"The {self.what} '{spec}' can't be opened: the package {package} fails ({reason(error)})."
            ) from error


TARGETS = Schemes("target model", "csp.targets", "csp.world.targets", "open_target")
ENCODERS = Schemes("encoder", "csp.encoders", "csp.world.encoders", "open_encoder")
DATASETS = Schemes("dataset", "csp.datasets", "csp.world.datasets", "open_dataset")
VLMS = Schemes("VLM", "csp.vlms", "csp.world.vlms", "open_vlm")
GENERATORS = Schemes("image generator", "csp.generators", "csp.world.generators", "open_generator")
SAES = Schemes("SAE", "csp.saes", "csp.world.saes", "open_sae")
KINDS = (TARGETS, ENCODERS, DATASETS, VLMS, GENERATORS, SAES)


def is_path(name: str) -> bool:
    """Whether what may be a name or a path is written as a path."""
    return "/" in name or name.startswith((".", "~"))


def reason(error: BaseException) -> str:
    """Return the first sentence of a library's message, on one line, without its full stop."""
    text = " ".join(str(error).split()).split(". ")[0].rstrip(".")
    return text[:300] or type(error).__name__


def nearest(word: str, known: Iterable[str], count: int = 3) -> str:
    """Say which known names come nearest, as a hint to append: ` (nearest: a, b)`, or nothing."""
    matches = get_close_matches(word, list(known), n=count, cutoff=0.4)
    return f" (nearest: {', '.join(matches)})" if matches else ""
