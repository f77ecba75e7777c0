"""Streets for `benchmarks.anomalies`: true boxes of simulated cameras, recorded once."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streetloop.city.address import parse_address
from streetloop.city.render.shapes import CLASSES
from streetloop.city.truth import Truth, is_large
from streetloop.city.view import View

NAMES = (*CLASSES, "object")
"""Class names of the boxes; the city has no class for what lies on the road."""

FPS = 5.0
CLEAN = ""
EVENTS = {
    CLEAN: "",
    "stopped_vehicle": "stalled-vehicle",
    "wrong_way": "wrong-way-driver",
    "congestion": "congestion",
    "pedestrian_on_carriageway": "pedestrian-on-carriageway",
    "object_on_road": "object-on-road",
}
EVENT_AT_S, AFTER_S = 20.0, 15.0
EVENT_S = {
    "stopped_vehicle": 45.0,
    "wrong_way": 18.0,
    "congestion": 90.0,
    "pedestrian_on_carriageway": 60.0,
    "object_on_road": 30.0,
}
_SIZE = (640, 360)
_CACHE = Path("build/anomalies")
_STANDS = 0.5  # m/s
_QUEUE_M = 8.0  # between the fronts of vehicles that queue, at most


@dataclass(frozen=True, slots=True)
class Recording:
    """True boxes of a camera.

    Attributes:
        frame: (N,) frame of each box.
        track: (N,) true track of each.
        xyxy: (N, 4) in fractions of the picture.
        class_id: (N,) index into `NAMES`.
        visible: (N,) share that can be seen, 0 to 1.
        clear: (N,) false for what nobody could be asked to see.
        lane: (N,) number of the lane in whose queue a vehicle stands; -1 for none.
        event: (frames,) true while the event can be seen.
    """

    frame: NDArray[np.int64]
    track: NDArray[np.int64]
    xyxy: NDArray[np.float32]
    class_id: NDArray[np.int64]
    visible: NDArray[np.float32]
    clear: NDArray[np.bool_]
    lane: NDArray[np.int64]
    event: NDArray[np.bool_]


def length_s(kind: str) -> float:
    """Seconds of an episode with an event of a kind."""
    return EVENT_AT_S + EVENT_S[kind] + AFTER_S


def recording(camera: str, kind: str, seed: int, seconds: float) -> Recording:
    """The true boxes of a camera, cached.

    Args:
        camera: Such as ``larkfield/gantry``.
        kind: A key of `EVENTS`.
        seed: Names the traffic.
        seconds: Its length.
    """
    file = _file(camera, kind, seed, seconds)
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        part = file.with_suffix(".part.npz")
        np.savez_compressed(part, **_record(camera, kind, seed, seconds))
        part.rename(file)
    with np.load(file) as stored:
        return Recording(**{name: stored[name] for name in Recording.__slots__})


def is_recorded(camera: str, kind: str, seed: int, seconds: float) -> bool:
    """True if `recording` has it already."""
    return _file(camera, kind, seed, seconds).exists()


def _file(camera: str, kind: str, seed: int, seconds: float) -> Path:
    return _CACHE / f"{camera.replace('/', '-')}-{kind or 'clean'}-{seed}-{seconds:g}s-{FPS:g}.npz"


def _record(camera: str, kind: str, seed: int, seconds: float) -> dict[str, Any]:
    event = f"&event={EVENTS[kind]}@{EVENT_AT_S:g}:{EVENT_S[kind]:g}" if kind else ""
    traffic = "&traffic=busy" if kind == "congestion" else ""
    view = View(parse_address(f"sim://{camera}?fps={FPS:g}&seed={seed}&size=640x360{event}{traffic}"))
    rows: list[tuple[Any, ...]] = []
    seen: list[bool] = []
    for frame in range(round(seconds * FPS)):
        truth = view.quick_truth(frame)
        rows += _boxes(truth, _queues(view, truth.second))
        seen.append(_is_seen(truth))
    columns = [np.array(column) for column in zip(*rows, strict=True)]
    size = np.array([*_SIZE, *_SIZE])
    return {
        "frame": columns[0].astype(np.int64),
        "track": columns[1].astype(np.int64),
        "xyxy": (columns[2] / size).astype(np.float32),
        "class_id": columns[3].astype(np.int64),
        "visible": columns[4].astype(np.float32),
        "clear": columns[5].astype(np.bool_),
        "lane": columns[6].astype(np.int64),
        "event": np.array(seen, np.bool_),
    }


def _queues(view: View, second: float) -> dict[int, int]:
    """Number of the lane by track, of vehicles that stand in the queue of a signal."""
    found: dict[int, int] = {}
    for number, (stream, actors) in enumerate(view.lanes(second)):
        if stream.signal is None:
            continue
        front = stream.stop_at
        for actor in sorted(actors, key=lambda one: -one.walked):
            gap = front - actor.walked
            if actor.walked > stream.stop_at:
                continue
            if actor.speed > _STANDS or gap > _QUEUE_M + 4:
                break
            found[actor.track_id], front = number, actor.walked
    return found


def _boxes(truth: Truth, queues: dict[int, int]) -> Iterator[tuple[Any, ...]]:
    for one in truth.seen:
        track = one.track_id
        class_id = CLASSES.index(one.class_name)
        yield truth.frame, track, one.xyxy, class_id, one.visible, one.clear, queues.get(track, -1)
    for event in truth.happening:
        if event.name == "object-on-road" and event.xyxy is not None:
            yield truth.frame, event.track_id, event.xyxy, len(CLASSES), 1.0, is_large(event.xyxy, *_SIZE), -1


def _is_seen(truth: Truth) -> bool:
    """True if an ongoing event can be seen: its object is clear, or it has none."""
    clear = {one.track_id for one in truth.clear()}
    return any(
        event.xyxy is not None and is_large(event.xyxy, *_SIZE)
        if event.name == "object-on-road"
        else event.track_id is None or event.track_id in clear
        for event in truth.happening
    )
