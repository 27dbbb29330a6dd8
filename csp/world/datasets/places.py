"""The place that a spec names: a folder of this machine, or one on a server."""

from pathlib import Path
from typing import IO

from csp.errors import BadInputError, NotFoundError
from csp.files import expanded, open_regular, require_folder
from csp.world.places.addresses import is_address
from csp.world.places.folder import LocalFolder
from csp.world.places.place import Place


def folder_of(name: str, what: str) -> Place:
    """The folder of this name. Raises `NotFoundError` without it, `BadInputError` for something else."""
    if is_address(name):
        from csp.world.places.remote import RemoteFolder

        return RemoteFolder(name)
    root = expanded(name).absolute()
    require_folder(root, f"The {what} '{name}'")
    return LocalFolder(root)


def file_of(name: str, what: str) -> IO[bytes]:
    """A file of this machine, or one fetched from a server, that can be read anywhere in it."""
    if is_address(name):
        from csp.world.places.remote import fetch_file

        return fetch_file(name)
    try:
        return open_regular(expanded(name))
    except FileNotFoundError:
        raise NotFoundError(f"The {what} '{name}' does not exist.") from None
    except OSError as error:
        raise BadInputError(f"The {what} '{name}' can't be read ({error.strerror or error}).") from None


def root_of(place: Place, name: str) -> Path:
    """The folder that paths of a dataset are relative to, for whoever asks for a folder of this machine."""
    return place.root if isinstance(place, LocalFolder) else Path(name)
