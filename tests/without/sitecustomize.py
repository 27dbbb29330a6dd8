"""Python as if the libraries that WITHOUT names were not installed: for processes that find this folder."""

import importlib.machinery
import os

_hidden = set(os.environ["WITHOUT"].split(","))
_find = importlib.machinery.PathFinder.find_spec


@classmethod
def _find_spec(cls, name, path=None, target=None):  # noqa: ANN001, ANN202
    return None if name.partition(".")[0] in _hidden else _find(name, path, target)


importlib.machinery.PathFinder.find_spec = _find_spec
