"""What a drawn dermoscopy case consists of, and how often each attribute occurs.

The picture depends on the attributes only: the diagnosis decides how often an attribute is drawn and
is never painted itself. So whatever a classifier learns about the diagnosis, it learns through these.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from csp.world.dermoscopy.noise import stream

DIAGNOSES: tuple[str, ...] = ("melanoma", "nevus", "benign keratosis", "basal cell carcinoma")
COLOURS: tuple[str, ...] = ("light brown", "dark brown", "black", "red", "white", "blue-grey")

SHAPE: tuple[str, ...] = ("asymmetry", "irregular_border")
COLOUR_FLAGS: tuple[str, ...] = ("light_brown", "dark_brown", "black", "red", "white", "blue_grey")
STRUCTURES: tuple[str, ...] = (
    "typical_network",
    "atypical_network",
    "globules",
    "streaks",
    "blue_white_veil",
    "regression",
    "milia_like_cysts",
    "arborising_vessels",
)
ARTEFACTS: tuple[str, ...] = ("hairs", "ruler", "gel_bubbles", "ink", "sticker", "dark_corners")
SKIN: tuple[str, ...] = ("dark_skin",)
ATTRIBUTES: tuple[str, ...] = SHAPE + COLOUR_FLAGS + STRUCTURES + ARTEFACTS + SKIN

# Colours that a structure shows by itself, whether or not the lesion has a zone of that colour.
SHOWS: dict[str, frozenset[str]] = {
    "blue_white_veil": frozenset({"blue-grey", "white"}),
    "regression": frozenset({"blue-grey", "white"}),
    "arborising_vessels": frozenset({"red"}),
}

DIAGNOSIS_RATE: dict[str, float] = dict(zip(DIAGNOSES, (0.30, 0.35, 0.20, 0.15), strict=True))

# Share of cases per diagnosis, in the order of DIAGNOSES.
RATES: dict[str, tuple[float, float, float, float]] = {
    "asymmetry": (0.75, 0.15, 0.25, 0.40),
    "irregular_border": (0.70, 0.10, 0.12, 0.25),
    "black": (0.35, 0.06, 0.10, 0.06),
    "red": (0.25, 0.08, 0.08, 0.55),
    "white": (0.12, 0.04, 0.10, 0.12),
    "blue_grey": (0.20, 0.05, 0.08, 0.50),
    "typical_network": (0.08, 0.55, 0.08, 0.03),
    "atypical_network": (0.55, 0.06, 0.06, 0.04),
    "globules": (0.35, 0.40, 0.08, 0.08),
    "streaks": (0.40, 0.05, 0.04, 0.03),
    "blue_white_veil": (0.45, 0.03, 0.05, 0.08),
    "regression": (0.35, 0.04, 0.08, 0.06),
    "milia_like_cysts": (0.05, 0.05, 0.65, 0.06),
    "arborising_vessels": (0.05, 0.03, 0.04, 0.70),
    "hairs": (0.22, 0.22, 0.22, 0.22),
    "ruler": (0.36, 0.10, 0.10, 0.12),
    "gel_bubbles": (0.15, 0.15, 0.15, 0.15),
    "ink": (0.14, 0.14, 0.14, 0.14),
    "sticker": (0.012, 0.28, 0.012, 0.012),
    "dark_corners": (0.18, 0.18, 0.18, 0.18),
}

# The shortcuts planted in the world: an artefact, and the diagnosis that it comes with more often than with
# the others. All other artefacts and the skin tone are independent of the diagnosis.
PLANTED: dict[str, str] = {"ruler": "melanoma", "sticker": "nevus"}

# The pigment under everything else: light brown alone, dark brown alone, both, neither.
PIGMENT_RATE: dict[str, tuple[float, float, float, float]] = {
    "melanoma": (0.22, 0.50, 0.20, 0.08),
    "nevus": (0.43, 0.37, 0.12, 0.08),
    "benign keratosis": (0.50, 0.35, 0.15, 0.00),
    "basal cell carcinoma": (0.13, 0.09, 0.03, 0.75),
}
PIGMENTS: tuple[frozenset[str], ...] = (
    frozenset({"light brown"}),
    frozenset({"dark brown"}),
    frozenset({"light brown", "dark brown"}),
    frozenset(),
)

# Fitzpatrick I to VI. Independent of the diagnosis, so that skin tone carries no information about it.
TONE_RATE: tuple[float, ...] = (0.18, 0.27, 0.23, 0.14, 0.10, 0.08)


@dataclass(frozen=True, kw_only=True)
class Case:
    """One drawn case: everything that decides its picture, plus the diagnosis it was drawn for.

    `asymmetry` counts the axes (0, 1, 2) about which the lesion is not symmetric. `colours` are the
    zones of colour painted for their own sake; structures may show more (`visible_colours`).
    """

    seed: int
    diagnosis: str
    skin_tone: int = 2
    asymmetry: int = 0
    irregular_border: bool = False
    colours: frozenset[str] = frozenset({"light brown"})
    typical_network: bool = False
    atypical_network: bool = False
    globules: bool = False
    streaks: bool = False
    blue_white_veil: bool = False
    regression: bool = False
    milia_like_cysts: bool = False
    arborising_vessels: bool = False
    hairs: bool = False
    ruler: bool = False
    gel_bubbles: bool = False
    ink: bool = False
    sticker: bool = False
    dark_corners: bool = False

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn."""
        if self.diagnosis not in DIAGNOSES:
            raise ValueError(f"diagnosis {self.diagnosis!r} is unknown; use one of {', '.join(DIAGNOSES)}")
        if not 1 <= self.skin_tone <= 6:
            raise ValueError(f"skin_tone is {self.skin_tone}; Fitzpatrick tones run from 1 to 6")
        if self.asymmetry not in (0, 1, 2):
            raise ValueError(f"asymmetry is {self.asymmetry}; it counts axes: 0, 1 or 2")
        if not self.colours <= set(COLOURS):
            strange = ", ".join(sorted(self.colours - set(COLOURS)))
            raise ValueError(f"colours unknown: {strange}; use {', '.join(COLOURS)}")
        if self.typical_network and self.atypical_network:
            raise ValueError("a network is either typical or atypical; switch one of them off")

    @property
    def visible_colours(self) -> frozenset[str]:
        """The painted zones, and what the structures show (a blue-white veil is blue-grey and white)."""
        shown = (colours for structure, colours in SHOWS.items() if getattr(self, structure))
        return self.colours.union(*shown)

    def flags(self) -> dict[str, bool]:
        """Every attribute of `ATTRIBUTES` as true or false, colours as a viewer would see them."""
        derived = {"asymmetry": self.asymmetry > 0, "dark_skin": self.skin_tone >= 5}
        derived |= {_flag(colour): colour in self.visible_colours for colour in COLOURS}
        return {name: derived[name] if name in derived else bool(getattr(self, name)) for name in ATTRIBUTES}


def sample_case(seed: int, diagnosis: str | None = None) -> Case:
    """Draw a case for `seed`; given its diagnosis (drawn too unless named) the attributes are independent.

    Two exceptions: a network is typical or atypical, never both, and a lesion with a network or
    without any other colour has a brown.
    """
    rng = stream(seed, "case")
    drawn = str(rng.choice(DIAGNOSES, p=list(DIAGNOSIS_RATE.values())))
    chosen = drawn if diagnosis is None else diagnosis
    if chosen not in DIAGNOSES:
        raise ValueError(f"diagnosis {chosen!r} is unknown; use one of {', '.join(DIAGNOSES)}")
    which = DIAGNOSES.index(chosen)
    on = {name: bool(rng.random() < rates[which]) for name, rates in RATES.items()}
    on |= _one_network(rng, which)
    return Case(
        seed=seed,
        diagnosis=chosen,
        skin_tone=1 + int(rng.choice(6, p=TONE_RATE)),
        asymmetry=_axes(rng, chosen) if on["asymmetry"] else 0,
        colours=_colours(rng, chosen, on),
        **{name: on[name] for name in ("irregular_border", *STRUCTURES, *ARTEFACTS)},
    )


def with_attribute(case: Case, attribute: str, on: bool) -> Case:
    """The same case with one attribute switched; afterwards `flags()[attribute] == on`.

    Switching a network on switches its opposite off; switching a colour off also removes the
    structures that show it. Nothing else changes.
    """
    if attribute not in ATTRIBUTES:
        raise ValueError(f"attribute {attribute!r} is unknown; use one of {', '.join(ATTRIBUTES)}")
    if case.flags()[attribute] == on:
        return case
    if attribute == "asymmetry":
        return replace(case, asymmetry=2 if on else 0)
    if attribute == "dark_skin":
        return replace(case, skin_tone=5 if on else 2)
    if attribute in COLOUR_FLAGS:
        return _with_colour(case, COLOURS[COLOUR_FLAGS.index(attribute)], on)
    changes: dict[str, bool] = {attribute: on}
    if on and attribute.endswith("_network"):
        changes["typical_network" if attribute == "atypical_network" else "atypical_network"] = False
    return replace(case, **changes)  # type: ignore[arg-type]


def _with_colour(case: Case, colour: str, on: bool) -> Case:
    if on:
        return replace(case, colours=case.colours | {colour})
    gone = {structure: False for structure, colours in SHOWS.items() if colour in colours}
    return replace(case, colours=case.colours - {colour}, **gone)  # type: ignore[arg-type]


def _flag(colour: str) -> str:
    return colour.replace(" ", "_").replace("-", "_")


def _one_network(rng: np.random.Generator, which: int) -> dict[str, bool]:
    """One draw for both networks, so that each keeps its stated rate and they exclude each other."""
    level = rng.random()
    typical, atypical = RATES["typical_network"][which], RATES["atypical_network"][which]
    return {"typical_network": level < typical, "atypical_network": typical <= level < typical + atypical}


def _axes(rng: np.random.Generator, diagnosis: str) -> int:
    return 2 if rng.random() < (0.8 if diagnosis == "melanoma" else 0.5) else 1


def _colours(rng: np.random.Generator, diagnosis: str, on: dict[str, bool]) -> frozenset[str]:
    pigment = PIGMENTS[int(rng.choice(4, p=PIGMENT_RATE[diagnosis]))]
    zones = {colour for colour in COLOURS if on.get(_flag(colour), False)}
    network = on["typical_network"] or on["atypical_network"]
    if not pigment and (network or not zones & {"black", "red", "blue-grey"}):
        pigment = PIGMENTS[0] if diagnosis != "basal cell carcinoma" or network else frozenset({"red"})
    return frozenset(zones | pigment)
