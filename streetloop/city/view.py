"""A camera's view of the simulated city: frame k, and the truth about frame k."""

import math
import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cached_property, lru_cache
from weakref import WeakValueDictionary

import cv2
import numpy as np
from numpy.typing import NDArray

from streetloop.city.address import TRAFFIC, VEHICLES, Address
from streetloop.city.quick_truth import QuickTruth
from streetloop.city.render.backdrop import Backdrop, build_backdrop
from streetloop.city.render.lamps import LampPainter
from streetloop.city.render.lighting import Light, light_of, lit
from streetloop.city.render.maps import Maps, sun_direction
from streetloop.city.render.painter import Cast, Painter
from streetloop.city.render.sensor import MIDNIGHT, NOON, Sensor
from streetloop.city.render.shadows import cast_shadows, throw_beams
from streetloop.city.truth import Truth, truth_of
from streetloop.city.world.camera_model import CameraModel
from streetloop.city.world.city_events import CityEvent, disturbances, happening
from streetloop.city.world.conditions import STEPS, Look, look_at
from streetloop.city.world.place import Head
from streetloop.city.world.places import PLACES
from streetloop.city.world.roads import Stream
from streetloop.city.world.traffic import Actor, Lane
from streetloop.city.world.walkers import Pavement
from streetloop.errors import ConfigError
from streetloop.types import Image

_KNOCK_DEG = 9.0
_PARKED = 1 << 49


@lru_cache(maxsize=len(PLACES))
def _maps(city: str) -> Maps:
    return Maps(PLACES[city])


class View:
    """What one camera shows.

    Frames may be asked for in any order. Not for use by several threads at once.

    Args:
        address: Which camera, weather and day.
    """

    def __init__(self, address: Address) -> None:
        self.address = address
        place = address.place
        self._place = place
        density = TRAFFIC[address.traffic]
        seed = (place.name, address.seed, address.traffic)
        happens = disturbances(place, address.events)
        self._lanes = [
            Lane(stream, k, len(place.streams), seed, density, happens.get(stream.name, ()))
            for k, stream in enumerate(_with_more(place.streams, VEHICLES[address.vehicles]))
        ]
        self._pavements = [
            Pavement(walk, k, len(place.walks), seed, density) for k, walk in enumerate(place.walks)
        ]
        title = f"{place.name} / {address.camera}".upper()
        names = (place.name, address.camera, address.seed)
        self._sensor = Sensor((address.width, address.height), title, names)
        self._eyes = lru_cache(maxsize=3)(_shared_eye)
        self._lights = lru_cache(maxsize=8)(light_of)

    def render(self, frame: int) -> Image:
        """Render a frame as (height, width, 3) uint8, blue first.

        Args:
            frame: Its number, from 0.

        Raises:
            ConfigError: The number is negative.
        """
        t, look = self._moment(frame)
        eye, light, cast = self._arrange(t, look)
        still, shaded = eye.still(look_without_lens(look))
        image = still.copy()
        cast_shadows(image, shaded, cast, eye.camera_model, light, eye.towards(light))
        throw_beams(image, eye.backdrop, cast, eye.camera_model, light)
        eye.painter.paint(image, still, cast, eye.lamps(light))
        eye.signals(image, t, light)
        return self._sensor.expose(image, look, frame, self._clock(t), eye.sun_in_image)

    def truth(self, frame: int) -> Truth:
        """The true objects and events of a frame.

        Args:
            frame: Its number, from 0.

        Raises:
            ConfigError: The number is negative.
        """
        t, look = self._moment(frame)
        eye, _, cast = self._arrange(t, look)
        going_on = [(event, actor and actor.track_id) for event, actor in self._happening(t)]
        return truth_of(eye.painter, cast, frame, t, going_on)

    def quick_truth(self, frame: int) -> Truth:
        """The truth about a frame by boxes alone: quicker than `truth`, and nearly the same.

        Args:
            frame: Its number, from 0.

        Raises:
            ConfigError: The number is negative.
        """
        t, look = self._moment(frame)
        eye = self._eye(look)
        crowd = eye.painter.crowd(self._actors(t))
        return eye.quick_truth.truth(crowd, frame, t, self._happening(t))

    def look(self, frame: int) -> Look:
        """The weather in a frame.

        Args:
            frame: Its number, from 0.
        """
        return self._moment(frame)[1]

    def lanes(self, t: float) -> list[tuple[Stream, list[Actor]]]:
        """The lanes, each with the vehicles that are on it.

        Args:
            t: Second of the city.
        """
        return [(lane.stream, list(lane.actors(t))) for lane in self._lanes]

    def _moment(self, frame: int) -> tuple[float, Look]:
        if frame < 0:
            raise ConfigError(f"frame {frame}: the first frame is 0")
        t = self.address.second(frame)
        return t, look_at(self.address.conditions, t)

    def _arrange(self, t: float, look: Look) -> tuple["_Eye", Light, Cast]:
        """What picture and truth share: the camera, the light, and who is where."""
        eye = self._eye(look)
        light = self._lights(look_without_lens(look))
        return eye, light, eye.painter.arrange(self._actors(t), light, eye.towards(light))

    def _happening(self, t: float) -> list[tuple[CityEvent, Actor | None]]:
        return happening(self._place, self.address.events, t)

    def _actors(self, t: float) -> list[Actor]:
        actors = [actor for lane in self._lanes for actor in lane.actors(t)]
        actors += [actor for pavement in self._pavements for actor in pavement.actors(t)]
        actors += self._parked
        actors += [actor for _, actor in self._happening(t) if actor is not None]
        return actors

    @cached_property
    def _parked(self) -> list[Actor]:
        return [
            Actor(_PARKED + k, p.kind, p.x, p.y, math.radians(p.heading), lamps=False)
            for k, p in enumerate(self._place.parked)
        ]

    def _eye(self, look: Look) -> "_Eye":
        address = self.address
        return self._eyes(address.city, address.camera, address.width, address.height, look.knock)

    def _clock(self, t: float) -> datetime:
        daily = any(condition.name == "daily" for condition in self.address.conditions)
        return (MIDNIGHT if daily else NOON) + timedelta(seconds=t)


def _with_more(streams: Sequence[Stream], more: dict[str, float]) -> list[Stream]:
    """The lanes with some kinds of vehicles more frequent than usual."""
    return [
        replace(stream, kinds={k: weight * more.get(k, 1.0) for k, weight in stream.kinds.items()})
        for stream in streams
    ]


def look_without_lens(look: Look) -> Look:
    """What of a look concerns the scene rather than the camera."""
    return Look(darkness=look.darkness, rain=look.rain, fog=look.fog, low_sun=look.low_sun)


class _Eye:
    """A camera in one position, with what it keeps from frame to frame to be quick."""

    def __init__(self, city: str, camera: str, width: int, height: int, knock: int) -> None:
        place = PLACES[city]
        mast = place.cameras[camera]
        if knock:
            mast = mast.knocked(_KNOCK_DEG * knock / STEPS)
        self._place = place
        self.camera_model = CameraModel(mast, width, height)
        self.maps = _maps(city)
        self.backdrop: Backdrop = build_backdrop(place, self.camera_model, self.maps)
        self.painter = Painter(self.camera_model, self.maps, self.backdrop, place.bus)
        self.still = lru_cache(maxsize=4)(self._still)
        self.lamps = lru_cache(maxsize=4)(self._lamp_painter)

    @cached_property
    def quick_truth(self) -> QuickTruth:
        return QuickTruth(self.camera_model, self.backdrop.solid_depth)

    def _still(self, look: Look) -> tuple[Image, Image]:
        light = light_of(look)
        still = lit(self.backdrop, light)
        return still, (lit(self.backdrop, light, shadow=True) if light.sun.any() else still)

    def towards(self, light: Light) -> NDArray[np.float64]:
        """Unit vector to the sun."""
        low = light.sun_name == "low_sun"
        return sun_direction(*(self._place.low_sun if low else self._place.sun))

    @cached_property
    def sun_in_image(self) -> tuple[float, float] | None:
        far = self.camera_model.eye + 1e4 * sun_direction(*self._place.low_sun)
        pixels, depth = self.camera_model.project(far)
        return (float(pixels[0]), float(pixels[1])) if depth > 0 else None

    def _lamp_painter(self, light: Light) -> LampPainter | None:
        strength = min(max(light.dark * 1.6 - 0.35, 0.0), 1.0)
        strength = max(strength, 0.35 * light.wet, min(0.35, light.fog_per_m * 8))
        return LampPainter(self.camera_model, strength, light.wet * light.dark) if strength > 0.05 else None

    @cached_property
    def _heads(self) -> list[tuple[int, int, int, Head]]:
        """Signal heads that face the camera and are not hidden: column, row, radius."""
        found = []
        for head in self._place.heads:
            facing = math.radians(head.facing)
            dx, dy = self.camera_model.mast.x - head.x, self.camera_model.mast.y - head.y
            pixels, depth = self.camera_model.project(np.array([head.x, head.y, head.height]))
            if depth < 3 or dx * math.cos(facing) + dy * math.sin(facing) <= 0:
                continue
            x, y, d = round(float(pixels[0])), round(float(pixels[1])), float(depth)
            if (
                0 <= x < self.camera_model.width
                and 0 <= y < self.camera_model.height
                and (self.backdrop.solid_depth[y, x] > d - 0.6)
            ):
                found.append((x, y, max(1, round(self.camera_model.focal * 0.12 / d)), head))
        return found

    def signals(self, image: Image, t: float, light: Light) -> None:
        """Draw the signal heads with the lamp that is on."""
        for x, y, r, head in self._heads:
            high = round(r * 3.6)
            cv2.rectangle(
                image, (x - round(1.6 * r), y - high), (x + round(1.6 * r), y + high), (26, 26, 26), -1
            )
            row = {"red": -1, "amber": 0, "green": 1}[head.signal.colour(t)]
            colour = {-1: (40, 40, 255), 0: (40, 190, 255), 1: (150, 255, 70)}[row]
            cv2.circle(image, (x, y + round(row * 2.2 * r)), r, colour, -1, cv2.LINE_AA)
            if light.dark > 0.4:
                cv2.circle(image, (x, y + round(row * 2.2 * r)), r + 1, colour, 1, cv2.LINE_AA)


_eyes: WeakValueDictionary[tuple[str, str, int, int, int], _Eye] = WeakValueDictionary()
_looking = threading.Lock()


def _shared_eye(city: str, camera: str, width: int, height: int, knock: int) -> _Eye:
    """One eye for all views through the same camera, for as long as one of them uses it."""
    key = (city, camera, width, height, knock)
    with _looking:
        eye = _eyes.get(key)
        if eye is None:
            eye = _eyes[key] = _Eye(*key)
        return eye
