"""The words of the screens, each in one or two sentences, and which of them each page uses."""

WORDS: dict[str, str] = {
    "neuron": "One number that the model works out for each picture; it is large where the picture shows "
    "what the neuron looks for.",
    "fires": "The neuron's number (its activation) is large for this picture.",
    "layer": "A step of the model; later layers stand for more complete things.",
    "look-alike": "A picture as similar as can be to one that makes the neuron fire, but on which it fires "
    "less. What only the first one shows is what the neuron looks for. Also: contrastive example.",
    "contrast (gamma)": "How much of what a picture shares with its look-alike is left out, 0 to 1.",
    "label": "A few words for what a neuron looks for: suggested by the machine, or written by a person.",
    "suggested label": "The label that fits best by the method that is chosen; nobody has checked it yet.",
    "score": "How well a label fits, by the method named; comparable only within one method and layer.",
    "ahead": "Score of the suggested label minus that of the best label that means something else.",
    "method": "A rule that scores labels for a neuron. Consensus takes the methods together.",
    "draws of the examples": "The neuron's pictures are drawn again by chance, 200 times. Where the "
    "suggested label seldom stays the best, other pictures would have given another label.",
    "unstable": "The suggested label stays the best in less than half of the draws.",
    "doubtful": "The suggested label is less likely to be true than 5 in 10, or than what you set.",
    "concept vector": "The direction, among pictures and words, that stands for what a neuron looks for.",
    "pushes towards": "The class that becomes more likely when the neuron fires more strongly.",
    "speaks for, against": "What a neuron adds to a class on one picture, or takes away from it.",
    "concept": "Labels that mean the same, with all neurons whose label means it.",
    "leans on": "With the concept's neurons switched off a class changes by at least 5 in 100 on pictures "
    "that show it, and by more than with as many random neurons off.",
    "switched off": "Held at its mean over the probe images, so that it tells the model nothing.",
    "artefact": "Something in the picture that is not the lesion: ruler, hair, ink, gel, sticker.",
    "probe images": "The pictures on which the model was looked at.",
    "held out": "Probe images that took no part in choosing labels: what is measured on them is fair.",
    "unlike the probe images": "Less alike to any probe image than nearly all of these are to each other.",
    "AUROC": "Chance that a picture of the class gets a higher probability than one of another: 0.5 is "
    "guessing, 1 is perfect.",
    "encoder": "A model that places pictures and words in one space, so that they can be compared.",
    "run": "One model looked at on one set of pictures, with all results.",
    "correlation": "How much two things rise and fall together: 1 fully, 0 not at all.",
    "verdict": "What a person says of a label: confirmed, replaced by another, no label fits, unsure.",
    "label in force": "The newest label that a person decided on, else the machine's suggestion.",
    "blind look": "Judging before the machine's label is shown, so that it does not lead.",
    "dispute": "People's latest verdicts on a neuron differ, and nobody has settled it.",
    "random sample": "Neurons drawn by chance. Only from these follows how often the machine is wrong.",
    "95 % interval": "The range in which the true number lies, but for one case in twenty.",
    "kappa": "Agreement of people beyond what chance would give: 1 is full, 0 is chance.",
    "record": "All verdicts in their order, each sealed with the one before: a change would show.",
}
"""By word, in an order in which they can be read."""

_SEEN = ("neuron", "fires", "look-alike", "label")
_SURE = ("score", "ahead", "draws of the examples", "unstable", "doubtful")
OF_PAGE: dict[str, tuple[str, ...]] = {
    "Start": (*_SEEN, "artefact", "run"),
    "Neurons": (*_SEEN, "suggested label", *_SURE, "pushes towards", "artefact"),
    "Neuron": (*_SEEN, "contrast (gamma)", "suggested label", "method", *_SURE, "label in force"),
    "Search": (*_SEEN, "encoder", "concept vector", "score"),
    "Classes": (*_SEEN, "pushes towards", "artefact"),
    "What it leans on": (
        *("concept", "switched off", "leans on", "artefact", "held out", "95 % interval", "AUROC"),
        "label in force",
    ),
    "Compare": (*_SEEN, "method", "contrast (gamma)", "concept vector", "correlation", "run"),
    "Try an image": (
        *("neuron", "fires", "speaks for, against", "probe images", "unlike the probe images"),
        *("encoder", "layer", "held out", "AUROC"),
    ),
    "Review": (*_SEEN, *_SURE, "verdict", "blind look", "dispute", "random sample"),
    "Audit": (
        *("label in force", "verdict", "random sample", "95 % interval", "artefact", "dispute", "kappa"),
        "record",
    ),
    "Runs": ("run", "layer", "encoder", "probe images", "held out"),
    "Present": (*_SEEN, "contrast (gamma)"),
}
"""By title of a page: the words that it uses."""


def glossary(title: str) -> str:
    """The words of a page and what they mean, then all others, as Markdown."""
    own = OF_PAGE.get(title, ())
    others = [word for word in WORDS if word not in own]
    parts = [("Words on this page", own), ("Other words", others)]
    return "\n\n".join(
        f"**{head}**\n\n" + "\n".join(f"- **{word}**: {WORDS[word]}" for word in words)
        for head, words in parts
        if words
    )
