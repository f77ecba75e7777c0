"""Plays recordings through the rules, for `benchmarks.anomalies`; outcomes are kept on disk."""

import copy
import hashlib
import pickle
import statistics
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from benchmarks.anomaly_figures import Alarm, Outcome
from benchmarks.anomaly_plan import Piece
from benchmarks.anomaly_streets import CLEAN, FPS, NAMES, recording
from benchmarks.anomaly_tracks import SIZE, tracked
from benchmarks.anomaly_zones import lanes_of, zones
from flows.stream.anomalies.anomaly_watch import Anomaly, AnomalyWatch
from flows.stream.anomalies.rules.queue import QueueRule
from flows.stream.anomalies.street import Street
from streetloop.cameras.anomaly_parameters import AnomalyKind
from streetloop.cameras.camera_file import parse_camera
from streetloop.city.truth import MIN_VISIBLE
from streetloop.types import ArrayPicture, Frame

_BLANK = ArrayPicture(np.zeros((SIZE[1], SIZE[0], 3), np.uint8))
_BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
_SEEN_S = {
    "wrong_way": 3.0,
    "pedestrian_on_carriageway": 5.0,
    "object_on_road": 8.0,
}  # else 20: of an event that counts
_OUTCOMES = Path("build/anomalies/outcomes")
_RULES = Path(__file__).parents[2] / "flows/stream/anomalies"
_PARAMETERS = Path(__file__).parents[2] / "streetloop/cameras/anomaly_parameters.py"


def outcomes(camera: str, pieces: Sequence[Piece], dropped: float) -> Iterator[Outcome]:
    """What the rules say of pieces of one camera; what is usual is learned from the first.

    Args:
        camera: Such as ``larkfield/gantry``.
        pieces: Recorded pieces; the first is clean.
        dropped: Share of the frames that are lost, 0 to 1.
    """
    street: Street | None = None
    folder = _OUTCOMES / _digest()
    folder.mkdir(parents=True, exist_ok=True)
    for piece in pieces:
        name = f"{camera.replace('/', '-')}-{piece.kind or 'clean'}-{piece.seed}-{dropped:g}.pickle"
        if not (folder / name).exists() or street is None:
            learned = copy.deepcopy(street)
            outcome, learned = _play(piece, dropped, learned)
            street = street or learned
            (folder / name).write_bytes(pickle.dumps(outcome))
        yield pickle.loads((folder / name).read_bytes())


def _digest() -> str:
    """Names the rules as they are now."""
    files = sorted(
        [*_RULES.rglob("*.py"), _PARAMETERS, Path(__file__), Path(__file__).with_name("anomaly_zones.py")]
    )
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]


def _play(piece: Piece, dropped: float, street: Street | None) -> tuple[Outcome, Street]:
    watch = _watch(piece.camera, street)
    alarms: list[Alarm] = []
    lengths: list[tuple[int, dict[str, int]]] = []
    spent: list[float] = []
    shown = tracked(piece, dropped)
    for pts, objects in shown.scenes():
        frame = round(pts * FPS)
        moment = Frame("a", frame, pts, _BEGIN + timedelta(seconds=pts), pts, _BLANK)
        began = time.perf_counter()
        found = watch.look(objects, moment, SIZE, "v")
        spent.append(time.perf_counter() - began)
        alarms += _alarms(found, pts)
        if piece.kind == CLEAN and frame % round(FPS) == 0:
            lengths.append((frame, _lengths(watch)))
    assert watch.street is not None
    count = len(shown.pts)
    errors = tuple(_queue_errors(piece, lengths))
    median_s = statistics.median(spent)  # others use the processor, too
    return Outcome(piece, _seen(piece), tuple(alarms), errors, count, median_s), watch.street


def _watch(camera: str, street: Street | None) -> AnomalyWatch:
    document = {
        "id": "a",
        "uri": f"sim://{camera}",
        "zones": zones(camera),
        "anomalies": {kind.value: {} for kind in AnomalyKind},
    }
    return AnomalyWatch(parse_camera(document), NAMES, 0, street)


def _alarms(found: Sequence[Anomaly], pts: float) -> Iterator[Alarm]:
    for one in found:
        if one.ended_at is None:
            began = (one.started_at - _BEGIN).total_seconds()
            yield Alarm(one.kind.value, began, pts, str(one.detail.get("zone", "")))


def _lengths(watch: AnomalyWatch) -> dict[str, int]:
    """Vehicles in the queue by name of the stop line."""
    rules = [rule for rule in watch.rules if isinstance(rule, QueueRule)]
    return {watch.zone_names[zone]: count for rule in rules for zone, count in rule.lengths.items()}


def _queue_errors(piece: Piece, lengths: Sequence[tuple[int, dict[str, int]]]) -> Iterator[int]:
    """Measured less true vehicles of each stop line, where anybody stands or is believed to."""
    if not lengths:
        return
    shown = recording(piece.camera, piece.kind, piece.seed, piece.seconds)
    first = np.searchsorted(shown.frame, np.arange(len(shown.event) + 1))
    waits = shown.clear & (shown.visible >= MIN_VISIBLE) & (shown.lane >= 0)
    lanes = lanes_of(piece.camera)
    for frame, measured in lengths:
        now = slice(int(first[frame]), int(first[frame + 1]))
        standing = shown.lane[now][waits[now]].tolist()
        for name, numbers in lanes.items():
            true = sum(lane in numbers for lane in standing)
            if true or measured.get(name, 0):
                yield measured.get(name, 0) - true


def _seen(piece: Piece) -> tuple[float, float] | None:
    if piece.kind == CLEAN:
        return None
    frames = np.flatnonzero(recording(piece.camera, piece.kind, piece.seed, piece.seconds).event)
    if len(frames) < _SEEN_S.get(piece.kind, 20.0) * FPS:
        return None
    return float(frames[0] / FPS), float(frames[-1] / FPS)
