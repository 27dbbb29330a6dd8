"""What is worth knowing of a model before relying on it: said by its adapter, kept in the run's notes."""

from csp.world.protocols.encoder import Encoder
from csp.world.protocols.target import TargetModel


def model_notes(model: TargetModel | Encoder) -> tuple[str, ...]:
    """Its notes, each in a sentence; a model of the user's own need not offer any."""
    return tuple(getattr(model, "notes", ()))
