"""All families of made-up worlds, in the order of the table."""

from benchmarks.worlds import (
    absence,
    attributes,
    blind,
    crowd,
    difficulty,
    kinds,
    missing,
    mixed,
    noise,
    outliers,
    polysemantic,
    rare,
    warped,
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
        missing.KINDS,
        missing.RARE,
        missing.CROWD,
        blind.FAMILY,
        noise.SHUFFLED,
        noise.RANDOM,
        mixed.FAMILY,
        warped.FAMILY,
        outliers.FAMILY,
    )
}
