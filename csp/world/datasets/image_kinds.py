"""Which files are images, by the endings of their names."""

from pathlib import PurePosixPath

# fmt: off
EXTENSIONS = frozenset((
    ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".tif", ".tiff",
    ".bmp", ".gif", ".jp2", ".j2k", ".avif", ".ppm", ".pgm", ".pbm",
    ".heic", ".heif", ".dcm", ".dicom",
))
PICTURES_OF_OTHER_KINDS = frozenset((
    ".jxl", ".psd", ".svg", ".nef", ".cr2", ".cr3", ".dng", ".arw", ".pdf",
))
# fmt: on


def kind_of(name: str) -> str:
    """The ending of a file's name, in small letters; "" where it has none."""
    return PurePosixPath(name).suffix.lower()


def is_image_name(name: str) -> bool:
    """Whether a file of this name is read as an image."""
    return kind_of(name) in EXTENSIONS
