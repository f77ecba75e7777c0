"""The cities, one a file."""

from streetloop.city.place import Place
from streetloop.city.places.kingsport import KINGSPORT
from streetloop.city.places.larkfield import LARKFIELD
from streetloop.city.places.millbrook import MILLBROOK
from streetloop.city.places.stonebridge import STONEBRIDGE

PLACES: dict[str, Place] = {
    place.name: place for place in (KINGSPORT, LARKFIELD, MILLBROOK, STONEBRIDGE)
}
"""Every city by its name."""
