"""What a file is that is no picture which can be read: told from its first bytes, in words."""

import re

HEAD_BYTES = 512

_READ_HERE = (
    (b"\xff\xd8\xff", "a JPEG"),
    (b"\x89PNG", "a PNG"),
    (b"II*\0", "a TIFF"),
    (b"MM\0*", "a TIFF"),
    (b"II+\0", "a large TIFF"),
    (b"MM\0+", "a large TIFF"),
    (b"GIF8", "a GIF"),
    (b"BM", "a BMP"),
    (b"\0\0\0\x0cjP  ", "a JPEG 2000"),
    (b"\xff\x4f\xff\x51", "a JPEG 2000"),
)
_SAVE = ": save it as JPEG or PNG"
_OTHERS = (
    (b"version https://git-lfs", "a Git LFS pointer, not the picture itself: fetch it with git lfs pull"),
    (b"\xff\x0a", f"a JPEG XL picture{_SAVE}"),
    (b"\0\0\0\x0cJXL ", f"a JPEG XL picture{_SAVE}"),
    (b"8BPS", f"a Photoshop file{_SAVE}"),
    (b"%PDF", f"a PDF{_SAVE}"),
    (b"%!PS", f"a PostScript (EPS) file{_SAVE}"),
    (b"\0\0\1\0", f"an icon{_SAVE}"),
    (b"icns", f"an icon{_SAVE}"),
    (b"\x76\x2f\x31\x01", f"an OpenEXR picture{_SAVE}"),
    (b"#?RADIANCE", f"a Radiance HDR picture{_SAVE}"),
    (b"qoif", f"a QOI picture{_SAVE}"),
    (b"DDS ", f"a DDS texture{_SAVE}"),
    (b"SIMPLE  =", f"a FITS file{_SAVE}"),
    (b"\x93NUMPY", f"a NumPy array{_SAVE}"),
    (b"\x89HDF", f"an HDF5 file{_SAVE}"),
    (b"FUJIFILM", f"a raw file of a camera{_SAVE}"),
    (b"PK\x03\x04", "a zip archive (or an Office file): unpack it"),
    (b"\x1f\x8b", "a gzip archive: unpack it"),
    (b"7z\xbc\xaf", "a 7z archive: unpack it"),
    (b"Rar!", "a RAR archive: unpack it"),
)
_FTYP = {
    b"crx ": f"a raw file of a camera (CR3){_SAVE}",
    b"qt  ": "a film, not a picture",
    b"isom": "a film, not a picture",
    b"mp42": "a film, not a picture",
}
_HEIC = re.compile(rb"hei[cxms]|hev[cx]|mif1|msf1")
_WEB_PAGE = re.compile(rb"^\s*(<!doctype html|<html|<head|<body)", re.IGNORECASE)
_SVG = re.compile(
    rb"^\s*(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)?(<!doctype svg[^>]*>\s*)?<svg", re.IGNORECASE | re.DOTALL
)


_DICOM_OF_OLD = re.compile(rb"\x08\x00[\x00\x05\x08\x12-\x16\x18]\x00")
"""Files from before the standard had a mark begin with their first element."""


def is_dicom(head: bytes) -> bool:
    """Whether a file that begins so is DICOM."""
    return head[128:132] == b"DICM" or _DICOM_OF_OLD.match(head) is not None


def is_heic(head: bytes) -> bool:
    """Whether a file that begins so is HEIC, as phones save their pictures."""
    return head[4:8] == b"ftyp" and b"avif" not in head[8:64] and _HEIC.search(head[8:64]) is not None


def refusal(head: bytes) -> str:
    """A sentence on a file, of which `head` is the beginning, that no decoder knows."""
    known = next(
        (kind for sign, kind in _READ_HERE if head.startswith(sign)), "a HEIC" if is_heic(head) else ""
    )
    if known:
        return (
            f"This is {known} file of a sort that can't be read here, or its head is damaged: "
            "save it anew as an ordinary 8-bit JPEG or PNG."
        )
    return f"The file is not an image that can be read here: it is {_kind(head)}."


def _kind(head: bytes) -> str:
    for sign, kind in _OTHERS:
        if head.startswith(sign):
            return kind
    if head[4:8] == b"ftyp":
        return _FTYP.get(head[8:12], f"a film, or a picture in a film's format{_SAVE}")
    if head[344:347] in (b"n+1", b"ni1"):
        return "a NIfTI volume: export its slices as PNG"
    if _WEB_PAGE.match(head):
        return "a web page, as a failed download leaves it: download the picture itself"
    if _SVG.match(head):
        return f"an SVG drawing{_SAVE}"
    if _is_text(head):
        return "text"
    return "of no known format, or its head is damaged"


def _is_text(head: bytes) -> bool:
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(head) - 4:  # else a letter that was cut in two
            return False
        text = head[: error.start].decode("utf-8")
    return all(letter.isprintable() or letter.isspace() for letter in text)
