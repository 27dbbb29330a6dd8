"""Where the report answers what regulators and standards usually ask, by chapter of `html.CONTENTS`.

    for one in answered(content): one.source, one.question, one.chapters, one.remark

Questions in our own words, after the EU AI Act (Regulation (EU) 2024/1689, articles 12 to 14), the
transparency principles for machine learning-enabled medical devices (FDA, Health Canada, MHRA) and
ISO/IEC 42001 (Annex A). Not covered: the report can't know it; nothing here is legal advice.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from csp.work.report.content import Content

Needs = Literal["numbers", "groups", ""]


@dataclass(frozen=True)
class Requirement:
    """One question, and the chapters that answer it; none: not covered."""

    source: str
    question: str
    chapters: tuple[str, ...] = ()
    remark: str = ""
    needs: Needs = ""
    """What a run must hold for an answer: how good the model is (`numbers`), and for whom (`groups`)."""


def answered(content: Content) -> Iterator[Requirement]:
    """The questions as this report answers them: what the run doesn't hold is not covered, with why."""
    lacking = {"numbers": "" if content.cards else content.no_card, "groups": content.no_groups}
    for one in REQUIREMENTS:
        why = lacking.get(one.needs, "")
        yield replace(one, chapters=(), remark=why) if why else one


_ACT, _FDA, _ISO = "EU AI Act", "FDA, Health Canada, MHRA: transparency", "ISO/IEC 42001"

REQUIREMENTS = (
    Requirement(
        f"{_ACT}, art. 12",
        "Are the events of checking recorded, in order, and can a change be noticed?",
        ("record",),
    ),
    Requirement(f"{_ACT}, art. 12", "Who checked a result, and when?", ("record", "coverage")),
    Requirement(f"{_ACT}, art. 12", "Is each use of the classifier logged while it is in operation?"),
    Requirement(
        f"{_ACT}, art. 13", "What is the system, by which version and which weights?", ("model", "hashes")
    ),
    Requirement(f"{_ACT}, art. 13", "What is its intended purpose, and who is its provider?"),
    Requirement(
        f"{_ACT}, art. 13", "How accurate is it?", ("quality",), "on the probe images only", "numbers"
    ),
    Requirement(f"{_ACT}, art. 13", "How robust is it, and how secure against attacks?"),
    Requirement(f"{_ACT}, art. 13", "What can explain its output?", ("findings", "method", "neurons")),
    Requirement(
        f"{_ACT}, art. 13",
        "How does it do for particular groups of persons?",
        ("quality",),
        "on the probe images only",
        "groups",
    ),
    Requirement(f"{_ACT}, art. 13", "Which data was it trained, validated and tested on?"),
    Requirement(
        f"{_ACT}, art. 13",
        "Which known circumstances may lead to risks?",
        ("artefacts", "limits"),
        "artefacts that it may rely on",
    ),
    Requirement(
        f"{_ACT}, art. 14", "Can people understand its capacities and limits?", ("findings", "limits")
    ),
    Requirement(
        f"{_ACT}, art. 14",
        "Are people kept from relying on the machine's word alone?",
        ("coverage", "agreement"),
        "blind looks, random sample, disputes",
    ),
    Requirement(
        f"{_ACT}, art. 14", "Can people overrule the label that explains a neuron?", ("coverage", "record")
    ),
    Requirement(
        f"{_ACT}, art. 14",
        "Can people stop the classifier, or decide not to use it, while it is in operation?",
    ),
    Requirement(_FDA, "What does the device do, for whom, and how does it fit into the clinical workflow?"),
    Requirement(
        _FDA, "What is the logic of its output, where that is known?", ("findings", "artefacts", "neurons")
    ),
    Requirement(_FDA, "How well does it perform?", ("quality",), "on the probe images only", "numbers"),
    Requirement(_FDA, "Which biases, gaps and limitations are known?", ("artefacts", "criteria", "limits")),
    Requirement(_FDA, "Which data was it developed on?"),
    Requirement(_FDA, "How is it watched and changed over its life?"),
    Requirement(
        _ISO, "Which data was used for this examination, and where does it come from?", ("data", "hashes")
    ),
    Requirement(
        _ISO,
        "Was the system verified and validated, and how?",
        ("method", "coverage"),
        "of the labels of its neurons only",
    ),
    Requirement(
        _ISO,
        "Which documentation is there for users and other interested parties?",
        ("findings", "method", "limits"),
    ),
    Requirement(_ISO, "Which roles took part, with which responsibility?", ("coverage", "record")),
    Requirement(_ISO, "Was the impact on persons and on society assessed?"),
    Requirement(_ISO, "Is there a policy and a management of risks for the system?"),
)
