"""With which code a run or an answer was made: the hash of a module and of all of csp that it imports."""

import ast
import hashlib
import re
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_ALL = ".*"
_NAMED = re.compile(r"(csp(?:\.\w+)+)(?::\w+)?")


@cache
def code_hash(module: str) -> str:
    """sha256 over the code of a module and of all modules of csp that it imports, directly or not.

    What is imported only when needed counts too: its name stands in a text. The text "csp.world.encoders"
    names a package, and so all its modules. Comments, docstrings and layout do not count.
    """
    return _INSTALLED.hash(module)


@dataclass(frozen=True)
class _Code:
    """One module: its syntax tree as text, and the names that may be modules it imports."""

    tree: str
    imports: frozenset[str]


class SourceTree:
    """The sources of csp under one folder; each file is read once."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._read: dict[str, _Code | None] = {}

    def hash(self, module: str) -> str:
        """`code_hash` of a module of this folder."""
        digest = hashlib.sha256()
        for name, code in sorted(self._closure(module).items()):
            digest.update(f"{name}\0{code.tree}\0".encode())
        return digest.hexdigest()

    def modules(self, module: str) -> list[str]:
        """The modules whose code the hash covers."""
        return [name for name in sorted(self._closure(module)) if not name.endswith(_ALL)]

    def _closure(self, module: str) -> dict[str, _Code]:
        found: dict[str, _Code] = {}
        asked, waiting = {module}, [module]
        while waiting:
            name = waiting.pop()
            if code := self._code(name):
                found[name] = code
                waiting += code.imports - asked
                asked |= code.imports
        return found

    def _code(self, name: str) -> _Code | None:
        if name not in self._read:
            package, path = name.removesuffix(_ALL), self._path(name)
            if package != name:
                self._read[name] = _Code("", self._modules(package))
            else:
                self._read[name] = None if path is None else _parsed(path)
        return self._read[name]

    def _modules(self, package: str) -> frozenset[str]:
        files = self._root.joinpath(*package.split(".")).glob("*.py")
        return frozenset(f"{package}.{file.stem}" for file in files if file.stem != "__init__")

    def _path(self, module: str) -> Path | None:
        """Where a module's source is; None for what is no module: a function, or code that has no file."""
        if not module.startswith("csp."):
            file = getattr(sys.modules.get(module), "__file__", None)
            return Path(file) if file and file.endswith(".py") else None
        place = self._root.joinpath(*module.split("."))
        candidates = (place.with_suffix(".py"), place / "__init__.py")
        return next((path for path in candidates if path.is_file()), None)


_TRIES = 20
_INSTALLED = SourceTree(Path(__file__).parents[2])


def _tree(source: bytes) -> ast.Module:
    """The syntax of a module, asked for again where another thread disturbed it.

    Pythons before 3.11.9 and 3.12.3 count the depth of trees for all threads together, and raise SystemError
    when two of them parse at once (python/cpython#106905).
    """
    for _ in range(_TRIES):
        with suppress(SystemError):
            return ast.parse(source)
    return ast.parse(source)


def _parsed(path: Path) -> _Code:
    tree = _tree(path.read_bytes())
    names: set[str] = set()
    for node in ast.walk(tree):
        names.update(_names(node))
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [statement for statement in node.body if not _is_docstring(statement)]
    imports = frozenset(name for name in names if name.startswith("csp."))
    return _Code(ast.dump(tree, annotate_fields=False), imports)


def _names(node: ast.AST) -> Iterator[str]:
    """What a node imports, or names as a module in a text."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module:
        yield node.module
        yield from (f"{node.module}.{alias.name}" for alias in node.names)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        named = _NAMED.fullmatch(node.value)
        yield from (named[1], named[1] + _ALL) if named else ()


def _is_docstring(statement: ast.stmt) -> bool:
    value = statement.value if isinstance(statement, ast.Expr) else None
    return isinstance(value, ast.Constant) and isinstance(value.value, str)
