"""A history of 300 incidents of 12 causes, drawn at random but the same each time.

An incident is what the ledger would have: kinds of events, what the system took for the cause,
hour, length, cameras, and what a person wrote. Notes of one cause share at most half of their
words. In a quarter of the incidents the system's own cause is another's, or says nothing.
"""

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import yaml

from streetloop.control.report_views import IncidentView

NOTES: Mapping[str, Sequence[str]] = yaml.safe_load(
    (Path(__file__).parent / "incident_notes.yaml").read_text(encoding="utf-8")
)
_LOST, _DRIFT = "the camera did not answer: ", "the camera differs from its own past: most likely "
_STRAY_KINDS = ("camera_lost", "drift", "frozen picture", "store_failed")
_STRAY_KIND_SHARE = 0.15
_VAGUE = ("timed out after 5 s", "it does not answer", "unknown error")
_DRIFTS = ("dirt", "moved camera", "fog", "night", "glare", "other traffic")
_BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
_DAYS = 300


@dataclass(frozen=True, slots=True)
class TrueCause:
    """How incidents of one cause look.

    Attributes:
        kinds: Sets of kinds, of which one is drawn.
        says: What the system says, of which one is drawn.
        hours: First and last hour of the day at which it begins.
        minutes: Shortest and longest time that it lasts.
        cameras: Least and largest number of cameras.
    """

    kinds: Sequence[tuple[str, ...]]
    says: Sequence[str]
    hours: tuple[float, float] = (0, 24)
    minutes: tuple[float, float] = (5, 600)
    cameras: tuple[int, int] = (1, 1)


CAUSES: Mapping[str, TrueCause] = {
    "power failure": TrueCause(
        [("camera_lost",)],
        [f"{_LOST}{why}" for why in ("no route to host", "timed out after 5 s", "connection refused")],
        minutes=(20, 300),
        cameras=(1, 8),
    ),
    "network failure": TrueCause(
        [("camera_lost",), ("camera_lost",), ("camera_lost", "upload_failed")],
        [f"{_LOST}{why}" for why in ("timed out after 5 s", "connection reset by peer", "no route to host")],
        minutes=(2, 120),
        cameras=(1, 12),
    ),
    "dirty lens": TrueCause([("drift",)], [f"{_DRIFT}dirt"], minutes=(300, 4000)),
    "moved camera": TrueCause([("drift",)], [f"{_DRIFT}moved camera"], (6, 22), (300, 4000)),
    "fog": TrueCause([("drift",)], [f"{_DRIFT}fog"], (3, 10), (60, 360), (1, 6)),
    "lamps out at night": TrueCause(
        [("drift",), ("drift", "black picture")], [f"{_DRIFT}night"], (17, 24), (120, 600), (1, 4)
    ),
    "low sun": TrueCause([("drift",)], [f"{_DRIFT}glare"], (6, 19), (15, 90), (1, 2)),
    "store full": TrueCause(
        [("store_failed",), ("upload_failed",), ("store_failed", "upload_failed")],
        [
            f"the object store refused writes: {why}"
            for why in ("the store answers 507", "no space left on device", "write refused")
        ],
        minutes=(10, 600),
        cameras=(0, 0),
    ),
    "memory exhausted": TrueCause(
        [("worker_restarted",), ("detector_restarted",), ("detector_restarted", "worker_restarted")],
        [
            f"a process died: {why}"
            for why in ("its process was killed", "signal 9", "the process ended unexpectedly")
        ],
        minutes=(0, 5),
        cameras=(0, 8),
    ),
    "password changed": TrueCause(
        [("camera_lost",)],
        [f"{_LOST}{why}" for why in ("401 Unauthorized", "refused: wrong user or password")],
        (7, 18),
        (30, 900),
        (1, 4),
    ),
    "encoder fault": TrueCause(
        [
            ("frozen picture",),
            ("black picture",),
            ("size changed",),
            ("rate changed",),
            ("camera_lost", "frozen picture"),
        ],
        [f"the picture or the stream has a fault: {why}" for why in ("frozen", "invalid data found")],
        minutes=(5, 2000),
    ),
    "road works": TrueCause([("drift",)], [f"{_DRIFT}other traffic"], (5, 18), (600, 9000), (1, 3)),
}


def history(seed: int, wrong: float = 0.25) -> tuple[list[IncidentView], list[str]]:
    """Incidents, and the true cause of each.

    Args:
        seed: Of the draw.
        wrong: Share of the incidents in which the system's cause is another's or says nothing.
    """
    draw = random.Random(seed)
    cases = [(name, note) for name in CAUSES for note in NOTES[name]]
    draw.shuffle(cases)
    return [_incident(k, name, note, draw, wrong) for k, (name, note) in enumerate(cases, 1)], [
        name for name, _ in cases
    ]


def _incident(number: int, name: str, note: str, draw: random.Random, wrong: float) -> IncidentView:
    known = CAUSES[name]
    kinds = set(draw.choice(known.kinds))
    if draw.random() < _STRAY_KIND_SHARE:
        kinds.add(draw.choice(_STRAY_KINDS))
    says = draw.choice(known.says)
    if draw.random() < wrong:
        says = f"{_DRIFT}{draw.choice(_DRIFTS)}" if "drift" in kinds else f"{_LOST}{draw.choice(_VAGUE)}"
    hours = draw.uniform(*known.hours) + 24 * draw.randrange(_DAYS)
    shortest, longest = (math.log1p(minutes) for minutes in known.minutes)
    began = _BEGIN + timedelta(hours=hours)
    return IncidentView(
        id=number,
        events=[number],
        kinds=sorted(kinds),
        cameras=[f"cam-{k}" for k in draw.sample(range(100), draw.randint(*known.cameras))],
        started_at=began,
        ended_at=began + timedelta(minutes=math.expm1(draw.uniform(shortest, longest))),
        cause=says,
        certainty=0.5,
        done=[],
        todo=[],
        notes=[note],
    )
