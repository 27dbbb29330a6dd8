"""What runs there are, and how they are: `csp runs` and the page of runs."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from csp.counts import counted
from csp.keeping.faults import told
from csp.keeping.home import SHIPPED_RUNS
from csp.keeping.library.find import list_runs
from csp.keeping.run_folder.manifest import Manifest
from csp.keeping.run_folder.mirror import mirror_in
from csp.keeping.run_folder.run import Run
from csp.keeping.run_folder.thumbnails import PACK_NAME
from csp.keeping.run_folder.trust import Trust, decision_on, trust_of
from csp.keeping.versions import csp_version
from csp.work.runs.spec_paths import openable_spec
from csp.work.runs.strangers import how_to_trust
from csp.world.specs.paths import split_path


@dataclass(frozen=True)
class RunFacts:
    """A run as the page of runs shows it: `manifest` is None where it can't be read, as `problem` says."""

    name: str
    path: Path
    manifest: Manifest | None
    problem: str
    shipped: bool
    megabytes: float
    """Size of its files as the manifest lists them."""
    remarks: tuple[str, ...]
    """What is worth knowing before relying on it, each in a sentence."""
    trust: Trust | None = None
    """Why it may name what to open; None for a stranger, as one of the remarks says."""
    address: str = ""
    """Of a run on a server."""


def run_facts() -> tuple[RunFacts, ...]:
    """All runs that have a name, from their manifests alone."""
    return tuple(_facts(path) for path in list_runs())


def _facts(path: Path) -> RunFacts:
    shipped, mirror = path.is_relative_to(SHIPPED_RUNS), mirror_in(path)
    address = mirror.address if mirror else ""
    try:
        manifest = Run.open(path).manifest
        size = sum(record.bytes for record in manifest.files.values()) / 1e6
        trust = trust_of(path, manifest)
        remarks = tuple(_remarks(path.name, manifest, trust))
        return RunFacts(path.name, path, manifest, "", shipped, size, remarks, trust, address)
    except Exception as error:  # noqa: BLE001 # one run must not hide the others
        return RunFacts(path.name, path, None, told(error), shipped, 0.0, (), address=address)


def _remarks(name: str, manifest: Manifest, trust: Trust | None) -> Iterator[str]:
    if trust is None:
        yield how_to_trust(name)
        if (withdrawn := decision_on(manifest)) is not None:
            yield f"{withdrawn.who} withdrew the trust in it at {withdrawn.when}."
    elif trust.how == "trusted":
        yield f"Made elsewhere; {trust.who} trusted it at {trust.when}."
    if manifest.csp_version != csp_version():
        yield f"It was made by CSP Explorer {manifest.csp_version}; this is {csp_version()}."
    if manifest.skipped:
        yield f"{manifest.skipped:,} images could not be read and were left out."
    if PACK_NAME not in manifest.files:
        yield "It has no pictures."
    if trust is not None:
        yield from _gone(manifest)
    yield from _by_layer(manifest)


def _by_layer(manifest: Manifest) -> Iterator[str]:
    """The notes, those of one layer in one: of an SAE both its training and the run tell how well it fits."""
    layers = {one.layer for one in manifest.layers}
    found: dict[str, list[str]] = {}
    for note in manifest.notes:
        layer, _, said = note.partition(": ")
        of_layer = layer in layers and bool(said)
        found.setdefault(layer if of_layer else note, []).append(said if of_layer else "")
    for name, parts in found.items():
        said = "; ".join(part.rstrip(".") for part in parts)
        yield f"{name}: {said}." if said else name


def _gone(manifest: Manifest) -> Iterator[str]:
    """Of a stranger that is not even looked for: it would tell what files there are."""
    sources = {"images": manifest.dataset, "model": manifest.target, "encoder": manifest.encoder}
    for what, source in sources.items():
        path = split_path(openable_spec(source.spec))[1]
        if path.startswith("/") and not Path(path).exists():
            yield f"Its {what} {_are(what)} no longer at {path}; only asking the model anew needs that."


def _are(what: str) -> str:
    return "are" if what.endswith("s") else "is"


def looked_at(manifest: Manifest) -> str:
    """`1,600 images of drawn dermoscopy`; how many alone where none were given to an import."""
    images, data = counted(manifest.images, "image"), manifest.dataset
    return f"{images} of {data.name}" if data.hash else f"{images} that the run does not hold"


def describe_runs() -> list[dict[str, Any]]:
    """Each run that has a name, as a JSON object; a damaged one has only name, path and problem."""
    return [_describe(path) for path in list_runs()]


def _describe(path: Path) -> dict[str, Any]:
    try:
        return _described(path, Run.open(path).manifest)
    except Exception as error:  # noqa: BLE001 # one run must not hide the others
        return {"name": path.name, "path": str(path), "problem": told(error)}


def _described(path: Path, manifest: Manifest) -> dict[str, Any]:
    return {
        "name": path.name,
        "path": str(path),
        "target": manifest.target.name,
        "dataset": manifest.dataset.name,
        "encoder": manifest.encoder.name,
        "layers": [{"layer": record.layer, "neurons": record.neurons} for record in manifest.layers],
        "images": manifest.images,
        "skipped": manifest.skipped,
        "created": manifest.created.isoformat(timespec="seconds"),
        "fingerprint": manifest.fingerprint,
        "notes": list(manifest.notes),
        "trust": None if (trust := trust_of(path, manifest)) is None else asdict(trust),
        "problem": None,
    }
