"""CSP Explorer: what each neuron of an image classifier looks for, how sure that is, and who checked it.

    import csp

    run = csp.open("demo")                        # an OpenedRun
    run.layers                                    # ("layer3", "layer4")
    neuron = run.neuron("layer4", 17)             # an OpenedNeuron: in a notebook, its pictures and scores
    neuron.labels()                               # a DataFrame: label, score
    run.search("blue-white veil")

What is not loaded here loads when it is first used: `import csp` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from csp.api.make import import_arrays as import_arrays
    from csp.api.make import index as index
    from csp.api.neuron import OpenedNeuron as OpenedNeuron
    from csp.api.run import OpenedRun as OpenedRun
    from csp.api.run import open_run as open
    from csp.api.run import runs as runs
    from csp.errors import CspError as CspError

    __version__: str

_FRONT_DOOR = {
    "CspError": "csp.errors:CspError",
    "OpenedNeuron": "csp.api.neuron:OpenedNeuron",
    "OpenedRun": "csp.api.run:OpenedRun",
    "__version__": "csp.keeping.versions:csp_version",
    "import_arrays": "csp.api.make:import_arrays",
    "index": "csp.api.make:index",
    "open": "csp.api.run:open_run",
    "runs": "csp.api.run:runs",
}

__all__ = [  # noqa: PLE0604, RUF100
    "CspError",
    "OpenedNeuron",
    "OpenedRun",
    "__version__",
    "import_arrays",
    "index",
    "open",
    "runs",
]


def __getattr__(name: str) -> Any:
    if name not in _FRONT_DOOR:
        raise AttributeError(f"module 'csp' has no attribute {name!r}")
    module, _, attribute = _FRONT_DOOR[name].partition(":")
    found = getattr(import_module(module), attribute)
    return found() if name == "__version__" else found


def __dir__() -> list[str]:
    return sorted(__all__)
