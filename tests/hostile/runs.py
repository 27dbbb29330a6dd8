"""Hostile run folders: a good tiny run with one thing made false, as somebody would who means harm.

`CHANGES` are all kinds; each makes one false run out of a copy and a source of chance. After those of the
parts the manifest is written anew, with hashes that fit: nothing tells them but what they hold.
"""

import json
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from csp.keeping.run_folder.integrity import file_records
from csp.keeping.run_folder.manifest import MANIFEST_NAME

Change = Callable[[Path, random.Random], None]
EVIL = "![b](http://evil.example/x.png) :material/home: www.evil.example \x1b[31m <script>"
SHOWN = ("label", "text", "path", "skin_tone", "reason", "prediction")
STRANGE: tuple[Any, ...] = (
    *(None, True, -1, 0, 2**31, 2**63, 10**400, 1e308, float("nan"), float("inf"), "", "x" * 100_000, EVIL),
    *(
        "\ud800",
        "\0",
        "../../etc",
        "/etc/passwd",
        "python:this:x",
        [],
        {},
        [[]],
        [None],
        {"a": {}},
        ["x", "x"],
    ),
)
DEEP = "[" * 100_000 + "]" * 100_000


def seal(run: Path) -> None:
    """Write lengths and hashes that fit into the manifest."""
    manifest = json.loads((run / MANIFEST_NAME).read_text())
    manifest["files"] = {name: record.model_dump() for name, record in file_records(run).items()}
    (run / MANIFEST_NAME).write_text(json.dumps(manifest))


def fields(document: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where all values of a JSON document are; of the files only the first few."""
    found = [path] if path else []
    if isinstance(document, dict | list):
        items = document.items() if isinstance(document, dict) else enumerate(document)
        for name, value in list(items)[:12]:
            found += fields(value, (*path, name))
    return found


def change_json(file: Path, chance: random.Random) -> None:
    """One field of a JSON file becomes something strange, or goes, or one too many comes."""
    document = json.loads(file.read_text())
    *way, last = chance.choice(fields(document))
    inner = document
    for name in way:
        inner = inner[name]
    what = chance.randrange(10)
    if what == 0:
        del inner[last]
    elif what == 1 and isinstance(inner, dict):
        inner["unheard-of"] = chance.choice(STRANGE)
    else:
        inner[last] = chance.choice(STRANGE)
    file.write_text(json.dumps(document))


def manifest_field(run: Path, chance: random.Random) -> None:
    change_json(run / MANIFEST_NAME, chance)


def manifest_is_no_json(run: Path, chance: random.Random) -> None:
    texts = (DEEP, "", "[]", "null", "{", '{"schema_version": 1e999}', '{"schema_version": true}', "\ufeff{}")
    (run / MANIFEST_NAME).write_text(chance.choice(texts))


def manifest_is_no_file(run: Path, chance: random.Random) -> None:
    (run / MANIFEST_NAME).unlink()
    if chance.random() < 0.5:
        (run / MANIFEST_NAME).mkdir()
    else:
        os.mkfifo(run / MANIFEST_NAME)


def array_description(run: Path, chance: random.Random) -> None:
    change_json(chance.choice(sorted(run.glob("arrays.zarr/*/zarr.json"))), chance)
    seal(run)


def array_is_huge(run: Path, chance: random.Random) -> None:
    file = chance.choice(sorted(run.glob("arrays.zarr/*/zarr.json")))
    document = json.loads(file.read_text())
    document["shape"] = [chance.choice((10**6, 10**9, 2**62)) for _ in document["shape"]]
    file.write_text(json.dumps(document))
    seal(run)


def all_is_huge(run: Path, chance: random.Random) -> None:
    """The manifest agrees."""
    many = chance.choice((10**6, 10**9, 2**39))
    for file in sorted(run.glob("arrays.zarr/*/zarr.json")):
        document = json.loads(file.read_text())
        document["shape"] = [many if length == 40 else length for length in document["shape"]]
        file.write_text(json.dumps(document))
    manifest = json.loads((run / MANIFEST_NAME).read_text()) | {"images": many}
    (run / MANIFEST_NAME).write_text(json.dumps(manifest))
    seal(run)


def parts(run: Path) -> list[Path]:
    """All files but the manifest."""
    return sorted(path for path in run.rglob("*") if path.is_file() and path.name != MANIFEST_NAME)


def bytes_of_a_file(run: Path, chance: random.Random) -> None:
    """Cut, emptied, overwritten in places or altogether."""
    file = chance.choice(parts(run))
    content = bytearray(file.read_bytes())
    what = chance.randrange(4)
    if what == 0:
        content = content[: chance.randrange(len(content) + 1)]
    elif what == 1:
        content = bytearray(chance.randbytes(len(content)))
    else:
        for _ in range(8):
            if content:
                content[chance.randrange(len(content))] = chance.randrange(256)
    file.write_bytes(content)
    if chance.random() < 0.8:
        seal(run)


def file_is_a_link_or_pipe(run: Path, chance: random.Random) -> None:
    file = chance.choice(parts(run))
    file.unlink()
    what = chance.randrange(4)
    if what == 0:
        file.symlink_to("/etc/passwd")
    elif what == 1:
        file.symlink_to("/dev/zero")
    elif what == 2:
        os.mkfifo(file)


def table_column(run: Path, chance: random.Random) -> None:
    """A column goes, changes its type, or gets strange values."""
    file = chance.choice(sorted(run.rglob("*.parquet")))
    table = pq.read_table(file)
    place = chance.randrange(table.num_columns)
    name, count = table.column_names[place], table.num_rows
    values: tuple[Any, ...] = (
        *(None, "", EVIL, "x" * 10_000, 2**62, -1, -(2**62), 1.5, float("nan"), True, b"\xff", [1], [2**40]),
        *([], [None], [EVIL], [float("nan")], {"a": 1}),
    )
    wanted = table.schema.field(place).type
    columns: list[Any] = [pa.array([value] * count) for value in values]
    for value in values:
        try:
            columns.append(pa.array([value] * count, type=wanted))
        except (pa.ArrowException, TypeError, OverflowError, ValueError):
            continue
    what = chance.randrange(8)
    if what == 0:
        table = table.remove_column(place)
    elif what == 1:
        table = table.append_column(name, table.column(place))
    else:
        table = table.set_column(place, name, chance.choice(columns))
    pq.write_table(table, file)
    seal(run)


def table_rows(run: Path, chance: random.Random) -> None:
    """Rows twice, none, few, or in another order."""
    file = chance.choice(sorted(run.rglob("*.parquet")))
    table = pq.read_table(file)
    rows = chance.choice(
        (
            [],
            list(range(table.num_rows))[::-1],
            [0] * min(1, table.num_rows),
            [*range(table.num_rows), *range(table.num_rows)],
        )
    )
    pq.write_table(table.take(pa.array(rows, type=pa.int64())), file)
    seal(run)


def pictures(run: Path, chance: random.Random) -> None:
    """Offsets and pictures that are none."""
    count = chance.choice((0, 1, 2, 81, 82, 10_001))
    sort = chance.choice(("int64", "int32", "float64", "O"))
    values = np.zeros(count) if sort == "O" else np.arange(count, dtype=sort)
    np.save(run / "thumbnails.npy", values.astype(object) if sort == "O" else values, allow_pickle=True)
    (run / "thumbnails.bin").write_bytes(b"\0" * max(0, count - 1))
    seal(run)


def texts(run: Path, chance: random.Random) -> None:
    """All that is shown is markup."""
    for file in run.rglob("*.parquet"):
        table = pq.read_table(file)
        for place, field in enumerate(table.schema):
            if field.type in (pa.string(), pa.large_string()) and field.name in SHOWN:
                table = table.set_column(place, field.name, pa.array([EVIL] * table.num_rows))
        pq.write_table(table, file)
    manifest = json.loads((run / MANIFEST_NAME).read_text())
    for source in ("target", "dataset", "encoder"):
        manifest[source] |= {"spec": f"hf:`{EVIL}`", "name": EVIL}
    manifest |= {
        "notes": [EVIL],
        "classes": [f"{EVIL} 1", f"{EVIL} 2"],
        "csp_version": EVIL,
        "libraries": {EVIL: EVIL},
    }
    manifest["layers"][0] |= {"layer": EVIL, "type": EVIL}
    (run / MANIFEST_NAME).write_text(json.dumps(manifest))
    seal(run)


CHANGES: tuple[Change, ...] = (
    manifest_field,
    manifest_is_no_json,
    manifest_is_no_file,
    array_description,
    array_is_huge,
    all_is_huge,
    bytes_of_a_file,
    file_is_a_link_or_pipe,
    table_column,
    table_rows,
    pictures,
    texts,
)
