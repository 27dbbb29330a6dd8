"""The one place where code is found by its name: what the program declares, and what packages add to it.

A registry holds the things of one kind that people choose by name. First come the program's own, each
declared in a module of its own; then those of installed packages, each an entry point of the registry's
group that names one such object:

    [project.entry-points."csp.labelers"]
    strongest = "csp_toy.strongest:LABELER"

A plug-in that can't be used is left out and told of in one sentence that names its package; it stops nothing
else. `examples/plugin/` is such a package.
"""

import importlib
import logging
import pkgutil
from collections.abc import Callable, Iterable, Iterator, MutableMapping
from contextlib import contextmanager
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from threading import RLock
from typing import Any, Protocol, TypeVar

from csp.errors import BadInputError, CspError, NotFoundError, UnavailableError
from csp.extras import optional

OURS = "CSP Explorer"


class Named(Protocol):
    """What can be chosen by its name."""

    @property
    def name(self) -> str:
        """As people type it."""


T = TypeVar("T", bound=Named)


class Registry(MutableMapping[str, T]):
    """The things of one kind by name, in order: ours, then those of plug-ins. Filled when first looked at,
    so that a plug-in may import any part of the program."""

    def __init__(self, what: str, group: str | None, kind: type[T], own: Callable[[], Iterable[T]]) -> None:
        """What one is called, the group of entry points, the class of all, and those of the program."""
        self.what, self.group = what, group
        self._kind, self._own = kind, own
        self._found: dict[str, T] = {}
        self._packages: dict[str, str] = {}
        self._problems: list[str] = []
        self._filled, self._filling = False, RLock()

    @property
    def problems(self) -> tuple[str, ...]:
        """Why plug-ins of this kind were left out, a sentence each."""
        self._all()
        return tuple(self._problems)

    @property
    def packages(self) -> dict[str, str]:
        """By name the package that brought it, of those that plug-ins brought."""
        self._all()
        return dict(self._packages)

    def __getitem__(self, name: str) -> T:
        return self._all()[name]

    def __setitem__(self, name: str, one: T) -> None:
        self._all()[name] = one

    def __delitem__(self, name: str) -> None:
        del self._all()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())

    def _all(self) -> dict[str, T]:
        with self._filling:
            if not self._filled:
                self._filled = True  # before: a plug-in that looks in here meanwhile finds ours
                self._found = {one.name: one for one in self._own()}
                for entry in installed(self.group) if self.group else ():
                    self._add(entry)
        return self._found

    def _add(self, entry: EntryPoint) -> None:
        package = package_of(entry)
        try:
            one = entry.load()
        except (Exception, SystemExit) as error:  # noqa: BLE001 (a stranger's code may raise anything)
            self._leave_out(entry, f"it can't be loaded ({type(error).__name__}: {_first_line(error)})")
            return
        if not isinstance(one, self._kind):
            self._leave_out(entry, f"{entry.value} is no {self._kind.__module__}.{self._kind.__name__}")
        elif why := self.refusal(one):
            self._leave_out(entry, why)
        else:
            self._found[one.name] = one
            self._packages[one.name] = package

    def refusal(self, one: T) -> str | None:
        """Why one can't be taken beside those there are; None when it can."""
        if one.name not in self._found:
            return None
        other = self._packages.get(one.name)
        whose = f"the package {other}" if other else OURS
        return f"{whose} has a {self.what} called '{one.name}' already"

    @contextmanager
    def blaming(self, name: str) -> Iterator[None]:
        """What goes wrong while a plug-in works is said in one sentence that names its package.

        Raises UnavailableError then; faults of the program itself stay as they are.
        """
        try:
            yield
        except Exception as error:
            package = self.packages.get(name)
            if package is None or isinstance(error, CspError):
                raise
            raise UnavailableError(
                f"The {self.what} '{name}' of the package {package} fails "
                f"({type(error).__name__}: {_first_line(error)}): mend the package or uninstall it."
            ) from error

    def _leave_out(self, entry: EntryPoint, why: str) -> None:
        sentence = (
            f"The {self.what} '{entry.name}' of the package {package_of(entry)} is left out: {why}; mend the "
            "package or uninstall it."
        )
        self._problems.append(sentence)
        logging.getLogger("csp").warning(sentence)


def declared(package: str, constant: str) -> list[Any]:
    """The values of a constant in those modules of a package that have it; by their `place`, if they have."""
    folder = importlib.import_module(package)
    names = [f"{package}.{module.name}" for module in pkgutil.iter_modules(folder.__path__)]
    values = [getattr(importlib.import_module(name), constant, None) for name in names]
    return sorted((one for one in values if one is not None), key=lambda one: getattr(one, "place", 0))


def load(reference: str) -> Any:
    """What `module:name` names, imported now.

    Raises NotFoundError, BadInputError, and UnavailableError where an optional library is not installed.
    """
    module, _, name = reference.partition(":")
    try:
        with optional():
            found = importlib.import_module(module)
    except ModuleNotFoundError as error:
        # A missing module inside the module is a fault of its own, and must be seen as such.
        if error.name is None or not f"{module}.".startswith(f"{error.name}."):
            raise
        raise NotFoundError(f"There is no Python module '{module}' on the Python path.") from None
    if not hasattr(found, name):
        raise BadInputError(f"The Python module '{module}' has no function '{name}'.")
    return getattr(found, name)


def reference_to(function: Callable[..., Any]) -> str:
    """The `module:name` that `load` finds a function of a module by."""
    return f"{function.__module__}:{function.__name__}"


@cache
def installed(group: str) -> list[EntryPoint]:
    """The entry points of a group in all packages on the Python path, by package and name."""
    return sorted(entry_points(group=group), key=lambda entry: (package_of(entry), entry.name))


def package_of(entry: EntryPoint) -> str:
    """The name of the package that an entry point belongs to."""
    return entry.dist.name if entry.dist else entry.module


def _first_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200].rstrip(".") or "it says nothing more"
