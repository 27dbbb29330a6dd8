"""What the screen says: numbers, times and states in words that a dermatologist reads without help."""

import re
from collections.abc import Sequence

from csp.counts import counted as counted  # for the screens, beside the other words
from csp.counts import percent as percent
from csp.keeping.run_folder.run import Run
from csp.method.control import ByChance, Noise
from csp.method.labelers.registry import LABELERS as METHOD_LABELERS
from csp.method.states import NeuronState, sentence
from csp.work.attribution.class_attribution import has_classes
from csp.work.explorer.views import ImageFacts, NeuronView
from csp.work.labels.synonyms import Rival
from csp.work.neurons.rows import NeuronRows
from csp.work.provenance import Provenance

SOURCES = {
    "precomputed": "came with the run",
    "cached": "kept from an earlier question",
    "computed": "just computed",
}
LABELERS = {name: labeler.title for name, labeler in METHOD_LABELERS.items()}
LABELER_HELP = {name: labeler.what for name, labeler in METHOD_LABELERS.items()}
STATES = {
    "normal": "on for some images only",
    "never-fires": "never fires",
    "constant": "same for every image",
    "always-on": "almost always on",
    "negative": "has negative values",
    "non-finite": "broken values",
    "few-images": "few images",
    "rare": "fires on very few images",
    "no-contrast": "no look-alikes",
}

_STATES_COUNTED = {
    "normal": ("is on for some images only", "are on for some images only"),
    "never-fires": ("never fires", "never fire"),
    "constant": ("is the same for every image", "are the same for every image"),
    "always-on": ("is almost always on", "are almost always on"),
    "negative": ("has negative values", "have negative values"),
    "non-finite": ("has broken values", "have broken values"),
    "few-images": ("has few images", "have few images"),
    "rare": ("fires on very few images", "fire on very few images"),
    "no-contrast": ("has no look-alikes", "have no look-alikes"),
}

REVIEW_STATES = {
    "unreviewed": "Not reviewed",
    "confirm": "Confirmed",
    "override": "Label replaced",
    "reject": "No label fits",
    "unsure": "Reviewer unsure",
    "disputed": "Disputed",
}
"""What people said of a neuron, as `NeuronRows` names it."""
_REVIEWS_COUNTED = {
    "unreviewed": ("not reviewed", "not reviewed"),
    "confirm": ("confirmed", "confirmed"),
    "override": ("label replaced", "labels replaced"),
    "reject": ("for which no label fits", "for which no label fits"),
    "unsure": ("reviewer unsure", "reviewers unsure"),
    "disputed": ("disputed", "disputed"),
}


DOUBT_WORDS = {
    "close": "close call",
    "little": "explains little",
    "methods": "methods differ",
    "unstable": "unstable",
}
"""What speaks against a label, by its name in `csp.work.neurons.doubt`, for a badge."""

MOST_NAMED = 12
"""So many classes are named in a sentence."""

NOISE_HELP = (
    "Noise: the same neurons with their activations shuffled over the images, labelled the same way; the "
    "mean. A label is claimed only if it goes with the firing more than in 19 of 20 shuffles. Random "
    "weights, where measured: the same layer of a model that has learnt nothing, on the same images; it "
    "does follow colour and texture, so what it gives is no noise, but was not learnt either. More than "
    "noise gives is thus no sign that a thing was learnt: more than random weights give is."
)
NO_VOCABULARY = "The run has no vocabulary, so the machine suggests no labels; people can write their own."
NOT_CLAIMED = (
    "No label is claimed: the best one goes with the neuron's firing no more than labels of shuffled neurons "
    "do, or it is unlikely to be true; what the neuron looks for may have no word in the vocabulary."
)

CHANCE_HELP = (
    "How often labels with such numbers are true, fitted on made-up neurons whose truth is known: how far "
    "ahead of others the label is, how near the layer's labels are to what their neurons look for, and how "
    "far it falls short of the best of them. It errs on the side of caution; where the vocabulary lacks the "
    "true term it may still be too high (by 0.07 in made-up worlds unlike those that it was fitted on)."
)

MILD = (NeuronState.ALWAYS_ON, NeuronState.NEGATIVE)


_MARKUP = re.compile(r"[\\`*_{}\[\]()#+\-.!|<>$:~&=@]")
_READ_LATER = re.compile(
    r":(?=//|[\w+/-]+:)"  # an address; an icon or an emoji
    r"|www(?=\.)|@(?=[\w-])"
    r"|(?<!\S)[<>~-](?=[=>-]+(?!\S))",  # an arrow or a sign of comparison, blanks around it
    re.IGNORECASE,
)
_JOINER = "\u2060"
"""Word joiner: takes no room, and no line breaks there."""


def plain(text: str) -> str:
    """Text from a run, a person or a model, on one line, so that Markdown shows it as it is.

    Streamlit looks for addresses, icons, emoji and arrows after escapes are gone: a joiner parts those.
    """
    parted = _READ_LATER.sub(lambda found: f"{found[0]}{_JOINER}", " ".join(text.splitlines()))
    return _MARKUP.sub(lambda found: f"\\{found[0]}", parted)


def as_sentence(message: object) -> str:
    """An error, or another message that has no capital and no full stop, as a sentence of Markdown."""
    words = str(message)
    return plain(f"{words[:1].upper()}{words[1:].rstrip('.')}.")


def counted_state(count: int, state: str) -> str:
    """So many neurons in this state: `1 never fires`, `174 never fire`."""
    return counted(count, *_STATES_COUNTED[state])


def counted_review(count: int, review: str) -> str:
    """So many neurons of which people said this: `1 label replaced`, `2 labels replaced`."""
    return counted(count, *_REVIEWS_COUNTED[review])


def named_classes(classes: Sequence[str]) -> str:
    """A model's classes in words: all of a few, or how many there are and the first."""
    if len(classes) <= MOST_NAMED:
        return f"whose classes are {plain(', '.join(classes))}"
    first = plain(", ".join(classes[:3]))
    return f"of {len(classes):,} classes ({first}, …)"


def turned(before: str, after: str, strong: str = "") -> str:
    """`0.935 → 0.912`, the second between `strong`; of a change that is none only the number."""
    return before if before == after else f"{before} → {strong}{after}{strong}"


def number(value: float) -> str:
    """Three digits that matter: 0.0123, −1.23, 1,230."""
    return with_minus(f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}")


def short(value: float) -> str:
    """Two digits that matter, for under a small picture."""
    size = abs(value)
    return with_minus(f"{value:,.0f}" if size >= 9.95 else f"{value:.1f}" if size >= 1 else f"{value:.2g}")


def score(value: float) -> str:
    """A score, always with the same places so that columns line up; what rounds to nothing has no sign."""
    return with_minus(f"{value:z.3f}")


def with_minus(written: str) -> str:
    """A number as it was written, with a minus in place of the hyphen: as long as a plus."""
    return written.replace("-", "−")


def lead(margin: float) -> str:
    """By how much the first label is ahead of the second; even the smallest lead is not none."""
    return "<0.0001" if 0 < margin < 0.00005 else f"{margin:.4f}"


def firing(activation: float, mean: float, maximum: float) -> str:
    """How strongly a neuron fires on an image, against its own mean and maximum."""
    if activation <= 0:
        return "silent"
    if activation < mean:
        return "weak"
    return "fires strongly" if maximum > mean and activation >= (mean + maximum) / 2 else "fires"


def image_title(facts: ImageFacts) -> str:
    """What the dataset and the model say about an image, one fact a line."""
    lines = [
        f"Image {facts.image}" + (f": {facts.path}" if facts.path else ""),
        f"True class: {facts.label}" if facts.label else "",
        f"Model says: {facts.prediction}" if facts.prediction else "",
        f"Shows: {', '.join(facts.attributes)}" if facts.attributes else "",
    ]
    return "\n".join(line for line in lines if line)


def image_alt(facts: ImageFacts) -> str:
    """A picture in words, for people who cannot see it."""
    what = facts.label or "probe image"
    return (
        f"{what} showing {', '.join(facts.attributes)}"
        if facts.attributes
        else f"{what}, image {facts.image}"
    )


def spot(layer: str, neuron: int) -> str:
    """A neuron by layer and number, never broken over two lines."""
    return f"{layer}\u00a0/\u00a0{neuron}"


def oddity(view: NeuronView) -> str:
    """What is so unusual about a neuron that it is said first; never firing makes the rest void."""
    if NeuronState.NEVER_FIRES in view.states:
        return sentence(NeuronState.NEVER_FIRES, 0)
    odd = (state for state in view.states if state not in (*MILD, NeuronState.NORMAL))
    return " ".join(sentence(state, view.firing) for state in odd)


def remark(view: NeuronView) -> str:
    """What holds of many neurons and is worth a small line: a layer after a ReLU is almost always on."""
    if NeuronState.NEVER_FIRES in view.states:
        return ""
    return " ".join(sentence(state, view.firing) for state in view.states if state in MILD)


def origin(provenance: Provenance) -> str:
    """Where an answer came from: source, who, when, how long."""
    took = "" if provenance.seconds is None else f" in {provenance.seconds:.2g} s"
    when = f"{provenance.when:%d %b %Y, %H:%M} UTC"
    return f"{SOURCES[provenance.source]}{took} · {provenance.by} · {when}"


def neighbours_line(run: Run) -> str:
    """What a page adds where look-alikes come from approximate neighbours; nothing where from exact ones."""
    found = run.manifest.approximate
    return f" · look-alikes: approximate neighbours, recall {found.recall:.2f}" if found else ""


def measured_line(rows: NeuronRows, run: Run) -> str:
    """Where a layer's labels come from, and what of them was not measured, as Markdown."""
    gaps = [
        name
        for name, column in (
            ("how likely labels are true", "chance"),
            ("faithfulness", "faithful"),
            ("stability", "stability"),
        )
        if rows.frame[column].isna().all()
    ]
    absent = [f"{_together(gaps)} not measured yet: `csp evaluate {run.name}`."] if gaps else []
    if rows.attribution_how is None:
        absent.append(
            f"Which class each neuron pushes towards is not measured yet: `csp attribute {run.name}`."
            if has_classes(run)
            else "The run names no classes, so no neuron pushes towards one."
        )
    return " ".join([f"Labels and scores: {plain(origin(rows.provenance))}.", *absent])


def _together(names: Sequence[str]) -> str:
    """`How likely labels are true, faithfulness and stability`."""
    words = ", ".join(names[:-1]) + " and " + names[-1] if len(names) > 1 else names[0]
    return words[:1].upper() + words[1:]


def rival_words(rival: Rival | None) -> str:
    """How far the suggested label is ahead of the best one that means something else, after a full stop."""
    if rival is None or rival.label is None:
        return ""
    return f" It is {score(rival.lead)} ahead of *{plain(rival.label)}*, the best that means something else."


def beside_noise(value: float, noise: Noise | None, untrained: Noise | None = None) -> str:
    """A score beside what the controls give: `Score 0.637; noise gives 0.513, random weights 0.560`."""
    given = [f"noise gives {score(noise.mean)}"] if noise else []
    given += [f"random weights {score(untrained.mean)}"] if untrained else []
    return "; ".join([f"Score {score(value)}", *([", ".join(given)] if given else [])])


def layer_beside_noise(rows: NeuronRows, noise: Noise | None, untrained: Noise | None) -> str:
    """A layer's first labels beside noise, in one sentence; empty without labels."""
    labelled = rows.frame[rows.frame["machine_label"].notna()]
    if labelled.empty:
        return ""
    if noise is None:
        return "Which labels go with the firing better than noise was not measured yet: `csp control`."
    above = int(labelled["above_noise"].sum())
    claimed = f"{above:,} of {len(labelled):,} suggested labels {'is' if above == 1 else 'are'} claimed"
    weights = f", random weights {score(untrained.mean)}" if untrained else ""
    return (
        f"{claimed}: the label goes with the firing better than noise does, and is not unlikely. Of as many "
        f"labels of noise at most {len(labelled) / 20:,.0f} would be. The middle score is "
        f"{score(float(labelled['score'].median()))}; noise gives {score(noise.mean)}{weights}."
    )


def by_chance(counts: Sequence[ByChance | None], untrained: Sequence[ByChance | None] = ()) -> str:
    """What the controls give of a count over layers: `by chance 3, random weights 12`; empty if not known.

    Random weights that were asked for and not measured are named: more than chance alone is not yet learnt.
    """
    said = (("by chance", counts), ("random weights", untrained))
    known = {words: [count.expected for count in found if count is not None] for words, found in said}
    given = [f"{words} {sum(found):,.0f}" for words, found in known.items() if found]
    missing = ["random weights not measured"] if given and untrained and not known["random weights"] else []
    return ", ".join(given + missing)
