"""Cells that a spreadsheet would run as a formula: guarded when written, taken back when read."""

from typing import Any

APOSTROPHE = "'"
GUARDED = (*"=+-@\t\r\n＝＋－＠", APOSTROPHE)


def guarded(cell: Any) -> Any:
    """The cell, with an apostrophe in front when its text starts like a formula or with an apostrophe."""
    return APOSTROPHE + cell if isinstance(cell, str) and cell.startswith(GUARDED) else cell


def unguarded(cell: str) -> str:
    """What `guarded` was given."""
    return cell[1:] if cell.startswith(APOSTROPHE) and cell[1:].startswith(GUARDED) else cell
