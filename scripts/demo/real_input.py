"""How the demo's models fare on photographs: AUROC of the classifier, zero-shot AUROC of the small CLIP.

Usage: python -m scripts.demo.real_input RUN ...
Each RUN was made by `csp index` with the demo's models on PH2 or on an ISIC table with artefact columns.
Prints one JSON object, by run. The models saw drawn images only, so low numbers are no surprise.
"""

from __future__ import annotations

import argparse
import json
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float

from csp.keeping.library.find import find_run
from csp.keeping.run_folder.run import Run
from csp.method.metrics.statistics import auroc
from csp.world.dermoscopy.terms import names
from csp.world.protocols.encoder import Encoder, open_encoder

FEWEST = 5
"""An attribute that fewer images have (or lack) is left out."""

PH2_COLOURS = {
    "light_brown": "light-brown",
    "dark_brown": "dark-brown",
    "black": "black",
    "red": "red",
    "white": "white",
    "blue_grey": "blue-gray",
}
ISIC_COLUMNS = {
    "dark_corners": "dark_corner",
    "hairs": "hair",
    "gel_bubbles": "gel_bubble",
    "ruler": "ruler",
    "ink": "ink",
}


def ph2_truth(images: pd.DataFrame) -> dict[str, pd.Series]:
    """The clinicians' annotations of PH2 under the demo's names."""
    truth = {
        "asymmetry": images["asymmetry"] > 0,
        "typical_network": images["pigment_network"] == "typical",
        "atypical_network": images["pigment_network"] == "atypical",
        "globules": images["dots_globules"] != "absent",
    }
    truth |= {name: images[name] for name in ("streaks", "regression", "blue_white_veil")}
    colours = images["colors"].fillna("").str.split(";")
    truth |= {name: colours.map(lambda has, c=colour: c in has) for name, colour in PH2_COLOURS.items()}
    return truth


def isic_truth(images: pd.DataFrame) -> dict[str, pd.Series]:
    """The artefact annotations of an ISIC table under the demo's names; missing where not annotated."""
    return {name: images[column] for name, column in ISIC_COLUMNS.items()}


def zero_shot(run: Run, encoder: Encoder, attribute: str) -> Float[np.ndarray, " n"]:
    """Mean cosine of each image to the wordings of an attribute."""
    parameters = run.manifest.parameters
    texts = encoder.embed_texts(list(names(attribute)), parameters.templates, parameters.renormalise)
    cosines: Float[np.ndarray, "n t"] = run.embeddings @ texts.T
    return np.asarray(cosines.mean(axis=1))


def measured(scores: Float[np.ndarray, " n"], truth: pd.Series) -> dict[str, float | int] | None:
    """AUROC over the annotated images, or None where one side is too small."""
    known = truth.notna().to_numpy()
    positive = truth[known].astype(bool).to_numpy()
    if min(positive.sum(), (~positive).sum()) < FEWEST:
        return None
    return {
        "auroc": round(auroc(scores[known], positive), 3),
        "with": int(positive.sum()),
        "without": int((~positive).sum()),
    }


def report(run: Run, encoder: Encoder) -> dict[str, Any]:
    """Classifier and encoder on one run."""
    images = run.images
    truth = ph2_truth(images) if "pigment_network" in images else isic_truth(images)
    attributes = {name: measured(zero_shot(run, encoder, name), column) for name, column in truth.items()}
    found = [value["auroc"] for value in attributes.values() if value]
    assert run.probabilities is not None
    melanoma = run.probabilities[:, run.manifest.classes.index("melanoma")]
    return {
        "images": len(images),
        "skipped": len(run.skipped),
        "classifier, melanoma vs rest": measured(melanoma, images["label"] == "melanoma"),
        "zero-shot mean": round(float(np.mean(found)), 3),
        "zero-shot": attributes,
    }


def main() -> None:
    """Report on each run named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="+")
    runs = [Run.open(find_run(name)) for name in parser.parse_args().runs]
    encoder = open_encoder(runs[0].manifest.encoder.spec)
    print(json.dumps({run.name: report(run, encoder) for run in runs}, indent=2))


if __name__ == "__main__":
    main()
