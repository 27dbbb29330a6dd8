"""Reads concepts out of what a VLM answered: lists, JSON, prose; nothing where it refuses or rambles.

The reference implementation lower-cases, splits at commas and drops labels over 40 characters; so does this.
Beyond that, what models really write is understood: numbers, bullets, JSON, bold heads with explanations,
sentences that lead in. Spaces stay spaces, and underscores become spaces.
"""

import json
import re
import unicodedata
from collections.abc import Iterator
from typing import Any

LONGEST = 40
"""Characters of a label (of the reference implementation)."""
MOST_WORDS, MOST_LISTED_WORDS = 4, 6
"""Of a concept: four, as the prompt asks; six where it is an item of a list, as models miscount."""
MOST_CONCEPTS = 10
"""Of one answer: an endless one says the same thing over and over."""
LONGEST_ANSWER = 20_000
"""Characters that are looked at."""

_NO_TEXT = ("Cc", "Cs")
_THOUGHTS = re.compile(r"<think>.*?(</think>|\Z)", re.DOTALL)
_MARKUP = re.compile(r"```\w*|</?\w{1,10}>")
_ITEM = re.compile(r"^\s*(?:[-*•–·▪]|\(?\d{1,2}\s*[.):]|\(?[a-e][.)])\s+(?=\S)", re.IGNORECASE)
_INLINE_ITEM = re.compile(r"(?<=\S)[ \t]+(?=\(?[1-9][.)]\s+\S)")
_BOLD = re.compile(r"\*\*(.+?)\*\*|__(.+?)__")
_SPLIT = re.compile(r"[,;\n]|\.(?=\s|$)", re.MULTILINE)
_AND = re.compile(r"\s+and\s+", re.IGNORECASE)
_EXPLANATION = re.compile(
    r"(?:\s*[:(\[]|\s[-–—]+\s|\b(?:which|that|because|while|indicating|suggesting)\b).*", re.DOTALL
)
_LEAD_IN = re.compile(
    r"^.*\b(?:show|contain|share|ha[vs]e?|feature|depict|include|display|exhibit|reveal)s?\s+"
    r"|^.*\b(?:there|concepts|features|elements|answers?)\s+(?:is|are)\s+|^.*\bsee\s+",
    re.IGNORECASE,
)
_ARTICLE = re.compile(
    r"^(?:(?:and|or|also|both|all|some|(?:the )?presence of|the|an?)\s+)+(?=\S)", re.IGNORECASE
)
# what only sentences about the answer, or instead of one, hold
_NO_CONCEPT = re.compile(
    r"\b(?:i'?m|i am|i|we|you|sorry|cannot|can'?t|unable|apologi[sz]e|as an ai|language model|not possible|"
    r"no (?:common|shared|obvious|concepts?)|none|nothing|n/a|unknown|here (?:are|is)|concepts?|neurons?|"
    r"(?:first|second|both|other|these|all|the) (?:grid|picture|image|group)s?)\b|^(?:sure|yes|no)$",
    re.IGNORECASE,
)
_INNER = re.compile(r"[_*`]")
_EDGES = " \t\n\r\"'`*_“”‘’«».,;:!?()[]{}<>|#~=-–—•"


def storable(answer: str) -> str:
    """An answer as it is kept: no longer than what is looked at, without what no table or screen can hold."""
    looked_at = answer[:LONGEST_ANSWER]
    return "".join(one for one in looked_at if one in "\n\t" or unicodedata.category(one) not in _NO_TEXT)


def parse_answer(raw: str) -> tuple[str, ...]:
    """The concepts of an answer in its order, at most `MOST_CONCEPTS`, none twice; empty where it has none.

    Each is lower-case, of at most `LONGEST` characters, in single spaces, and has a letter.
    """
    text = _MARKUP.sub(" ", _THOUGHTS.sub("", raw[:LONGEST_ANSWER])).replace("’", "'")
    found: dict[str, None] = {}
    for piece, most_words in _pieces(text):
        concept = _clean(piece)
        if concept and len(concept.split()) <= most_words:
            found.setdefault(concept)
    return tuple(found)[:MOST_CONCEPTS]


def _pieces(text: str) -> Iterator[tuple[str, int]]:
    """Parts of an answer that may be concepts, each with how many words it may have."""
    document = _json(text)
    if document is not None:
        yield from ((piece, MOST_LISTED_WORDS) for piece in _strings(document))
        return
    lines = _INLINE_ITEM.sub("\n", text).splitlines()
    items = [line for line in lines if _ITEM.match(line)]
    for item in items:
        bold = _BOLD.search(item)
        head = (bold[1] or bold[2]) if bold else _ITEM.sub("", item, count=1)
        yield from ((part, MOST_LISTED_WORDS) for part in re.split("[,;]", _without_explanation(head)))
    if not items:
        yield from ((piece, MOST_WORDS) for piece in _prose(text))


def _json(text: str) -> Any:
    """The JSON list or object that the answer is, or holds; None where it holds none."""
    starts = [place for place in map(text.find, "[{") if place >= 0]
    if not starts:
        return None
    start = min(starts)
    stop = text.rfind("]" if text[start] == "[" else "}")
    try:
        return json.loads(text[start : stop + 1])
    except (ValueError, RecursionError):
        return None


def _strings(document: Any) -> Iterator[str]:
    """The texts of a JSON document: of an object in a list, the first only, as others explain it."""
    if isinstance(document, str):
        yield document
    elif isinstance(document, dict):
        for value in document.values():
            yield from _strings(value)
    elif isinstance(document, list):
        for value in document:
            texts = _strings(value)
            yield from ([next(texts, "")] if isinstance(value, dict) else texts)


def _prose(text: str) -> Iterator[str]:
    """What lies between commas and full stops; of a sentence, what comes after its verb, parted at "and"."""
    for piece in _SPLIT.split(_BOLD.sub(r"\1\2", text)):
        said = _without_explanation(piece.rsplit(":", 1)[-1])
        rest = _LEAD_IN.sub("", said)
        sentence = rest != said or len(rest.split()) > MOST_WORDS
        yield from _AND.split(rest) if sentence else [rest]


def _without_explanation(piece: str) -> str:
    return _EXPLANATION.sub("", piece.strip(_EDGES))


def _clean(piece: str) -> str:
    """A label as people read it, or nothing where the piece is none."""
    words = " ".join(_INNER.sub(" ", piece).split()).strip(_EDGES)
    concept = _ARTICLE.sub("", words).strip(_EDGES).lower()
    fits = 2 <= len(concept) <= LONGEST and concept.isprintable() and any(sign.isalpha() for sign in concept)
    return "" if not fits or _NO_CONCEPT.search(words) else concept
