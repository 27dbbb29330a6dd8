"""A probe dataset from DICOM files, told by their content: each frame is a picture.

Of what a file says beside its pixels only what names nobody is kept: kind of device, part of the body, side,
sex, and the age in years.
"""

import io
import re
from pathlib import PurePosixPath
from typing import Any

from csp.errors import BadInputError
from csp.world.datasets.places import folder_of, root_of
from csp.world.datasets.values import Records
from csp.world.pictures.decode import UnreadableImageError
from csp.world.pictures.dicom import frame_count, not_quoting, read_header
from csp.world.pictures.file_kinds import HEAD_BYTES, is_dicom
from csp.world.places.pseudonyms import Hidden, Pseudonyms, pseudonyms
from csp.world.protocols.dataset import Dataset

OLDEST = 90
"""All who are older count as of this age: there are too few of them to stay unknown."""
MOST_FRAMES = 10_000
CODES = {"modality": "Modality", "body_part": "BodyPartExamined", "side": "Laterality", "sex": "PatientSex"}
NOTE = (
    "pictures are named by their content, as the names of DICOM files and folders may name patients; labels "
    "come from a table (csv:), since folders may be those of patients"
)
_CODE = re.compile(r"[A-Z0-9 _]{1,16}")
_AGE = re.compile(r"(\d{3})([DWMY])")
_YEARS = {"D": 365.25, "W": 52.18, "M": 12.0, "Y": 1.0}


def open_dataset(name: str) -> Dataset:
    """All DICOM files below a folder. Raises `NotFoundError`, or `BadInputError` where there is none."""
    place = folder_of(name, "DICOM folder")
    found = list(place.files())
    files = sorted(path for path in found if is_dicom(place.head(path, HEAD_BYTES)))
    if not files:
        raise BadInputError(f"The folder '{name}' has no DICOM files.")
    hidden: dict[str, Hidden] = {}
    records = Records((), ())
    for path, pseudonym in sorted(pseudonyms(place, files).items(), key=lambda each: each[1]):
        said, frames = _said(place.read(path))
        for frame in range(min(frames, MOST_FRAMES)):
            shown = PurePosixPath(pseudonym).stem + (f"-frame{frame + 1}" if frames > 1 else "") + ".dcm"
            hidden[shown] = Hidden(path, frame)
            records.add(shown, None, said | ({"frame": frame + 1} if frames > 1 else {}))
    passed = len(found) - len(files)
    notes = (NOTE, *([f"{passed:,} files that are no DICOM were passed over"] if passed else []))
    holder = Pseudonyms(place, hidden)
    return Dataset(f"dicom:{name}", root_of(place, name), records.table(), notes, holder)


def _said(data: bytes) -> tuple[dict[str, Any], int]:
    """What a file says that names nobody, and how many frames it has; a damaged one is left out later."""
    try:
        header = read_header(io.BytesIO(data))
        with not_quoting():
            codes = {name: str(header.get(tag) or "").strip().upper() for name, tag in CODES.items()}
            age = _AGE.fullmatch(str(header.get("PatientAge") or "").strip())
        frames = frame_count(header)
    except UnreadableImageError:
        return {}, 1
    said: dict[str, Any] = {name: code for name, code in codes.items() if _CODE.fullmatch(code)}
    if age is not None:
        said["age"] = min(OLDEST, int(int(age[1]) / _YEARS[age[2]]))
    return said, frames
