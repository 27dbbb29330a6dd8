"""Reading a run: cheap to open, lazy, cached, safe to share between threads. Never needs a model."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float32
from pandas.api.types import is_bool_dtype

from csp.errors import BadRunError, NotFoundError
from csp.keeping.lru import LruCache
from csp.keeping.run_folder import arrays, tables
from csp.keeping.run_folder.integrity import check_run
from csp.keeping.run_folder.manifest import LayerRecord, Manifest, read_manifest
from csp.keeping.run_folder.thumbnails import OFFSETS_NAME, PACK_NAME, Size, ThumbnailPack
from csp.method.examples.neighbours import Neighbours
from csp.method.examples.select import Examples

BLOCK_BYTES = 64 << 20
"""So much of a layer's activations is read at a time."""
RECENT_NEURONS = 32
"""So many neurons' activations stay in memory: a page asks for the same ones several times."""


@dataclass(frozen=True, eq=False)
class Run:
    """A finished run. Reading raises BadRunError when a file is missing or damaged.

    Arrays are read-only and shared; tables are copies that cost nothing until written to.
    """

    path: Path
    manifest: Manifest
    _kept: dict[str, Any] = field(default_factory=dict, init=False, repr=False)
    _recent: LruCache[tuple[str, int], np.ndarray] = field(
        default_factory=lambda: LruCache(RECENT_NEURONS), init=False, repr=False
    )

    @classmethod
    def open(cls, path: Path) -> "Run":
        """Open the run folder `path`; BadRunError when it is not a run or made by a newer version."""
        return cls(path.absolute(), read_manifest(path))

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

    def layer(self, layer: str) -> LayerRecord:
        """What the manifest says of a layer; NotFoundError names those that exist."""
        return self.manifest.layers[self._layer_index(layer)]

    def activations(self, layer: str, neuron: int) -> Float32[np.ndarray, " n"]:
        """The activation of one neuron on every image: reads one chunk, and keeps the last few."""
        neurons = self.layer(layer).neurons
        if not 0 <= neuron < neurons:
            raise NotFoundError(f"layer {layer!r} has no neuron {neuron}: it has {neurons}, counted from 0")
        name = arrays.activations_array(self._layer_index(layer))
        self._verify(f"{arrays.GROUP}/{name}")
        return self._recent.get((name, neuron), lambda: self._read(name, neuron))

    def layer_activations(self, layer: str) -> Float32[np.ndarray, "n c"]:
        """All activations of a layer, read anew each time (n x c x 4 bytes)."""
        return self._read(arrays.activations_array(self._layer_index(layer))).T

    def activation_blocks(self, layer: str) -> Iterator[Float32[np.ndarray, "n b"]]:
        """The same, some neurons at a time (`BLOCK_BYTES`), in order."""
        name, record = arrays.activations_array(self._layer_index(layer)), self.layer(layer)
        size = max(1, BLOCK_BYTES // (4 * max(1, self.manifest.images)))
        for first in range(0, record.neurons, size):
            yield self._read(name, slice(first, first + size)).T

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
        return Neighbours(index=index, similarity=similarity)

    @property
    def images(self) -> pd.DataFrame:
        """One row per image, in the order of the arrays: `tables.IMAGES`, then the dataset's own columns."""
        return self._table("images", tables.IMAGES)

    @cached_property
    def attributes(self) -> tuple[str, ...]:
        """The columns of `images` that hold true or false."""
        return tuple(str(name) for name, kind in self.images.dtypes.items() if is_bool_dtype(kind))

    @property
    def skipped(self) -> pd.DataFrame:
        """Images of the dataset that could not be read, and why."""
        return self._table("skipped", tables.SKIPPED)

    @property
    def vocabulary(self) -> pd.DataFrame:
        """The label texts, in the order of `text_embeddings`; empty when the run has none."""
        return self._table("vocabulary", tables.VOCABULARY)

    def neurons(self, layer: str) -> pd.DataFrame:
        """One row per neuron with its state, statistics and examples; empty when not precomputed."""
        return self._table(f"neurons-{self._layer_index(layer)}", tables.NEURONS)

    def labels(self, layer: str) -> pd.DataFrame:
        """Precomputed labels, best first for each neuron and labeler, texts as categories; empty when there
        are none."""
        return self._table(f"labels-{self._layer_index(layer)}", tables.LABELS, tables.FEW)

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

    @cached_property
    def _pack(self) -> ThumbnailPack:
        self._verify(PACK_NAME)
        self._verify(OFFSETS_NAME)
        return ThumbnailPack.open(self.path)

    def _layer_index(self, layer: str) -> int:
        if layer not in self.layers:
            raise NotFoundError(
                f"the run {self.name} has no layer {layer!r} (layers: {', '.join(self.layers)})"
            )
        return self.layers.index(layer)

    def _table(self, name: str, columns: tables.Columns, few: Sequence[str] = ()) -> pd.DataFrame:
        if name not in self._kept:
            self._kept[name] = self._read_table(tables.location(name), columns, few)
        frame: pd.DataFrame = self._kept[name]
        return frame.copy(deep=False)

    def _read_table(self, part: str, columns: tables.Columns, few: Sequence[str]) -> pd.DataFrame:
        if not self.has(part):
            return tables.empty_table(columns)
        self._verify(part)
        return tables.read_table(self.path / part, columns, few)

    def _read_if_there(self, name: str) -> np.ndarray | None:
        return self._read(name) if self.has(f"{arrays.GROUP}/{name}") else None

    def _read(self, name: str, rows: int | slice = slice(None)) -> np.ndarray:
        self._verify(f"{arrays.GROUP}/{name}")
        if name not in self._kept:
            self._kept[name] = arrays.open_array(self.path, name)
        with arrays.reading(self.path, name):
            data: np.ndarray = self._kept[name][rows]
        data.flags.writeable = False
        return data

    def _recorded(self, part: str) -> list[str]:
        return [name for name in self.manifest.files if name == part or name.startswith(part + "/")]

    def _verify(self, part: str) -> None:
        """Compare lengths with the manifest: Zarr reads a missing file as zeros without a word."""
        if not self.path.is_dir():
            raise BadRunError(f"the run folder {self.path} is gone: it was moved or deleted while open")
        for name in self._recorded(part):
            try:
                length = (self.path / name).stat().st_size
            except OSError:
                raise BadRunError(f"{self.path / name} is missing: copy the run again") from None
            if length != (expected := self.manifest.files[name].bytes):
                raise BadRunError(
                    f"{self.path / name} has {length} bytes instead of {expected}: copy the run again"
                )
