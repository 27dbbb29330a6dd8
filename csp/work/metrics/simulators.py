"""The encoder that simulates a neuron from a label: the run's own, or another one.

Another encoder needs the images: the files, or where they aren't at hand the pictures that the run keeps. Its
embeddings are added to the run, batch by batch: the next time it need not look again.
"""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import pandas as pd
import pyarrow as pa
from jaxtyping import Float32

from csp.keeping.run_folder.added_tables import AddedTable, Additions
from csp.keeping.run_folder.run import Run
from csp.work.candidates.scores import joined_texts
from csp.work.models.probe_images import ProbeImages
from csp.work.runs.spec_paths import openable_spec
from csp.world.protocols.encoder import Encoder, open_encoder

BATCH = 32
SIMULATED = AddedTable(
    "simulators",
    {"encoder": pa.string(), "image": pa.int64(), "embedding": pa.list_(pa.float32())},
    ("encoder", "image"),
)
Texts = dict[str, Float32[np.ndarray, " d"]]


class Simulator:
    """Embeds the run's images and labels."""

    def __init__(self, run: Run, encoder: Encoder | None) -> None:
        self._run = run
        self._encoder = encoder
        self.name = run.manifest.encoder.name if encoder is None else encoder.name

    def embeddings(self) -> Float32[np.ndarray, "n d"]:
        """The images' embeddings, of unit length."""
        return self._run.embeddings if self._encoder is None else self._looked

    def embed_texts(self, labels: Sequence[str]) -> Texts:
        """Each label's embedding: of the vocabulary, or by the other encoder with the run's templates."""
        if self._encoder is None:
            joined = joined_texts(self._run)
            assert joined is not None, "checked when the simulator was opened"
            known = {label: joined.vocabulary.embedding(label) for label in labels}
            return {label: found for label, found in known.items() if found is not None}
        new = [label for label in labels if label not in self._texts]
        if new:
            given = self._run.manifest.parameters
            embedded = self._encoder.embed_texts(new, given.templates or ("{}",), given.renormalise)
            self._texts |= dict(zip(new, embedded, strict=True))
        return self._texts

    @cached_property
    def _texts(self) -> Texts:
        return {}

    @cached_property
    def _looked(self) -> Float32[np.ndarray, "n d"]:
        assert self._encoder is not None
        additions, key = Additions(self._run), self._encoder.weights_hash
        rows = additions.read(SIMULATED)
        rows = rows[rows["encoder"] == key]
        known = dict(zip(rows["image"].tolist(), rows["embedding"], strict=True))
        missing = [image for image in range(self._run.manifest.images) if image not in known]
        for start in range(0, len(missing), BATCH):
            images = missing[start : start + BATCH]
            new = list(self._encoder.embed_images(np.stack([self._picture(image) for image in images])))
            additions.append(SIMULATED, pd.DataFrame({"encoder": key, "image": images, "embedding": new}))
            known |= dict(zip(images, new, strict=True))
        additions.compact(SIMULATED)
        return np.stack([known[image] for image in range(len(known))]).astype(np.float32)

    def _picture(self, image: int) -> Float32[np.ndarray, "3 h w"]:
        assert self._encoder is not None
        return self._encoder.preprocess(self._pictures.picture(image).image)

    @cached_property
    def _pictures(self) -> ProbeImages:
        return ProbeImages(self._run)


def open_simulator(run: Run, spec: str | None) -> Simulator:
    """The simulator that `spec` names; None: the run's own encoder, which need not be opened.

    Raises UnavailableError for a run without pictures and for models not to be had.
    """
    if spec is None:
        return Simulator(run, None)
    ProbeImages(run).picture(0)
    return Simulator(run, open_encoder(openable_spec(spec)))
