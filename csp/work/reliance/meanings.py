"""Which labels mean the same: the statements of people and of the vocabulary first, then the encoder's guess.

Two labels mean the same, in this order:

1. where `concepts.csv` in `CSP_HOME` (columns concept and words, as `checklist.csv`) finds words of one
   concept in both: so people correct the grouping;
2. where the vocabulary says which attributes they name, and these are the same;
3. where they speak of one artefact, of the skin, or of one criterion of the 7-point checklist;
4. where the encoder can hardly tell them apart (`csp.work.labels.synonyms`).

A label that says what is lacking ("no hairs") means the same as another where what they lack does.

The encoder comes last: to a small one "brown colour" and "common nevus" are nearly one text.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from csp.errors import BadInputError
from csp.keeping.home import home
from csp.keeping.reviews.normalise import same_label
from csp.keeping.reviews.vocabulary import TAGS
from csp.keeping.run_folder.run import Run
from csp.work.explorer.explorer import Explorer
from csp.work.labels.absence import absence, lacking
from csp.work.labels.vocabulary import shown_name
from csp.work.reviews.checklist import ARTEFACT, Criteria, criteria, criteria_of, words_pattern
from csp.world.tables import read_table

OWN = "concepts.csv"
STARTS = ("artefact", "7-point", "skin")
"""Groups of tags that stand for one concept each; those of the ABCDE rule hold several ("colour")."""
BESIDE = (ARTEFACT, "skin")
"""Groups of tags that name what is not the lesion."""


@dataclass(frozen=True)
class Meaning:
    """What several labels mean; two are the same when their keys are."""

    key: str
    name: str
    """For people."""
    attributes: frozenset[str] = frozenset()
    """The attributes that the vocabulary says it names; any of them shows it."""


class Meanings:
    """Tells what the labels of one run mean."""

    def __init__(self, explorer: Explorer) -> None:
        self._synonyms = explorer.synonyms
        self._own, self._criteria = own_concepts(), criteria()
        self._stated = _stated(explorer.run)
        self._by_tag: dict[str, Meaning] = {}
        for text, meaning in self._stated.items():
            if (tag := self.tag(text)) is not None:
                self._by_tag.setdefault(tag, meaning)

    def of(self, labels: Iterable[str]) -> dict[str, Meaning]:
        """What each label means; of those that only the encoder tells apart, the first gives the name."""
        found: dict[str, Meaning] = {}
        guessed: list[str] = []
        for label in labels:
            meaning = self._known(label)
            if meaning is None:
                first = next((one for one in guessed if self._synonyms.same(one, label)), None)
                if first is None:
                    guessed.append(label)
                first = label if first is None else first
                meaning = Meaning(f"text:{same_label(first)}", first)
            found[label] = meaning
        return found

    def tag(self, label: str) -> str | None:
        """The one criterion that a label speaks of; None where it speaks of none, or of several."""
        tags = [tag for tag in criteria_of(label, self._criteria) if tag.partition(":")[0] in STARTS]
        return tags[0] if len(tags) == 1 else None

    def beside(self, label: str) -> bool:
        """Whether a label names what is not the lesion: an artefact, or the skin around it."""
        return any(tag.partition(":")[0] in BESIDE for tag in criteria_of(label, self._criteria))

    def _known(self, label: str) -> Meaning | None:
        if (thing := lacking(label)) is not None:
            meant = self._known(thing) or Meaning(f"text:{same_label(thing)}", thing)
            return Meaning(f"no:{meant.key}", absence(meant.name))
        own = criteria_of(label, self._own)
        if own:
            return Meaning(f"own:{own[0]}", own[0])
        stated, tag = self._stated.get(same_label(label)), self.tag(label)
        if stated is not None:
            return stated
        if tag is not None:
            return self._by_tag.get(tag, Meaning(f"tag:{tag}", TAGS[tag]))
        return None


def own_concepts() -> Criteria:
    """The concepts that people wrote into `concepts.csv`; BadInputError for a file that can't be used."""
    path = home() / OWN
    return _read(path, path.stat().st_mtime_ns) if path.is_file() else {}


@cache
def _read(path: Path, changed: int) -> dict[str, re.Pattern[str]]:
    """`changed` makes an edited file be read again."""
    table = read_table(path, "concepts")
    concept, words = table.column(["concept"]), table.column(["words"])
    if concept is None or words is None:
        raise BadInputError(f"{path} must have the columns concept and words")
    found: dict[str, re.Pattern[str]] = {}
    for name, given, line in zip(table.cells(concept), table.cells(words), table.lines, strict=True):
        if not name.strip() or not given.replace(";", "").strip():
            raise BadInputError(
                f"{path}, line {line}: name a concept and write its words with ; between them"
            )
        found[name.strip()] = words_pattern(given)
    return found


def _stated(run: Run) -> dict[str, Meaning]:
    """By text of the vocabulary that says which attributes it names, its meaning."""
    texts: dict[frozenset[str], list[str]] = {}
    for text, attributes in zip(run.vocabulary["text"], run.vocabulary["attributes"], strict=True):
        if len(attributes):
            texts.setdefault(frozenset(attributes), []).append(text)
    meanings = {
        named: Meaning(f"attributes:{';'.join(sorted(named))}", _name(run, named, own), named)
        for named, own in texts.items()
    }
    return {same_label(text): meanings[named] for named, own in texts.items() for text in own}


def _name(run: Run, attributes: frozenset[str], texts: list[str]) -> str:
    """The attribute as every page shows it; of several a text."""
    if len(attributes) > 1:
        return texts[0]
    return shown_name(run, next(iter(attributes)))
