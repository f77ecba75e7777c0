"""``sim://<city>/<camera>?condition=night&seed=7&traffic=busy``: which view, in which weather.

Options, all optional:

- ``condition=rain,night@60:30``: see `conditions`;
- ``event=stalled-vehicle@20:60``: see `events`;
- ``seed=7``: which of all possible days;
- ``traffic=light``, ``normal`` or ``busy``;
- ``vehicles=usual``, ``freight`` or ``cycles``: what there is more of than usual;
- ``size=640x360``, ``fps=10``: of the pictures;
- ``start=600``: seconds after second 0 at which frame 0 is;
- ``frames=300``: the recording ends after so many frames;
- ``live=0``: as fast as the frames are analysed, none lost, instead of paced.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlsplit

from streetloop.city.world.city_events import CityEvent, parse_events
from streetloop.city.world.conditions import Condition, parse_conditions
from streetloop.city.world.place import Place
from streetloop.city.world.places import PLACES
from streetloop.errors import ConfigError
from streetloop.secrets import redact

TRAFFIC = {"light": 0.4, "normal": 1.0, "busy": 1.7}
"""How many there are, as a multiple of the usual."""

VEHICLES: dict[str, dict[str, float]] = {
    "usual": {},
    "freight": {"van": 4.0, "truck": 8.0, "bus": 4.0},
    "cycles": {"bicycle": 12.0, "motorcycle": 12.0},
}
"""What there is more of than usual, by how much."""


@dataclass(frozen=True, slots=True)
class Address:
    """A parsed ``sim://`` URI; see the module for what each option means."""

    city: str
    camera: str
    conditions: tuple[Condition, ...] = ()
    events: tuple[CityEvent, ...] = ()
    seed: int = 0
    traffic: str = "normal"
    vehicles: str = "usual"
    width: int = 640
    height: int = 360
    fps: float = 10.0
    start: float = 0.0
    frames: int | None = None
    live: bool = True

    @property
    def place(self) -> Place:
        """The city."""
        return PLACES[self.city]

    def second(self, frame: int) -> float:
        """Time of a frame in seconds of the city.

        Args:
            frame: Number of the frame, from 0.
        """
        return self.start + frame / self.fps


def parse_address(uri: str) -> Address:
    """Read a ``sim://`` URI.

    >>> parse_address("sim://kingsport/crossing?seed=7&traffic=busy").seed
    7

    Args:
        uri: ``sim://city/camera?option=value``.

    Raises:
        ConfigError: City, camera or an option is unknown or malformed; the message lists what
            exists.
    """
    try:
        parts = urlsplit(uri)
    except ValueError:
        raise ConfigError(f"{redact(uri)[:100]!r} is no valid URI") from None
    if parts.scheme != "sim":
        raise ConfigError(f"{redact(uri)[:100]!r}: a simulated camera is written sim://city/camera")
    place = PLACES.get(parts.netloc)
    if place is None:
        city = re.sub(".*@", "***@", parts.netloc)
        raise ConfigError(f"unknown city {city[:40]!r}; known are {', '.join(PLACES)}")
    camera = unquote(parts.path).strip("/")
    if camera not in place.cameras:
        known = ", ".join(place.cameras)
        raise ConfigError(f"{place.name} has no camera {camera[:40]!r}; it has {known}")
    options: dict[str, object] = {}
    for key, value in parse_qsl(parts.query, keep_blank_values=True):
        if key not in _OPTIONS:
            raise ConfigError(f"unknown option {key[:40]!r}; known are {', '.join(_OPTIONS)}")
        options.update(_OPTIONS[key](value))
    return Address(place.name, camera, **options)  # type: ignore[arg-type]


def _size(text: str) -> dict[str, object]:
    match = re.fullmatch(r"([0-9]{1,5})x([0-9]{1,5})", text)
    width, height = (int(match[1]), int(match[2])) if match else (0, 0)
    if not (64 <= width <= 3840 and 64 <= height <= 2160 and width % 2 == height % 2 == 0):
        raise ConfigError(f"size={text[:40]!r}: write even numbers from 64x64 to 3840x2160")
    return {"width": width, "height": height}


def _number(key: str, low: float, high: float, whole: bool) -> Callable[[str], dict[str, object]]:
    def read(text: str) -> dict[str, object]:
        try:
            value = int(text) if whole else float(text)
        except ValueError:
            value = float("nan")
        if not low <= value <= high:
            kind = "a whole number" if whole else "a number"
            raise ConfigError(f"{key}={text[:40]!r}: write {kind} from {low:g} to {high:g}")
        return {key: value}

    return read


def _traffic(text: str) -> dict[str, object]:
    if text not in TRAFFIC:
        raise ConfigError(f"unknown traffic {text[:40]!r}; known are {', '.join(TRAFFIC)}")
    return {"traffic": text}


def _vehicles(text: str) -> dict[str, object]:
    if text not in VEHICLES:
        raise ConfigError(f"unknown vehicles {text[:40]!r}; known are {', '.join(VEHICLES)}")
    return {"vehicles": text}


def _live(text: str) -> dict[str, object]:
    if text not in {"0", "1"}:
        raise ConfigError(f"live={text[:40]!r}: write 0 or 1")
    return {"live": text == "1"}


_OPTIONS: dict[str, Callable[[str], dict[str, object]]] = {
    "condition": lambda text: {"conditions": parse_conditions(text)},
    "event": lambda text: {"events": parse_events(text)},
    "seed": _number("seed", 0, 2**63 - 1, whole=True),
    "traffic": _traffic,
    "vehicles": _vehicles,
    "size": _size,
    "fps": _number("fps", 0.01, 240, whole=False),
    "start": _number("start", 0, 1e9, whole=False),
    "frames": _number("frames", 1, 2**53, whole=True),
    "live": _live,
}
