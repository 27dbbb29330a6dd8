"""Reading a run: cheap to open, lazy, cached, safe to share between threads. Never needs a model."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from stat import S_ISREG
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float32, Int64, Num
from pandas.api.types import is_bool_dtype

from csp.errors import BadRunError, NotFoundError
from csp.files import link_out, special_file
from csp.keeping.lru import LruCache
from csp.keeping.run_folder import arrays, contents, tables
from csp.keeping.run_folder.integrity import check_run, record_file
from csp.keeping.run_folder.manifest import (
    MANIFEST_NAME,
    FileRecord,
    LayerRecord,
    Manifest,
    read_manifest,
)
from csp.keeping.run_folder.mirror import Hold, Mirror, mirror_in
from csp.keeping.run_folder.thumbnails import OFFSETS_NAME, PACK_NAME, SUMS_NAME, Size, ThumbnailPack
from csp.keeping.run_folder.trust import trust_of
from csp.method.examples.neighbours import Neighbours
from csp.method.examples.select import Examples

BLOCK_BYTES = 32 << 20
"""So much of a layer's activations is read at a time."""
FaultOf = Callable[[pd.DataFrame], str | None]
State = tuple[int, int, int]
"""What tells whether a file changed: its inode, length and time."""
RECENT_NEURONS = 32
"""So many neurons' activations stay in memory: a page asks for the same ones several times."""


@dataclass(frozen=True, eq=False)
class Run:
    """A finished run. Reading raises BadRunError when a file is missing or damaged.

    Arrays are read-only and shared; tables are copies that cost nothing until written to.
    """

    path: Path
    manifest: Manifest
    mirror: Mirror | None = None
    """Of a run on a server: what brings the files that are not here yet."""
    _hold: Hold | None = field(default=None, repr=False)
    """Keeps the mirror from being deleted while this lives."""
    _kept: dict[str, Any] = field(default_factory=dict, init=False, repr=False)
    _sound: dict[str, "State | None"] = field(default_factory=dict, init=False, repr=False)
    """The files whose content was found as recorded, each with what tells whether it changed since."""
    _recent: LruCache[tuple[str, int], np.ndarray] = field(
        default_factory=lambda: LruCache(RECENT_NEURONS), init=False, repr=False
    )

    @classmethod
    def open(cls, path: Path) -> "Run":
        """Open the run folder `path`.

        BadRunError when it is not a run, made by a newer version, or a stranger with a link that leads out
        of its folder (through one it would show files of this machine as its own), or with a pipe or device.
        """
        mirror = mirror_in(path)
        hold = mirror.hold() if mirror is not None else None
        before = _state(path / MANIFEST_NAME)
        manifest = read_manifest(path)
        if trust_of(path, manifest) is None:
            _expect_plain_files(path)
        run = cls(path.absolute(), manifest, mirror, hold)
        run._sound[MANIFEST_NAME] = before
        return run

    @property
    def name(self) -> str:
        """The name of the folder, by which commands and links find the run."""
        return self.path.name

    @cached_property
    def fingerprint(self) -> str:
        """sha256 that is the same for runs with the same numbers."""
        return self.manifest.fingerprint

    @property
    def layers(self) -> tuple[str, ...]:
        """The names of the layers."""
        return tuple(record.layer for record in self.manifest.layers)

    @property
    def opening_layer(self) -> str:
        """The layer to open first: the last, nearest to the decision; where there are SAEs, the first of the
        last layer that has one."""
        saes = {one.layer: one.sae.layer for one in self.manifest.layers if one.sae is not None}
        return next((name for name, of in saes.items() if of == [*saes.values()][-1]), self.layers[-1])

    def layer(self, layer: str) -> LayerRecord:
        """What the manifest says of a layer; NotFoundError names those that exist."""
        return self.manifest.layers[self._layer_index(layer)]

    def outlying(self, layer: str) -> Bool[np.ndarray, " n"]:
        """Images on which the whole layer gives way (`examples.outlying`): examples and labels go without."""
        found = np.zeros(self.manifest.images, dtype=bool)
        found[list(self.layer(layer).outlying)] = True
        return found

    def outlying_note(self, layer: str) -> str:
        """The same in words; empty where there are none."""
        images = self.layer(layer).outlying
        if not images:
            return ""
        shown = ", ".join(map(str, images[:3])) + (", ..." if len(images) > 3 else "")
        return (
            f"On {len(images)} of {self.manifest.images:,} images ({shown}) many neurons of {layer} fire "
            "more than ten times as strongly as on others. Examples and labels leave these images out"
        )

    def activations(self, layer: str, neuron: int) -> Float32[np.ndarray, " n"]:
        """The activation of one neuron on every image: reads one chunk, and keeps the last few."""
        neurons = self.layer(layer).neurons
        if not 0 <= neuron < neurons:
            raise NotFoundError(f"layer {layer!r} has no neuron {neuron}: it has {neurons}, counted from 0")
        name = arrays.activations_array(self._layer_index(layer))
        self._verify_rows(name, neuron)
        return self._recent.get((name, neuron), lambda: self._read(name, neuron))

    def columns(self, layer: str, neurons: Sequence[int]) -> Float32[np.ndarray, "n m"]:
        """The same of several neurons, in their order."""
        if not len(neurons):
            return np.empty((self.manifest.images, 0), np.float32)
        return np.stack([self.activations(layer, neuron) for neuron in neurons]).T

    def layer_activations(self, layer: str) -> Float32[np.ndarray, "n c"]:
        """All activations of a layer, read anew each time (n x c x 4 bytes); see `each_neuron`."""
        return self._read(arrays.activations_array(self._layer_index(layer))).T

    def of_images(self, layer: str, images: Int64[np.ndarray, " m"]) -> Float32[np.ndarray, "m c"]:
        """The activations of some images, out of a pass over the layer."""
        return self.each_neuron(layer, lambda block: block[images].T).T

    def each_neuron(
        self, layer: str, told: Callable[..., np.ndarray], *given: np.ndarray
    ) -> Num[np.ndarray, "c *_"]:
        """What `told` says of all neurons, asked block by block, so that no whole layer is held.

        It gets activations `[n, b]` and that part of each array `given` (neuron by neuron, [c, ...]), and
        gives an array `[b, ...]`.
        """
        found: np.ndarray | None = None
        for rows, block in self.neuron_blocks(layer):
            part = told(block, *(array[rows] for array in given))
            if found is None:
                found = np.empty((self.layer(layer).neurons, *part.shape[1:]), part.dtype)
            found[rows] = part
        assert found is not None, "a layer has neurons"
        return found

    def places(self, layer: str, neuron: int) -> Float32[np.ndarray, "n 2"] | None:
        """Where one neuron fires most in every picture: x and y, shares of its width and height.

        None for a layer of which that was not kept.
        """
        self.activations(layer, neuron)  # NotFoundError for a neuron that does not exist
        name = arrays.places_array(self._layer_index(layer))
        if self.layer(layer).grid is None or not self.has(f"{arrays.GROUP}/{name}"):
            return None
        return arrays.unpacked_places(self._read(name, neuron))

    def activation_blocks(self, layer: str) -> Iterator[Float32[np.ndarray, "n b"]]:
        """The activations of some neurons at a time (`BLOCK_BYTES`), in order."""
        return (block for _, block in self.neuron_blocks(layer))

    def neuron_blocks(self, layer: str) -> Iterator[tuple[slice, Float32[np.ndarray, "n b"]]]:
        """The same, each with which neurons they are."""
        name, record = arrays.activations_array(self._layer_index(layer)), self.layer(layer)
        size = max(1, BLOCK_BYTES // (4 * max(1, self.manifest.images)))
        for first in range(0, record.neurons, size):
            rows = slice(first, min(first + size, record.neurons))
            yield rows, self._read(name, rows).T

    def decoder(self, layer: str) -> Float32[np.ndarray, "c d"] | None:
        """What each latent of an SAE adds to the layer that it reads, for 1 of it; None where not kept."""
        return self._read_if_there(arrays.decoder_array(self._layer_index(layer)))

    @cached_property
    def embeddings(self) -> Float32[np.ndarray, "n d"]:
        """The unit image embeddings."""
        return self._read(arrays.EMBEDDINGS)

    @cached_property
    def probabilities(self) -> Float32[np.ndarray, "n classes"] | None:
        """The target model's class probabilities, if it has classes."""
        return self._read_if_there(arrays.PROBABILITIES)

    @cached_property
    def text_embeddings(self) -> Float32[np.ndarray, "t d"] | None:
        """The embeddings of the vocabulary's texts, if the run has a vocabulary."""
        return self._read_if_there(arrays.TEXT_EMBEDDINGS)

    @cached_property
    def neighbours(self) -> Neighbours | None:
        """Each image's nearest neighbours, if stored."""
        if not self.has(f"{arrays.GROUP}/{arrays.NEIGHBOUR_SIMILARITY}"):
            return None
        index, similarity = (self._read(name) for name in arrays.NEIGHBOURS)
        if index.shape != similarity.shape:
            raise self._unfit(arrays.NEIGHBOUR_SIMILARITY, f"its shape is {similarity.shape}")
        return Neighbours(index=index, similarity=similarity)

    @property
    def images(self) -> pd.DataFrame:
        """One row per image, in the order of the arrays: `tables.IMAGES`, then the dataset's own columns."""
        return self._table("images", tables.IMAGES, lambda frame: contents.images_fault(frame, self.manifest))

    @cached_property
    def attributes(self) -> tuple[str, ...]:
        """The columns of `images` that hold true or false."""
        return tuple(str(name) for name, kind in self.images.dtypes.items() if is_bool_dtype(kind))

    @property
    def skipped(self) -> pd.DataFrame:
        """Images of the dataset that could not be read, and why."""
        return self._table(
            "skipped", tables.SKIPPED, lambda frame: contents.skipped_fault(frame, self.manifest)
        )

    @property
    def vocabulary(self) -> pd.DataFrame:
        """The label texts, in the order of `text_embeddings`; empty when the run has none."""
        return self._table("vocabulary", tables.VOCABULARY, contents.vocabulary_fault)

    def neurons(self, layer: str) -> pd.DataFrame:
        """One row per neuron with its state, statistics and examples; empty when not precomputed."""
        record, images = self.layer(layer), self.manifest.images
        return self._table(
            f"neurons-{self._layer_index(layer)}",
            tables.NEURONS,
            lambda frame: contents.neurons_fault(frame, record, images),
            as_now=contents.firing_examples,
        )

    def labels(self, layer: str) -> pd.DataFrame:
        """Precomputed labels, best first for each neuron and labeler, texts as categories; empty when there
        are none."""
        neurons = self.layer(layer).neurons
        return self._table(
            f"labels-{self._layer_index(layer)}",
            tables.LABELS,
            lambda frame: contents.labels_fault(frame, neurons),
            tables.FEW,
        )

    def examples(self, layer: str, neuron: int) -> Examples | None:
        """The precomputed examples of one neuron (with the `k` and `reuse` of the manifest), if stored."""
        table = self.neurons(layer)
        if neuron not in table.index:
            return None
        row: dict[Any, Any] = table.loc[neuron].to_dict()
        return Examples(
            activating=row["activating"],
            activation=row["activation"],
            contrastive=row["contrastive"],
            contrastive_activation=row["contrastive_activation"],
            similarity=row["similarity"],
            mean_activation=float(row["mean"]),
        )

    def layer_examples(self, layer: str) -> list[Examples]:
        """The same of every neuron of a layer, in order: fifty times as fast; empty when not precomputed."""
        table = self.neurons(layer)
        columns = ("activating", "activation", "contrastive", "contrastive_activation", "similarity", "mean")
        return [Examples(*row) for row in zip(*(table[name].tolist() for name in columns), strict=True)]

    def thumbnail(self, image: int, size: Size) -> bytes:
        """The WebP file of one image; NotFoundError when the run or the image has no picture."""
        if not self.has(PACK_NAME):
            raise NotFoundError(f"the run {self.name} was made without images")
        self._verify(PACK_NAME)
        try:
            return self._pack.read(image, size)
        except BadRunError:
            if not self._mended([PACK_NAME, OFFSETS_NAME, SUMS_NAME]):
                raise
            return self._pack.read(image, size)

    @property
    def thumbnail_count(self) -> int:
        """The number of images that the thumbnail pack has room for."""
        return len(self._pack)

    def has(self, part: str) -> bool:
        """Whether the run has a file or folder of this name."""
        return bool(self._recorded(part)) if self.manifest.files else (self.path / part).exists()

    def check(self) -> list[str]:
        """Every problem found by reading the whole run again (hashes, shapes, lengths); none when sound."""
        return check_run(self)

    @property
    def is_whole(self) -> bool:
        """Whether all its files are here: of a run on a server only those that were needed are."""
        return self.mirror is None or len(self.mirror.fetched(self.manifest.files)) == len(
            self.manifest.files
        )

    @cached_property
    def _pack(self) -> ThumbnailPack:
        for part in (PACK_NAME, OFFSETS_NAME, SUMS_NAME):
            if part != SUMS_NAME or self.has(SUMS_NAME):
                self._verify(part)
        pack = ThumbnailPack.open(self.path)
        if len(pack) != self.manifest.images:
            raise self._unfit(PACK_NAME, f"it has thumbnails of {len(pack)} images")
        return pack

    def _layer_index(self, layer: str) -> int:
        if layer not in self.layers:
            raise NotFoundError(
                f"the run {self.name} has no layer {layer!r} (layers: {', '.join(self.layers)})"
            )
        return self.layers.index(layer)

    def _table(
        self,
        name: str,
        columns: tables.Columns,
        fault_of: FaultOf,
        few: Sequence[str] = (),
        as_now: Callable[[pd.DataFrame], pd.DataFrame] = lambda frame: frame,
    ) -> pd.DataFrame:
        frame: pd.DataFrame | None = self._kept.get(name)
        if frame is None:
            frame = as_now(self._read_table(tables.location(name), columns, fault_of, few))
            self._kept[name] = frame
        return frame.copy(deep=False)

    def _read_table(
        self, part: str, columns: tables.Columns, fault_of: FaultOf, few: Sequence[str]
    ) -> pd.DataFrame:
        if not self.has(part):
            return tables.empty_table(columns)
        self._verify(part)
        frame = tables.read_table(self.path / part, columns, few)
        if fault := fault_of(frame):
            raise self._unfit(part, fault)
        return frame

    def _read_if_there(self, name: str) -> np.ndarray | None:
        return self._read(name) if self.has(f"{arrays.GROUP}/{name}") else None

    def _read(self, name: str, rows: int | slice = slice(None)) -> np.ndarray:
        self._verify_rows(name, rows)
        try:
            return self._read_verified(name, rows)
        except BadRunError:  # damage that the file's own checksums tell
            if not self._mended(self._recorded(f"{arrays.GROUP}/{name}")):
                raise
            return self._read_verified(name, rows)

    def _read_verified(self, name: str, rows: int | slice) -> np.ndarray:
        array = self._kept.get(name)
        if array is None:
            stored = sum(self.manifest.files[part].bytes for part in self._recorded(f"{arrays.GROUP}/{name}"))
            array = arrays.open_array(self.path, name, *self._layout(name), stored)
            self._kept[name] = array
        with arrays.reading(self.path, name):
            data: np.ndarray = array[rows]
        if not name.startswith(arrays.BY_NEURON):
            for block in contents.blocks(data):
                if fault := contents.values_fault(name, block, self.manifest.images):
                    raise self._unfit(f"{arrays.GROUP}/{name}", fault)
        data.flags.writeable = False
        return data

    def _layout(self, name: str) -> tuple[tuple[int | None, ...], str]:
        """The shape (None: any length) and type that an array must have."""
        manifest = self.manifest
        shapes: dict[str, tuple[int | None, ...]] = {
            arrays.EMBEDDINGS: (manifest.images, manifest.dimension),
            arrays.PROBABILITIES: (manifest.images, len(manifest.classes)),
            arrays.TEXT_EMBEDDINGS: (len(self.vocabulary), manifest.dimension),
            arrays.NEIGHBOUR_INDEX: (manifest.images, None),
            arrays.NEIGHBOUR_SIMILARITY: (manifest.images, None),
            **{
                name(place): (one.neurons, manifest.images)
                for place, one in enumerate(manifest.layers)
                for name in (arrays.activations_array, arrays.places_array)
            },
            **{arrays.decoder_array(place): (one.neurons, None) for place, one in enumerate(manifest.layers)},
        }
        return shapes[name], "int32" if name == arrays.NEIGHBOUR_INDEX else "float32"

    def _unfit(self, part: str, fault: str) -> BadRunError:
        return BadRunError(
            f"{self.path / part} does not fit {MANIFEST_NAME}: {fault}; copy the run again, or make it anew"
        )

    def _recorded(self, part: str) -> list[str]:
        return [name for name in self.manifest.files if name == part or name.startswith(part + "/")]

    def _verify(self, part: str) -> None:
        """Compare the files of a part with the manifest, before it is read; a mirror fetches them first."""
        recorded = self._recorded(part)
        if self.manifest.files and not recorded:
            self._expect_the_same_run()
            raise BadRunError(f"{self.path / part} is missing: copy the run again")
        self._verify_files(recorded)

    def _verify_rows(self, name: str, rows: int | slice) -> None:
        """The same of an array of which some rows are read: a mirror needs no shards but theirs."""
        part = f"{arrays.GROUP}/{name}"
        if self.mirror is None or not name.startswith(arrays.BY_NEURON):
            return self._verify(part)
        head = f"{part}/zarr.json"
        self._verify(head)
        count = sum(self.manifest.files[one].bytes for one in self._recorded(part))
        shards = arrays.shards_of(self.path, name, self._layout(name), count, rows)
        own = [f"{part}/{shard}" for shard in shards]
        if own and self.manifest.files.keys() >= set(own):
            return self._verify_files(own)
        return self._verify(part)

    def _verify_files(self, recorded: list[str]) -> None:
        """Lengths each time, as Zarr reads a missing file as zeros without a word.

        Contents once, and again when a file changes, but for those that carry checksums which are checked on
        reading.
        """
        if not self.path.is_dir():
            raise BadRunError(f"the run folder {self.path} is gone: it was moved or deleted while open")
        self._expect_the_same_run()
        if self.mirror is not None and self.mirror.bring({one: self.manifest.files[one] for one in recorded}):
            self._forget_read()
        for name in recorded:
            try:
                found = (self.path / name).stat()
            except (OSError, ValueError):
                raise BadRunError(f"{self.path / name} is missing: copy the run again") from None
            if not S_ISREG(found.st_mode):
                raise BadRunError(f"{self.path / name} is no file: copy the run again")
            expected = self.manifest.files[name]
            if found.st_size != expected.bytes:
                sizes = f"{found.st_size} bytes instead of {expected.bytes}"
                raise BadRunError(f"{self.path / name} has {sizes}: copy the run again")
            state = _state_of(found)
            if not self._checks_itself(name) and self._sound.get(name) != state:
                try:
                    self._compare_content(name, expected)
                except BadRunError:
                    if not self._mended([name]):
                        raise
                self._sound[name] = _state(self.path / name)

    def _mended(self, names: list[str]) -> bool:
        """Fetch again what is damaged of these files of a mirror: whether something was."""
        files = {name: self.manifest.files[name] for name in names if name in self.manifest.files}
        if self.mirror is None or not self.mirror.mend(files):
            return False
        self._forget_read()
        return True

    def _forget_read(self) -> None:
        """What was read of a file that was replaced: it may be mapped."""
        self._kept.clear()
        self.__dict__.pop("_pack", None)

    def _expect_the_same_run(self) -> None:
        """Another run in the same folder is not mixed with what was read of this one."""
        before, now = self._sound.get(MANIFEST_NAME), _state(self.path / MANIFEST_NAME)
        if before is None or now == before:  # an unpublished run has no manifest
            return
        if read_manifest(self.path) != self.manifest:
            raise BadRunError(f"the run {self.path} was changed while it was open: open it again")
        self._sound[MANIFEST_NAME] = now

    def _checks_itself(self, name: str) -> bool:
        """Chunks of arrays carry checksums, and pictures of a pack since schema 3: both may be large.

        What is mapped carries none.
        """
        if name == PACK_NAME:
            return SUMS_NAME in self.manifest.files
        by_neuron = name.startswith(tuple(f"{arrays.GROUP}/{kind}" for kind in arrays.BY_NEURON))
        if not by_neuron and self.manifest.files[name].bytes > arrays.MAPPED_BYTES:
            return False
        return name.startswith(f"{arrays.GROUP}/") and not name.endswith(".json")

    def _compare_content(self, name: str, recorded: FileRecord) -> None:
        path = self.path / name
        try:
            found = record_file(path)
        except OSError as error:
            raise BadRunError(f"{path} can't be read ({error.strerror}): copy the run again") from None
        if found != recorded:
            raise BadRunError(f"{path} was changed after the run was made: copy the run again")


def _expect_plain_files(path: Path) -> None:
    """BadRunError where a run that was not made here holds a link out of it, a pipe or a device."""
    if link := link_out(path):
        raise BadRunError(
            f"{path} was not made here, and its {link.relative_to(path)} is a link that leads out of the "
            "folder: copy the run again with what its links lead to (`cp -rL`)"
        )
    if special := special_file(path):
        raise BadRunError(
            f"{path} was not made here, and its {special.relative_to(path)} is a pipe, a device or a socket, "
            "which nothing in a run is: delete it"
        )


def _state(path: Path) -> State | None:
    """Of a file that may be missing."""
    try:
        return _state_of(path.stat())
    except (OSError, ValueError):
        return None


def _state_of(found: os.stat_result) -> State:
    return found.st_ino, found.st_size, found.st_mtime_ns
