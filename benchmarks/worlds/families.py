"""All families of made-up worlds, in the order of the table."""

from benchmarks.worlds import (
    absence,
    attributes,
    blind,
    crowd,
    difficulty,
    kinds,
    missing,
    noise,
    polysemantic,
    rare,
)

FAMILIES = {
    family.name: family
    for family in (
        attributes.FAMILY,
        polysemantic.FAMILY,
        rare.FAMILY,
        difficulty.FAMILY,
        kinds.FAMILY,
        crowd.FAMILY,
        absence.FAMILY,
        missing.FAMILY,
        blind.FAMILY,
        noise.SHUFFLED,
        noise.RANDOM,
    )
}
