"""A control service in which something has happened, over a real ledger and a real store."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import numpy as np
import pytest
from fastapi.testclient import TestClient

from drift.period_log import PeriodLog
from flows.service.control_service import ControlService
from serve.rollout.policy import Phase, Policy
from serve.web.access.roles import AccessTokens, Guard
from serve.web.api.create import create_api
from streetloop.cameras.camera_file import Camera, parse_camera
from streetloop.causes import Cause, causes_to_json
from streetloop.control.port import DEFAULT_WIDTH
from streetloop.control.views import CameraView
from streetloop.errors import StreetloopError
from streetloop.images import encode_jpeg
from streetloop.ledger import Ledger, open_ledger
from streetloop.ledger.events import begin_event, end_event
from streetloop.ledger.findings import open_finding
from streetloop.ledger.learning import Step, begin_learning, go_on
from streetloop.ledger.line_counts import (
    CountKey,
    CoverageKey,
    LineCounts,
    SpeedKey,
    add_line_counts,
    minute_of,
)
from streetloop.ledger.reviews import ReviewState, add_reviews
from streetloop.ledger.rollouts import Entry, RolloutState, move, note_progress, start_rollout
from streetloop.settings import Settings
from streetloop.storage.store import FolderStore, put_image
from streetloop.types import Detections, Image
from tests.drift.support import make_period
from tests.support.rollout import register_tiny
from tests.support.samples.frames import review
from tests.support.samples.tiny_model import NAMES, detector_output, write_tiny_model
from tests.support.stream_flow.build import found
from train.model.find_model import open_registry
from train.model_registry import VersionRecord

PASSWORD = "hunter2"
HERE = "127.0.0.1:8080"
LIVE = f"ws://{HERE}/live"
FILE = (
    {
        "id": "a40",
        "uri": f"rtsp://admin:{PASSWORD}@10.0.0.7/a40",
        "city": "London",
        "fps": 10,
        "lines": {"in": [[0.2, 0.7], [0.6, 0.7]]},
    },
    {"id": "crossing", "uri": "sim://kingsport/crossing?seed=1", "city": "kingsport"},
)
"""The camera file: one with a password, one that is simulated."""

NOW = datetime.now(UTC).replace(microsecond=0)
"""Of what happened; what is older than some weeks is forgotten."""


class Content:
    """A home, and the control service over it.

    Args:
        home: Where.
        live: The cameras that run.
        **settings: Other than usual.
    """

    def __init__(self, home: Path, live: Sequence[CameraView] = (), **settings: object) -> None:
        self.settings = Settings(home=home, model=str(home / "no.onnx"), **settings)  # type: ignore[arg-type]
        self.file: list[Camera] = [parse_camera(one) for one in FILE]
        self.live = list(live)
        self.ledger: Ledger = open_ledger(self.settings.ledger)
        self.store = FolderStore(self.settings.store)
        self.service = ControlService(self.settings, self.file, Policy(), lambda: self.live)

    def fill(self) -> "Content":
        """Everything there can be, once at least, but for a registry."""
        self.add_events()
        self.add_reviews()
        self.add_minutes()
        self.add_learning()
        self.add_rollouts()
        return self

    def add_events(self) -> None:
        """Two that are over, and a drift that goes on."""
        for number, camera in enumerate(("a40", "crossing")):
            at = NOW - timedelta(hours=2 - number)
            event = begin_event(self.ledger, "frozen picture", at, camera)
            end_event(self.ledger, event, at + timedelta(minutes=5))
        causes = [Cause("night", 0.62), Cause("fog", 0.31)]
        detail = {"causes": causes_to_json(causes)}
        begin_event(self.ledger, "drift", NOW - timedelta(minutes=20), "a40", "m-1", detail=detail)
        open_finding(
            self.ledger,
            "a40",
            NOW - timedelta(minutes=25),
            NOW - timedelta(minutes=20),
            "m-1",
            causes,
            True,
            {},
        )

    def add_counts(
        self,
        at: datetime,
        crossings: Mapping[tuple[str, str, str], int] | None = None,
        covered_s: Mapping[str, float] | None = None,
        camera_id: str = "a40",
        inferred: int = 0,
        speeds: Mapping[tuple[str, str, str, int], int] | None = None,
    ) -> None:
        """Crossings by line, direction and class in a minute, coverage by line, and speeds."""
        minute = minute_of(at)
        counts = {CountKey(camera_id, minute, *key): n for key, n in (crossings or {}).items()}
        covered = {
            CoverageKey(camera_id, minute, line): round(1000 * s) for line, s in (covered_s or {}).items()
        }
        guessed = Counter(dict.fromkeys(counts, inferred))
        timed = Counter({SpeedKey(camera_id, minute, *key): n for key, n in (speeds or {}).items()})
        add_line_counts(self.ledger, LineCounts(Counter(counts), guessed, Counter(covered), timed))

    def add_reviews(self) -> list[str]:
        """A frame in each state, with its image but for the one that has expired; digests."""
        digests = []
        for number, state in enumerate(ReviewState):
            digest, key = put_image(self.store, jpeg(number))
            moment = NOW - timedelta(minutes=number)
            one = replace(review(number), digest=digest, image_key=key, captured_at=moment)
            add_reviews(self.ledger, [replace(one, state=state, camera_id="a40")])
            if state is ReviewState.EXPIRED:
                self.store.delete(key)
            digests.append(digest)
        return digests

    def add_minutes(self) -> None:
        """Some minutes of each camera, as the watch has them."""
        log = PeriodLog(self.store)
        for camera in ("a40", "crossing"):
            for number in range(20):
                log.append(make_period(number, camera, NOW - timedelta(minutes=30)))
        log.flush()

    def add_learning(self) -> None:
        """One that was refused, one that is parked."""
        trigger = {"kind": "drift", "because": "drift of a40: night"}
        first = begin_learning(self.ledger, "learn-1", trigger, NOW - timedelta(days=1))
        go_on(self.ledger, first, Step.REFUSED, NOW - timedelta(hours=20), reason="no better")
        parked = begin_learning(self.ledger, "learn-2", trigger, NOW - timedelta(hours=1))
        go_on(
            self.ledger,
            parked,
            Step.PARKED,
            NOW,
            {"parked": "training"},
            "training failed 5 times: the disk is full",
        )

    def add_rollouts(self) -> None:
        """One that was sent back, one in its first canary."""
        plain = Policy().model_dump(mode="json"), Phase().model_dump(mode="json")
        ask = self.ledger, "2", "1", "London", *plain, "ann", NOW - timedelta(hours=3)
        first = start_rollout(*ask)
        over = Entry(NOW - timedelta(hours=2), "roll back", "policy", "it is slower", {})
        move(self.ledger, first, RolloutState.ROLLED_BACK, first.phase, 9, over)
        open_ = start_rollout(self.ledger, "3", "1", None, *plain, "learning flow", NOW - timedelta(hours=1))
        note_progress(self.ledger, open_.id, {}, READING, NOW)


READING: Mapping[str, object] = {
    "frames": 900,
    "gains": {
        "all": {"mean": 0.04, "low": -0.01, "high": 0.09, "blocks": 40},
        "class:bus": {"mean": 0.0, "low": None, "high": None, "blocks": 1},
    },
    "latency_ratio": {"mean": 1.1, "low": 1.0, "high": 1.2},
    "calls": {"asked": 200, "failed": 0, "invalid": 0},
    "agreement": 0.97,
    "waits_for": ["a certain gain: +0.040 [-0.010, +0.090] so far"],
    "cameras": {"a40": "challenger", "crossing": "champion"},
}
"""What a rollout has found, as people read it."""


def jpeg(number: int = 0) -> bytes:
    """A picture of its own gray."""
    image = np.full((36, 64, 3), 20 * number + 5, np.uint8)
    return encode_jpeg(image)


def running(name: str = "a40", **values: object) -> CameraView:
    """A camera that is live."""
    plain: dict[str, object] = {
        "id": name,
        "uri": f"rtsp://***@10.0.0.7/{name}",
        "state": "live",
        "model": "m-1",
        "frames": {"decoded": 100, "detected": 60, "gated": 30, "dropped": 8, "failed": 1, "pending": 1},
        "fps_decoded": 25.0,
        "fps_detected": 12.5,
        "lag_p95_s": 0.2,
        "objects": 7,
        "crossings": {"in": {"in": 4, "out": 2}},
        "slot": "champion",
    }
    return CameraView.model_validate({**plain, **values})


def register_versions(content: Content) -> None:
    """Three tiny versions, of which the first is the champion and the third knows other classes."""
    home = content.settings.home
    file = write_tiny_model(home / "tiny.onnx", detector_output((32, 32, 9, 9, 0, 0.9)))
    registry = open_registry(content.settings)
    registry.set_alias("champion", register_tiny(registry, file))
    for record in (
        VersionRecord(
            "",
            1,
            NAMES,
            "",
            scores={"map50/all": 0.61, "map50/night": 0.5, "map50/day": 0.7, "map50/fog": float("nan")},
            champion_scores={"map50/all": 0.52, "map50/night": 0.3, "map50/day": 0.705},
            class_scores={"car": 0.66, "bus": 0.56},
            champion_class_scores={"car": 0.5, "bus": 0.6},
            trigger={"because": "drift"},
            verdict=("it wins",),
            accepted=True,
            model_version="tiny-2",
        ),
        VersionRecord("", 1, ("bicycle",), ""),
    ):
        run = registry.start("tiny", {})
        registry.register(run, file, record)
        registry.finish(run)


class Screens:
    """`streetloop.control.port.Pictures` of cameras that show what a test wants.

    Attributes:
        shown: Number and JPEG by camera.
        asked: What was known to whoever asked, each time.
        widths: What was asked for, each time.
    """

    def __init__(self, **shown: tuple[int, bytes]) -> None:
        self.shown = dict(shown)
        self.asked: list[dict[str, int]] = []
        self.widths: list[int] = []

    async def newest(
        self, after: Mapping[str, int], width: int = DEFAULT_WIDTH, cameras: Collection[str] | None = None
    ) -> dict[str, tuple[int, bytes]]:
        """See `Pictures.newest`."""
        self.widths.append(width)
        self.asked.append(dict(after))
        newer = {name: one for name, one in self.shown.items() if after.get(name) != one[0]}
        return {name: one for name, one in newer.items() if cameras is None or name in cameras}


async def see_a_car(_: Image) -> tuple[str, Detections]:
    """A detector."""
    return "tiny-1", found((1, 2, 30, 40))


def guard_of(token: str | None) -> Guard:
    """Of a server with an admin's token alone, or with none."""
    return Guard(AccessTokens(token))


def api_of(
    content: Content,
    token: str | None = None,
    screens: Screens | None = None,
    *,
    guard: Guard | None = None,
    public_url: str | None = None,
) -> TestClient:
    """The whole API over a control service."""
    guard, screens = guard or guard_of(token), screens or Screens()
    app = create_api(see_a_car, ("car", "bus"), 0.25, guard, content.service, screens, public_url)
    return TestClient(app, base_url=f"http://{HERE}", follow_redirects=False)


def problem_of(answer: httpx.Response, status: int) -> str:
    """The reason in a problem document of that status; no password is in it."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    document = answer.json()
    assert document.keys() == {"type", "title", "status", "detail"}
    assert document["status"] == status
    assert PASSWORD not in answer.text
    return str(document["detail"])


def refused(kind: type[StreetloopError], call: Callable[[], object]) -> str:
    """The one sentence of a refusal; no password is in it."""
    with pytest.raises(kind) as caught:
        call()
    said = str(caught.value)
    assert "\n" not in said
    assert PASSWORD not in said
    return said


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Content]:
    """Two cameras in the file, and nothing else."""
    content = Content(tmp_path / "home")
    yield content
    content.ledger.close()


@pytest.fixture
def content(empty: Content) -> Content:
    """Everything there can be, but for a registry."""
    return empty.fill()
