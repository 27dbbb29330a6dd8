"""What a model file says of itself beside its graph and weights, all of it optional.

`classes` (names), `input_size` (224 or `[224, 224]`), `mean` and `std` (three numbers, of pixels from 0 to
1), `columns` (what it takes beside the picture, see `csp.world.protocols.columns`).
"""

import json
import math
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from csp.errors import BadInputError
from csp.files import expanded, require_file

KEYS = ("classes", "input_size", "mean", "std", "columns")
Normalisation = tuple[tuple[float, ...], tuple[float, ...]]
"""Mean and deviation of each colour."""
IMAGENET: Normalisation = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Mean and deviation that most programs train with."""
DEFAULT_SIZE = 224
FILE = "csp.json"
"""Where archives say it: an entry of this name."""
MOST_BYTES = 1 << 22


@dataclass(frozen=True)
class Facts:
    """What the file `whose` says; `notes` grows by what it does not."""

    whose: str
    said: Mapping[str, Any]
    notes: list[str] = field(default_factory=list)

    def size(self) -> tuple[int, int]:
        """Height and width of the pictures; the usual one where the file does not say. BadInputError."""
        given = self.said.get("input_size")
        if given is None:
            self.notes.append(
                f"{self.whose} takes pictures of any size: they are made {DEFAULT_SIZE} pixels wide."
            )
            given = DEFAULT_SIZE
        pair = [given, given] if isinstance(given, int) else given
        if (
            not isinstance(pair, list)
            or len(pair) != 2
            or not all(isinstance(side, int) and 0 < side < 1 << 14 for side in pair)
        ):
            raise BadInputError(f"{self.whose} states an 'input_size' that is no size such as 224.")
        return pair[0], pair[1]

    def normalisation(
        self, usual: Normalisation = IMAGENET, why: str = "as for most ImageNet models"
    ) -> Normalisation:
        """Mean and deviation of the pixels; raises BadInputError for what is none."""
        if "mean" not in self.said or "std" not in self.said:
            self.notes.append(
                f"{self.whose} does not say how its pictures were normalised, so they are {why}; write mean "
                "and std into its metadata where that is not so."
            )
        return self._three("mean", usual[0]), self._three("std", usual[1])

    def names(self) -> list[str]:
        """Names of the classes; none where the file does not say."""
        named = self.said.get("classes")
        return [str(each) for each in named] if isinstance(named, list) else []

    def _three(self, key: str, usual: tuple[float, ...]) -> tuple[float, ...]:
        numbers = self.said.get(key, usual)
        if (
            not isinstance(numbers, list | tuple)
            or len(numbers) != 3
            or not all(isinstance(value, int | float) and math.isfinite(value) for value in numbers)
            or (key == "std" and not all(numbers))
        ):
            raise BadInputError(f"{self.whose} states a '{key}' that is not three numbers.")
        return tuple(float(value) for value in numbers)


def facts_in_zip(path: Path, whose: str) -> Facts:
    """What an archive says in its entry `csp.json`. Raises `BadInputError`."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = [one for one in archive.infolist() if one.filename.rpartition("/")[2] == FILE]
            if not entries:
                return Facts(whose, {})
            if entries[-1].file_size > MOST_BYTES:
                raise BadInputError(f"{whose} holds a {FILE} that is too large.")
            said = parsed(archive.read(entries[-1]).decode("utf-8", "replace"), FILE, whose)
    except (OSError, zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
        raise BadInputError(f"{whose} can't be read: it is no whole archive.") from error
    if not isinstance(said, dict):
        raise BadInputError(f"{whose} holds a {FILE} that is no object.")
    return Facts(whose, {key: said[key] for key in KEYS if key in said})


def parsed(text: str, key: str, whose: str) -> Any:
    """A text as JSON. Raises `BadInputError`."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadInputError(f"{whose} states '{key}', which is not JSON.") from error


def model_file(name: str, kind: str) -> Path:
    """The file of that name. Raises `NotFoundError`, or `BadInputError` for a folder or a device."""
    path = expanded(name)
    if path.is_dir():
        raise BadInputError(f"'{name}' is a folder: name the {kind} file in it.")
    require_file(path, f"The {kind} file '{name}'")
    return path
