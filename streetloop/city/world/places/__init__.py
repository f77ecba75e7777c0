"""The cities, one a file."""

from streetloop.city.world.place import Place
from streetloop.city.world.places.kingsport import KINGSPORT
from streetloop.city.world.places.larkfield import LARKFIELD
from streetloop.city.world.places.millbrook import MILLBROOK
from streetloop.city.world.places.stonebridge import STONEBRIDGE

PLACES: dict[str, Place] = {place.name: place for place in (KINGSPORT, LARKFIELD, MILLBROOK, STONEBRIDGE)}
"""Every city by its name."""
