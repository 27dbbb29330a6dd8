"""Several places as one: the first part of a name says which."""

from collections.abc import Iterator, Sequence

from csp.world.pictures.decode import Picture, UnreadableImageError
from csp.world.places.place import Place


class ManyPlaces(Place):
    """Files under the names of their places, such as `train-000.tar/0001.jpg`.

    A place whose name another one has, too, is called by its number.
    """

    def __init__(self, places: Sequence[Place], name: str) -> None:
        names = [place.name for place in places]
        self._places = {
            own if names.count(own) == 1 else f"{number}-{own}": place
            for number, (own, place) in enumerate(zip(names, places, strict=True))
        }
        self._name = name

    @property
    def name(self) -> str:
        """The name of the only place, else what was given."""
        return next(iter(self._places)) if len(self._places) == 1 else self._name

    def files(self) -> Iterator[str]:
        """Place by place."""
        for part, place in self._places.items():
            yield from (f"{part}/{path}" for path in place.files())

    def is_file(self, path: str) -> bool:
        """Whether one of the places holds it."""
        part, _, inner = path.partition("/")
        return part in self._places and self._places[part].is_file(inner)

    def read(self, path: str) -> bytes:
        """One file."""
        place, inner = self._of(path)
        return place.read(inner)

    def picture(self, path: str) -> Picture:
        """As the place reads it."""
        place, inner = self._of(path)
        return place.picture(inner)

    def digest(self, path: str) -> bytes:
        """As the place says it."""
        place, inner = self._of(path)
        return place.digest(inner)

    def _of(self, path: str) -> tuple[Place, str]:
        part, _, inner = path.partition("/")
        if part not in self._places:
            raise UnreadableImageError("There is no such file.")
        return self._places[part], inner
