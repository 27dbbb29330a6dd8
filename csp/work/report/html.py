"""Lays the audit report out as one HTML file: no request to anywhere, no script, pictures inside.

A picture that several neurons share is in the file once (an SVG image that is used by name), so that a whole
layer stays small.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from csp.errors import NotFoundError
from csp.keeping.reviews.vocabulary import COUNTED, DONE, NO_LABEL_FITS
from csp.keeping.run_folder.run import Run
from csp.keeping.run_folder.thumbnails import shrunk
from csp.work.attribution.class_attribution import HOW
from csp.work.attribution.model_card import GUESSES_BY_NONE
from csp.work.explorer.views import ImageFacts
from csp.work.progress import Report, Stage, silent
from csp.work.reliance.words import signed
from csp.work.report.content import COSINE, NOTHING_FITS, Content, pictured
from csp.work.report.findings import MOST
from csp.work.report.requirements import answered
from csp.work.subgroups import SMALL
from csp.world.pictures.data_url import data_url

SIDE = 112
"""Longest side of a picture in the file, in pixels."""
CONTENTS = {
    "findings": "Findings",
    "answers": "Where usual questions are answered",
    "model": "The model",
    "data": "The images",
    "method": "How the labels were made",
    "coverage": "What was checked",
    "quality": "How good the model is, for whom",
    "artefacts": "Artefacts that the model may rely on",
    "criteria": "Clinical criteria",
    "agreement": "Agreement and open disputes",
    "neurons": "The neurons",
    "record": "The record",
    "limits": "What this report does not show",
    "hashes": "Files of the run",
}
HALF = 0.5
EVERY = 50
"""Pictures between two reports of progress."""


def report_html(content: Content, drawn: Mapping[int, str] | None) -> str:
    """The report as text; `drawn` has the pictures by image number, None leaves them out."""
    environment = Environment(
        loader=PackageLoader("csp.work.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"number": _number, "percent": _percent, "signed": _signed, "time": _time}
    return environment.get_template("report.html.j2").render(
        vars(content)
        | {
            "total": sum(layer.neurons for layer in content.audit.coverage.values()),
            "neurons": content.neurons,
            "guesses_by_none": GUESSES_BY_NONE,
            "no_groups": content.no_groups,
            "nothing_fits": NOTHING_FITS,
            "no_label_fits": NO_LABEL_FITS,
            "done": DONE,
            "counted": COUNTED,
            "beside_csp": any(one.name != COSINE for one, _ in content.labelers),
            "contents": CONTENTS,
            "requirements": tuple(answered(content)),
            "stable": _stable(content),
            "pictures": drawn is not None,
            "drawn": drawn or {},
            "side": SIDE,
            "alt": _alt,
            "how": HOW,
            "small": SMALL,
            "most": MOST,
            "css": Markup((Path(__file__).with_name("report.css")).read_text()),  # noqa: S704 # our own file
        }
    )


def drawn_pictures(run: Run, content: Content, report: Report = silent) -> dict[int, str]:
    """The pictures that the neurons show, by image number, as addresses that hold the picture itself."""
    images = pictured(content.neurons)
    stage, drawn = Stage("pictures", len(images), report), {}
    for position, image in enumerate(images):
        if position % EVERY == 0:
            stage.reached(position)
        try:
            picture = shrunk(run.thumbnail(image, "small"), SIDE)
        except NotFoundError:
            continue
        drawn[image] = data_url(picture, "jpeg")
    stage.reached(len(images))
    return drawn


def _stable(content: Content) -> dict[str, int]:
    """Of how many labels the stability was measured, and how many stay first in fewer than half of trials."""
    measured = [entry.stability for entry in content.neurons if isfinite(entry.stability)]
    return {"n": len(measured), "low": sum(one < HALF for one in measured)}


def _alt(facts: ImageFacts) -> str:
    shows = f", shows {', '.join(facts.attributes)}" if facts.attributes else ""
    return f"image {facts.image}{f': {facts.label}' if facts.label else ''}{shows}"


def _number(value: float | None) -> str:
    return "–" if value is None or not isfinite(value) else f"{value:z.3f}"


def _signed(value: float) -> str:
    """A push, as pages write it."""
    return signed(value, 2)


def _percent(share: float | None) -> str:
    return "–" if share is None or not isfinite(share) else f"{100 * share:.0f} %"


def _time(when: datetime) -> str:
    return f"{when.astimezone(UTC):%d %b %Y, %H:%M:%S} UTC"
