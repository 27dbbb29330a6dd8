"""The texts of a run's vocabulary, and which row a text has among them.

vocabulary = run_vocabulary(run)             # without any text for a run that has no text embeddings
vocabulary.row("Blue-white veil")            # 17, or None
vocabulary.embedding("ruler")                # its row of the embeddings, or None
vocabulary.spelling("blue white veils")      # "blue-white veil": the text itself where no term is so spelled
shown_name(run, "blue_white_veil")           # "blue-white veil", as the vocabulary writes it
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import islice

import numpy as np
from jaxtyping import Float32

from csp.errors import BadInputError
from csp.keeping.run_folder.run import Run

LONGEST = 300
"""Characters of a text that is scored."""


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """Texts with their embeddings, row by row."""

    texts: tuple[str, ...]
    embeddings: Float32[np.ndarray, "t d"]

    def row(self, text: str) -> int | None:
        """The row of a text; None for one that is not among them.

        Capital letters do not count, unless two texts differ in nothing else: then each has its own row, and
        any other spelling is the first of them.
        """
        exact, folded = self._rows
        return exact.get(text, folded.get(text.casefold()))

    def embedding(self, text: str) -> Float32[np.ndarray, " d"] | None:
        """The embedding of a text; None for one that is not among them."""
        row = self.row(text)
        return None if row is None else self.embeddings[row]

    def spelling(self, text: str) -> str:
        """The term that a text is but for hyphens and plurals; the text itself if it has a row, or none is.

        A person who types "hair" or "blue white veil" means the term, and would else be asked of the encoder.
        """
        return text if self.row(text) is not None else self._spellings.get(_bare(text), text)

    def holding(self, words: str, most: int) -> list[str]:
        """The first `most` texts that hold these words as they stand, whatever the capital letters."""
        asked = words.casefold()
        return list(islice((text for text in self.texts if asked in text.casefold()), most))

    def joined(self, texts: Sequence[str], embeddings: Sequence[Float32[np.ndarray, " d"]]) -> "Vocabulary":
        """These texts, and after them those of the others that are not among them yet."""
        known, more = {text.casefold() for text in self.texts}, dict[str, tuple[str, np.ndarray]]()
        for text, embedding in zip(texts, embeddings, strict=True):
            if text.casefold() not in known:
                more.setdefault(text.casefold(), (text, np.asarray(embedding, np.float32)))
        if not more:
            return self
        names, rows = zip(*more.values(), strict=True)
        return Vocabulary((*self.texts, *names), np.concatenate([self.embeddings, np.stack(rows)]))

    @cached_property
    def _rows(self) -> tuple[dict[str, int], dict[str, int]]:
        """The row of each text as it is written, and in lower case; of equal ones the first."""
        exact: dict[str, int] = {}
        folded: dict[str, int] = {}
        for row, text in enumerate(self.texts):
            exact.setdefault(text, row)
            folded.setdefault(text.casefold(), row)
        return exact, folded

    @cached_property
    def _spellings(self) -> dict[str, str]:
        """The terms by what they are without hyphens and plurals; of equal ones the first."""
        found = {_bare(text): text for text in reversed(self.texts)}
        found.pop("", None)  # what consists of signs alone
        return found


def _bare(text: str) -> str:
    """A text in lower case, with blanks for hyphens and each longer word without the s at its end."""
    words = re.split(r"[\s_\-\u2010-\u2013]+", text.casefold())
    return " ".join(re.sub(r"(?<=\w{3})(?<!s)s$", "", word) for word in words).strip()


def clean_text(text: str) -> str:
    """The text on one line with single spaces, a blank in place of each control character.

    Raises BadInputError when nothing to read is left, it is too long to be scored, or holds half a character.
    """
    if any("\ud800" <= one <= "\udfff" for one in text):
        raise BadInputError(f"the text {text!r} holds half a character, so it is no text: write it anew")
    text = " ".join("".join(" " if unicodedata.category(one) == "Cc" else one for one in text).split())
    if all(unicodedata.category(one)[0] in "CZ" for one in text):
        raise BadInputError("there is nothing to read in the text; write at least a word")
    if len(text) > LONGEST:
        raise BadInputError(
            f"a text of {len(text):,} characters is too long for the encoder; write at most {LONGEST}"
        )
    return text


@lru_cache(maxsize=8)
def run_vocabulary(run: Run) -> Vocabulary:
    """The vocabulary of a run."""
    if run.text_embeddings is None:
        return Vocabulary((), np.zeros((0, run.manifest.dimension), np.float32))
    return Vocabulary(tuple(run.vocabulary["text"]), run.text_embeddings)


def shown_name(run: Run, name: str) -> str:
    """The name of a column, an attribute or a class as every page shows it: as the vocabulary writes it, else
    with blanks for underscores.
    """
    vocabulary = run_vocabulary(run)
    row = vocabulary.row(vocabulary.spelling(name))
    if row is not None:
        return vocabulary.texts[row]
    return " ".join(name.replace("_", " ").split()) or name


def as_words(name: str) -> str:
    """A name without its capitals, hyphens and underscores: of `blue_white_veil`, "blue white veil"."""
    return " ".join(re.split(r"[\W_]+", name.casefold())).strip()
