"""Runs on a server: opened by address, fetched as needed, never mixed, there without the server."""

import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from csp.errors import BadInputError, BadRunError, NotFoundError, UnavailableError
from csp.keeping.library.find import find_run, list_runs, named_run
from csp.keeping.library.trash import forget_run
from csp.keeping.run_folder import arrays
from csp.keeping.run_folder.added_tables import AddedTable, Additions
from csp.keeping.run_folder.integrity import file_records
from csp.keeping.run_folder.manifest import MANIFEST_NAME, read_manifest, write_manifest
from csp.keeping.run_folder.mirror import mirrors_folder
from csp.keeping.run_folder.run import Run
from csp.keeping.run_folder.trust import trust_of
from csp.world.places import remote
from tests.keeping.served import Served, serving_run
from tests.keeping.store import serving_store


@pytest.fixture
def served(built_run: Path, tmp_path: Path) -> Iterator[Served]:
    """The tiny run on a web server."""
    with serving_run(built_run, tmp_path / "web") as served:
        yield served


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "PAUSE", 0.01)


def test_a_run_at_an_address_reads_like_one_here_and_later_without_the_server(
    served: Served, built_run: Path
) -> None:
    here, there = Run.open(built_run), Run.open(find_run(served.address))
    assert served.asked == ["/skin/manifest.json"], "opening fetches no more"
    layer = there.layers[-1]
    assert np.array_equal(there.activations(layer, 1), here.activations(layer, 1))
    assert not any("thumbnails" in path or "embeddings" in path for path in served.asked)
    assert there.thumbnail(2, "small") == here.thumbnail(2, "small")
    assert there.check() == []
    assert trust_of(there.path, there.manifest) == trust_of(built_run, here.manifest)
    assert there.mirror is not None
    there.mirror.bring(there.manifest.files)
    served.refuses = True
    again = Run.open(find_run(served.address + "/"))
    assert again.path == there.path == named_run("skin")
    assert again.check() == []
    assert np.array_equal(again.embeddings, here.embeddings)


def record_anew(folder: Path) -> None:
    """Make the manifest fit the files again."""
    before, found = read_manifest(folder), file_records(folder)
    files = {name: record for name, record in found.items() if not name.startswith("additions")}
    write_manifest(folder, before.model_copy(update={"files": files}))


def test_a_shard_is_fetched_when_one_of_its_neurons_is_asked_for(
    served: Served, built_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrays, "_SHARD_BYTES", 1)
    whole = Run.open(built_run).layer_activations("early").T
    arrays.write_by_neuron(
        served.folder / "skin", "activations-0", whole.shape, lambda first, last: whole[first:last]
    )
    record_anew(served.folder / "skin")
    run = Run.open(find_run(served.address))
    run.activations(run.layers[0], 2)
    shards = [path for path in served.asked if "/activations-0/c/" in path]
    assert shards == ["/skin/arrays.zarr/activations-0/c/2/0"]
    np.testing.assert_array_equal(run.layer_activations(run.layers[0]).T, whole)


def test_a_run_that_is_changed_while_it_is_open_is_not_mixed(served: Served, built_run: Path) -> None:
    first = Run.open(find_run(served.address))
    images = first.images
    arrays.write_array(served.folder / "skin", arrays.EMBEDDINGS, Run.open(built_run).embeddings[::-1])
    record_anew(served.folder / "skin")
    with pytest.raises(BadRunError, match=r"skin was changed while it was open: open its address again"):
        _ = first.embeddings
    second = Run.open(find_run(served.address))
    assert second.fingerprint != first.fingerprint and second.path != first.path
    assert second.embeddings.shape == (second.manifest.images, second.manifest.dimension)
    assert Run.open(first.path).images.equals(images), "what was fetched of the first stays"
    assert [run for run in list_runs() if run.name == "skin"] == [second.path]


def test_what_is_damaged_at_the_server_is_not_kept(served: Served) -> None:
    run = Run.open(find_run(served.address))
    for damage in (lambda data: data[:-1] + bytes([data[-1] ^ 1]), lambda data: data + b"x"):
        file = next((served.folder / "skin/arrays.zarr/embeddings").glob("c/0/*"))
        whole = file.read_bytes()
        file.write_bytes(damage(whole))
        with pytest.raises(BadRunError, match="not the file that its run lists: copy the run to the server"):
            _ = run.embeddings
        file.write_bytes(whole)
    assert not list(run.path.rglob("*.tmp-*"))
    assert len(run.embeddings) == run.manifest.images, "the next try goes on"


def test_refusals_and_what_is_no_run(served: Served, tiny_run: Run) -> None:
    run = Run.open(find_run(served.address))
    served.refuses = True
    with pytest.raises(UnavailableError, match="The server refuses http://"):
        _ = run.embeddings
    with pytest.raises(UnavailableError, match="The server refuses"):
        find_run(served.address.replace("skin", "tiny"))
    served.refuses = False
    with pytest.raises(NotFoundError, match="there is no run at http://"):
        find_run(served.address + "/nothing")
    with pytest.raises(BadInputError, match="holds a password"):
        find_run("https://me:secret@127.0.0.1/skin")
    with pytest.raises(BadInputError, match="can't be the address of a run"):
        find_run("s3://bucket")
    (served.folder / "bad").mkdir()
    (served.folder / "bad/manifest.json").write_text("{}")
    with pytest.raises(BadRunError, match="names no schema_version"):
        find_run(served.address.replace("skin", "bad"))
    shutil.copytree(served.folder / "skin", served.folder / "tiny")
    assert find_run(served.address.replace("skin", "tiny")).name.startswith("tiny-"), "tiny is taken here"


DAMAGES: tuple[Callable[[bytes], bytes], ...] = (
    lambda data: data[:-9] + bytes([data[-9] ^ 1]) + data[-8:],
    lambda data: data[:-1],
    lambda data: data + b"x",
)


def test_what_is_damaged_here_is_fetched_again(served: Served, built_run: Path) -> None:
    here, there = Run.open(built_run), Run.open(find_run(served.address))
    reads: dict[str, Callable[[Run], object]] = {
        "images.parquet": lambda run: run.images.to_dict(),
        "arrays.zarr/embeddings/c": lambda run: run.embeddings.tolist(),
        f"arrays.zarr/{arrays.activations_array(1)}/c": lambda run: run.activations(
            run.layers[1], 1
        ).tolist(),
        "thumbnails": lambda run: run.thumbnail(run.thumbnail_count - 1, "large"),
    }
    assert [read(there) for read in reads.values()] == [read(here) for read in reads.values()]
    for part, read in reads.items():
        whole = read(here)
        for name, damage in product(
            (name for name in there.manifest.files if name.startswith(part)), DAMAGES
        ):
            file = there.path / name
            file.write_bytes(damage(file.read_bytes()))
            assert read(Run.open(there.path)) == whole, name
    file.unlink()
    assert read(Run.open(there.path)) == whole
    file.write_bytes(DAMAGES[0](file.read_bytes()))
    assert there.check() == [
        f"{name} was changed after the run was made; it is fetched again when it is next needed"
    ]
    served.refuses = True
    with pytest.raises(UnavailableError, match=r"was damaged and can't be fetched again: The server refuses"):
        read(Run.open(there.path))


def test_a_mirror_goes_when_it_is_forgotten_but_not_while_it_is_open(served: Served) -> None:
    first = Run.open(find_run(served.address))
    table = AddedTable("notes", {"neuron": pa.int64()}, ("neuron",))
    Additions(first).append(table, pd.DataFrame({"neuron": [1]}))
    with pytest.raises(UnavailableError, match="the run skin is open, in the app or in a command: close it"):
        forget_run("skin")
    assert first.embeddings.shape[0] == first.manifest.images
    address, path = mirrors_folder(), first.path
    del first
    (path.parent / ".open" / "killed").mkdir()  # of a process that is no more
    (path.parent / ".open" / "killed" / "lock").touch()
    forget_run("skin")
    assert not list(address.iterdir()) and "skin" not in {run.name for run in list_runs()}
    again = Run.open(find_run(served.address))
    assert Additions(again).read(table)["neuron"].tolist() == [1], (
        "what was worked out is no part of a mirror"
    )
    with pytest.raises(BadInputError, match="the run demo does not lie on a server"):
        forget_run("demo")


def test_the_mirror_of_a_run_that_was_changed_goes_once_nobody_has_it_open(
    served: Served, built_run: Path
) -> None:
    first, old = Run.open(find_run(served.address)), None
    for turned in (True, False):
        embeddings = Run.open(built_run).embeddings
        arrays.write_array(
            served.folder / "skin", arrays.EMBEDDINGS, embeddings[::-1] if turned else embeddings
        )
        record_anew(served.folder / "skin")
        find_run(served.address)
        assert first.path.is_dir(), "it is open"
    old = first.path
    del first
    find_run(served.address)
    assert [path.name for path in old.parents[1].glob("[!.]*/skin")] == ["skin"]


def test_a_run_in_a_bucket_with_what_was_added_to_it(
    built_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when a shard of it is damaged there, and when it is changed while it is open."""
    address, shard = "s3://lab/runs/skin", "arrays.zarr/embeddings/c/0/0"
    with serving_store(monkeypatch) as store:
        for name in file_records(built_run) | {MANIFEST_NAME: None}:
            remote.send(built_run / name, f"{address}/{name}")
        here, there = Run.open(built_run), Run.open(find_run(address))
        assert Additions(there).state() == Additions(here).state() != ()
        assert there.neurons(there.layers[0]).equals(here.neurons(here.layers[0]))
        with pytest.raises(NotFoundError, match="there is no run at s3://nobucket/skin"):
            find_run("s3://nobucket/skin")
        sound = (built_run / shard).read_bytes()
        remote.send(sound[:-1] + bytes([sound[-1] ^ 1]), f"{address}/{shard}")
        with pytest.raises(BadRunError, match="not the file that its run lists: copy the run to the server"):
            _ = there.embeddings
        assert not (there.path / shard).exists()
        write_manifest(tmp_path, read_manifest(built_run).model_copy(update={"notes": ("another",)}))
        remote.send(tmp_path / MANIFEST_NAME, f"{address}/{MANIFEST_NAME}")
        with pytest.raises(BadRunError, match=r"skin was changed while it was open: open its address again"):
            _ = there.embeddings
        store.stumbles = Counter()  # a busy server, and connections that break off
        remote.send(sound, f"{address}/{shard}")
        again = Run.open(find_run(address))
        assert again.path != there.path and again.manifest.notes == ("another",)
        assert np.array_equal(again.embeddings, here.embeddings)
