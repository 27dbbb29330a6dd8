"""A probe dataset from Hugging Face's `datasets`: Parquet or Arrow files in a folder, or of the hub.

The files are read by pyarrow, row by row; code that comes with a dataset is never run. Which columns hold the
pictures and the classes, and what the classes are called, is said in the files' own features.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow as pa

from csp.errors import BadInputError, NotFoundError, UnavailableError
from csp.extras import optional
from csp.files import expanded, is_folder, is_regular, read_regular, require_folder
from csp.world.datasets.csv_table import LABEL_NAMES, SPLIT_NAMES
from csp.world.datasets.image_folder import SPLITS
from csp.world.datasets.shards import files_of
from csp.world.datasets.values import Records
from csp.world.places.addresses import is_address
from csp.world.places.place import hidden
from csp.world.places.rows import RowFile, RowPlace
from csp.world.protocols.dataset import Dataset
from csp.world.specs.hub import hub_reason
from csp.world.specs.registry import reason

ENDINGS = (".parquet", ".arrow")
PATTERNS = ("*.parquet", "*.arrow", "*.json", "README.md")
CONVERTED = "refs/convert/parquet"
"""Where the hub keeps its own Parquet copy of a dataset that came otherwise."""
BATCH = 4096
SCALARS = (pa.types.is_boolean, pa.types.is_integer, pa.types.is_floating)
TEXTS = (pa.types.is_string, pa.types.is_large_string)


def open_dataset(name: str) -> Dataset:
    """Open `FOLDER`, `FILE`, `PATTERN` or `OWNER/NAME[@REVISION]`, each with `#SPLIT` for one split alone.

    Raises `NotFoundError` and `BadInputError` for what is on this machine, `UnavailableError` for the hub.
    """
    if is_address(name):
        raise BadInputError(f"hf: reads folders of this machine and datasets of the hub, not '{name}'.")
    place, _, split = name.partition("#")
    files = [file for file in _files(place, split) if not split or file.split == split]
    if not files:
        raise NotFoundError(f"The dataset '{place}' has no split '{split}'.")
    columns = _Columns.of(files, place)
    records = Records(LABEL_NAMES, SPLIT_NAMES)
    sources = {}
    for number, file in enumerate(files):
        part = f"{number:05d}" if len(files) > 1 else ""
        prefix = "-".join(each for each in (file.split, part) if each) or "rows"
        sources[prefix] = file
        for row, (label, said) in enumerate(columns.rows(file)):
            records.add(f"{prefix}/{row:07d}", label, said, file.split)
    left_out = (f"columns that are no single values were left out: {', '.join(columns.others)}",)
    notes = (*columns.notes, *(left_out if columns.others else ()), *records.notes())
    holder = RowPlace(sources, columns.image, place.rstrip("/").rpartition("/")[2])
    return Dataset(f"hf:{name}", Path(place), records.table(), notes, holder)


def _files(place: str, split: str) -> list[RowFile]:
    path = expanded(place)
    if is_folder(path):
        return _in_folder(path, place)
    if is_regular(path) or any(mark in place for mark in "*{["):
        return [
            RowFile(Path(file), _split(Path(file), "")) for file in files_of(place, "Parquet or Arrow file")
        ]
    if place.startswith(("/", ".", "~")) or place.partition("@")[0].count("/") > 1:
        require_folder(path, f"The dataset folder '{place}'")
    return _in_folder(_downloaded(place, split), place)


def _in_folder(folder: Path, shown: str) -> list[RowFile]:
    """All Parquet and Arrow files below a folder, in order, with their splits."""
    found = [file for ending in ENDINGS for file in folder.rglob(f"*{ending}")]
    kept = sorted(
        file
        for file in found
        if not hidden(file.relative_to(folder).as_posix()) and not file.name.startswith("cache-")
    )
    if not kept:
        raise BadInputError(f"The dataset '{shown}' has no Parquet or Arrow file: save_to_disk writes them.")
    return [RowFile(file, _split(file, file.parent.relative_to(folder).as_posix())) for file in kept]


def _split(file: Path, below: str) -> str:
    """The split of a file: as `save_to_disk` wrote beside it, else as it or a folder is called."""
    try:
        said = json.loads(read_regular(file.parent / "state.json")).get("_split")
        if isinstance(said, str):
            return said
    except (OSError, ValueError, AttributeError, RecursionError):
        pass
    start = file.stem.partition("-")[0]
    names = [*PurePosixPath(below).parts[::-1], start]
    return next(
        (name for name in names if name.lower() in SPLITS), "" if start == file.stem else _sharded(file)
    )


def _sharded(file: Path) -> str:
    """The split in `NAME-00000-of-00004`."""
    parts = file.stem.split("-")
    return "-".join(parts[:-3]) if len(parts) > 3 and parts[-2] == "of" and parts[-1].isdecimal() else ""


def _downloaded(name: str, split: str) -> Path:
    """The files of a dataset of the hub, from its cache where they are there."""
    repo, _, revision = name.partition("@")
    with optional():
        from huggingface_hub import snapshot_download
    wanted = [f"*{split}*{ending}" for ending in ENDINGS] + list(PATTERNS[2:]) if split else list(PATTERNS)
    try:
        folder = Path(
            snapshot_download(repo, repo_type="dataset", revision=revision or None, allow_patterns=wanted)
        )
        if not any(file for ending in ENDINGS for file in folder.rglob(f"*{ending}")) and not revision:
            folder = Path(
                snapshot_download(repo, repo_type="dataset", revision=CONVERTED, allow_patterns=wanted)
            )
    except Exception as error:  # noqa: BLE001 # whatever the hub's library or the net under it raises
        raise UnavailableError(
            f"The dataset '{name}' is no folder here and can't be had from the hub ({hub_reason(error)})."
        ) from None
    return folder


@dataclass(frozen=True)
class _Columns:
    """What the columns hold."""

    image: str
    label: str | None
    said: tuple[str, ...]
    others: tuple[str, ...]
    classes: dict[str, tuple[str, ...]]
    """By column the names that its numbers stand for."""
    notes: tuple[str, ...]

    @classmethod
    def of(cls, files: list[RowFile], shown: str) -> "_Columns":
        """Raises `BadInputError` for files that do not belong together, or hold no pictures."""
        schemas = {file.path: file.schema() for file in files}
        first = next(iter(schemas.values()))
        for path, schema in schemas.items():
            if schema.names != first.names:
                folders = sorted({file.path.parent.name for file in files})
                raise BadInputError(
                    f"The dataset '{shown}' holds several datasets with other columns each ({path.name} has "
                    f"{', '.join(schema.names[:6])}): name one of its folders ({', '.join(folders[:6])})."
                )
        if twice := next((name for name in first.names if first.names.count(name) > 1), None):
            raise BadInputError(
                f"The dataset '{shown}' has two columns called '{twice}': rename one of them, so that it is "
                "known which is meant."
            )
        features = _features(first)
        image, notes = _image_column(first, features, files, shown)
        classes = {
            name: tuple(map(str, said["names"]))
            for name, said in features.items()
            if isinstance(said, dict)
            and said.get("_type") == "ClassLabel"
            and isinstance(said.get("names"), list)
        }
        label = _label_column(first.names, classes)
        if label is not None and label != "label":
            notes = (*notes, f"the column '{label}' was taken for the labels")
        single = {field.name for field in first if any(kind(field.type) for kind in (*SCALARS, *TEXTS))}
        said = tuple(name for name in first.names if name in single and name not in (image, label))
        others = tuple(name for name in first.names if name not in (image, label, *said))
        return cls(image, label, said, others, classes, notes)

    def rows(self, file: RowFile) -> Iterator[tuple[str | None, dict[str, Any]]]:
        """Label and attributes of each row; pictures are not read."""
        wanted = [*self.said, *([self.label] if self.label else [])]
        if not wanted:
            yield from ((None, {}) for _ in range(file.ends[-1] if file.ends else 0))
            return
        for batch in file.batches(wanted, BATCH):
            columns = {name: self._named(name, _values(batch.column(name), name, file)) for name in wanted}
            for row in range(batch.num_rows):
                label = columns[self.label][row] if self.label else None
                yield None if label is None else str(label), {name: columns[name][row] for name in self.said}

    def _named(self, name: str, values: list[Any]) -> list[Any]:
        names = self.classes.get(name)
        if names is None:
            return values
        known = dict(enumerate(names))
        return [known.get(value) if isinstance(value, int) else value for value in values]


def _values(column: pa.Array, name: str, file: RowFile) -> list[Any]:
    try:
        return list(column.to_pylist())
    except ValueError as error:  # texts that are none, times beyond Python's
        raise BadInputError(
            f"The column '{name}' of '{file.path}' can't be read ({reason(error)})."
        ) from error


def _features(schema: pa.Schema) -> dict[str, Any]:
    """What `datasets` says of the columns."""
    try:
        said = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))
        features = said["info"]["features"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return {}
    return features if isinstance(features, dict) else {}


def _image_column(
    schema: pa.Schema, features: dict[str, Any], files: list[RowFile], shown: str
) -> tuple[str, tuple[str, ...]]:
    """The column of pictures: as the features say, else the first that holds files of pictures."""
    said = [name for name, one in features.items() if isinstance(one, dict) and one.get("_type") == "Image"]
    alike = [field.name for field in schema if _may_hold_files(field.type)]
    found = [name for name in said if name in schema.names] or [
        name for name in alike if any(file.holds_pictures(name) for file in files)
    ]
    if not found and not any(file.ends and file.ends[-1] for file in files):
        raise BadInputError(f"The dataset '{shown}' has no images: it has no rows.")
    if not found:
        raise BadInputError(
            f"The dataset '{shown}' has no column of pictures among {', '.join(schema.names[:8])}."
        )
    best = "image" if "image" in found else found[0]
    others = [name for name in found if name != best]
    return best, (
        f"of the columns of pictures, '{best}' was taken, not {', '.join(others)}",
    ) if others else ()


def _may_hold_files(kind: pa.DataType) -> bool:
    if pa.types.is_struct(kind):
        return "bytes" in {kind.field(place).name for place in range(kind.num_fields)}
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _label_column(names: list[str], classes: dict[str, tuple[str, ...]]) -> str | None:
    for known in LABEL_NAMES:
        if known in names:
            return known
    return next(iter(classes)) if classes else None
