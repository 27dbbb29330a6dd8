"""Whether a run is sound: what `csp doctor` and *Check* on the page of runs say of it."""

from dataclasses import dataclass
from pathlib import Path

from csp.keeping.faults import told
from csp.keeping.run_folder.added_tables import Additions
from csp.keeping.run_folder.mirror import Mirror
from csp.keeping.run_folder.run import Run


@dataclass(frozen=True)
class Soundness:
    """What is wrong with a run, and what is worth knowing, each in a sentence."""

    problems: tuple[str, ...]
    notes: tuple[str, ...] = ()


def soundness(path: Path) -> Soundness:
    """Read a whole run again; of one on a server what was fetched, and ask the server whether it is there.

    A server that gives nothing is a problem only while files are still to be fetched from it.
    """
    try:
        run = Run.open(path)
        problems = [*run.check(), *Additions(run).problems()]
        notes = []
        if run.mirror is not None:
            notes.append(_fetched(run, run.mirror))
            if fault := run.mirror.server_problem():
                (notes if run.is_whole else problems).append(fault)
        return Soundness(tuple(problems), tuple(notes))
    except Exception as error:  # noqa: BLE001 # whatever a damaged run brings about is a finding
        return Soundness((told(error),))


def _fetched(run: Run, mirror: Mirror) -> str:
    files = run.manifest.files
    here = mirror.fetched(files)
    size, of = (sum(files[name].bytes for name in names) / 1e6 for names in (here, files))
    return (
        f"{len(here):,} of {len(files):,} files ({size:,.1f} of {of:,.1f} MB) are here from {mirror.address}."
    )
