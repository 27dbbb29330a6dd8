"""What a person can change of a question about a neuron."""

from dataclasses import asdict, dataclass
from typing import Any

from csp.keeping.run_folder.manifest import Parameters
from csp.method.checks import check_examples, check_gamma
from csp.method.examples.contrast_rule import ContrastRule, parse_rule


@dataclass(frozen=True)
class ExampleOptions:
    """Number of examples, gamma, whether one image may serve several pairs, and the contrast rule."""

    k: int
    gamma: float
    reuse: bool
    contrast: ContrastRule

    def as_json(self) -> dict[str, Any]:
        """The same as JSON values: part of the key of every answer."""
        return asdict(self) | {"contrast": str(self.contrast)}

    def __str__(self) -> str:
        reuse = "" if self.reuse else " no-reuse"
        return f"k={self.k} gamma={self.gamma:g} contrast={self.contrast}{reuse}"


def example_options(
    given: Parameters,
    k: int | None = None,
    gamma: float | None = None,
    reuse: bool | None = None,
    contrast: str | None = None,
) -> ExampleOptions:
    """Checked options; what is left None is taken from the run's own parameters. Raises BadInputError."""
    options = ExampleOptions(
        given.k if k is None else k,
        given.gamma if gamma is None else gamma,
        given.reuse if reuse is None else reuse,
        parse_rule(given.contrast if contrast is None else contrast),
    )
    check_examples(options.k)
    check_gamma(options.gamma)
    return options
