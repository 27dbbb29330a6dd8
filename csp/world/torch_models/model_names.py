"""Short names of models for people, in which two models of one architecture are told apart."""

import re

from csp.files import expanded

_COMMON = re.compile(
    r"(best|last|final|latest|model|models|weights?|checkpoints?|ckpts?|pytorch|state|dict|net|epoch|step|val|acc|"
    r"loss|version|safetensors|pth|pt|tar|bin|output|outputs|out|v?\d+)*",
    re.I,
)
"""Words of which file names consist that say nothing."""


def file_name(path: str) -> str:
    """The name of a file of weights without its endings, with its folder's where it says nothing alone."""
    file = expanded(path).absolute()
    stem = re.sub(r"(\.(safetensors|index|json|pth|pt|ckpt|bin|tar|model))+$", "", file.name, flags=re.I)
    return f"{file.parent.name}/{stem}" if file.parent.name and _says_nothing(stem) else stem


def model_name(name: str) -> str:
    """The name of a model of the hub as it is, of a folder its last part, or two where that says nothing."""
    path = expanded(name)
    if not path.is_dir():
        return name
    parts = path.absolute().parts
    if "snapshots" in parts[:-1]:  # a folder of the hub's cache: models--OWNER--NAME/snapshots/HASH
        cached = parts[parts.index("snapshots") - 1]
        if cached.startswith("models--"):
            return cached.removeprefix("models--").replace("--", "/")
    return "/".join(parts[-2:]) if len(parts) > 2 and _says_nothing(parts[-1]) else parts[-1]


def _says_nothing(stem: str) -> bool:
    return bool(_COMMON.fullmatch(re.sub(r"[\W_]+", "", stem)))
