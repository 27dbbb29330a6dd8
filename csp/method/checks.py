"""Checks at the public door of the method; behind them, inputs are taken as correct."""

import numpy as np

from csp.errors import BadInputError


def check_probe(activations: np.ndarray, embeddings: np.ndarray) -> None:
    """Refuse arrays that can't be one probe dataset's: a row of `embeddings` for each activation.

    Raises BadInputError.
    """
    if activations.ndim not in (1, 2) or embeddings.ndim != 2:
        raise BadInputError(
            f"The activations have shape {activations.shape} and the embeddings {embeddings.shape}; "
            "give one activation per image (and neuron) and one row of embeddings per image."
        )
    if len(activations) != len(embeddings):
        raise BadInputError(
            f"There are activations of {len(activations)} images but embeddings of {len(embeddings)}; "
            "both must hold the same images in the same order."
        )
    if len(activations) == 0:
        raise BadInputError("The probe dataset holds no image; give at least one.")


def check_examples(k: int) -> None:
    """Refuse a number of examples below 1. Raises BadInputError."""
    if k < 1:
        raise BadInputError(f"The number of examples is {k}; ask for at least 1.")


def check_gamma(gamma: float) -> None:
    """Refuse a gamma outside [0, 1], NaN included. Raises BadInputError."""
    if not 0.0 <= gamma <= 1.0:
        raise BadInputError(f"gamma is {gamma}; choose a number from 0 to 1.")


def check_texts(vector: np.ndarray, text_embeddings: np.ndarray) -> None:
    """Refuse text embeddings of another width than the images'. Raises BadInputError."""
    if text_embeddings.ndim != 2 or text_embeddings.shape[1] != vector.shape[-1]:
        raise BadInputError(
            f"The text embeddings have shape {text_embeddings.shape} but the image embeddings have "
            f"{vector.shape[-1]} dimensions; embed texts and images with the same encoder."
        )
