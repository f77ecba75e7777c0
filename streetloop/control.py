"""What people may see and do while the streams run; the API and the app know nothing else.

The protocol stands on the floor, what answers it stands at the roof: who asks does not import the
flows, and a test may ask a house without streams.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar

from pydantic import BaseModel, Field

T = TypeVar("T")

MOST_A_PAGE = 200
LARGEST_OFFSET = 100_000
NARROWEST, USUAL_WIDTH, WIDEST = 160, 640, 1280
"""Of live pictures, in pixels."""


class Page(BaseModel, Generic[T]):
    """Some of many, in their order."""

    items: list[T]
    offset: int = Field(ge=0)
    more: bool = Field(description="whether there are any after these")


class Frames(BaseModel):
    """Where a camera's frames went; ``decoded`` is the sum of the others."""

    decoded: int = 0
    detected: int = 0
    gated: int = 0
    dropped: int = 0
    failed: int = 0
    pending: int = 0


class CameraView(BaseModel):
    """One camera now.

    Attributes:
        id: Names it.
        uri: Where its pictures come from, without credentials.
        city: Groups cameras.
        fps: Frames to analyse a second; None for as many as keep up.
        transport: How RTSP carries the pictures.
        lines: Counting lines, in fractions of the image.
        state: ``connecting``, ``live``, ``lost``, ``ended``, ``failed``, or ``stopped`` where no
            stream runs.
        error: Why it is lost or has failed.
        frames: Where its frames went since the start.
        fps_decoded: Frames a second that came in over the last seconds.
        fps_detected: Frames a second that the detector saw.
        lag_p95_s: 95th percentile of the time from picture to result.
        objects: Confirmed tracks since the start.
        crossings: By line and direction, since the start.
        slot: The application that answers for it.
        model: Version of the model that answered last.
        faults: What went wrong beside the stream.
    """

    id: str
    uri: str
    city: str | None = None
    fps: float | None = None
    transport: str = "tcp"
    lines: dict[str, tuple[tuple[float, float], tuple[float, float]]] = {}
    state: str = "stopped"
    error: str | None = None
    frames: Frames = Frames()
    fps_decoded: float = 0.0
    fps_detected: float = 0.0
    lag_p95_s: float = 0.0
    objects: int = 0
    crossings: dict[str, dict[str, int]] = {}
    slot: str | None = None
    model: str | None = None
    faults: list[str] = []


class EventView(BaseModel):
    """Something that happened, or goes on."""

    id: int
    kind: str
    camera_id: str | None
    started_at: datetime
    ended_at: datetime | None
    model: str | None
    detail: dict[str, Any]


class FeatureView(BaseModel):
    """What one feature of a camera's pictures or detections shows.

    Attributes:
        enough: False while too few minutes were seen to say anything.
        effect_size: How far the window departs from its past.
        threshold: From where on that is an alarm.
    """

    enough: bool
    effect_size: float
    threshold: float

    @property
    def share(self) -> float:
        """The effect in thresholds: 1 is an alarm."""
        return self.effect_size / self.threshold if self.threshold > 0 else 0.0


class DriftView(BaseModel):
    """Whether a camera's world is still the one that it was."""

    camera_id: str
    state: str
    drifts: bool
    causes: list[str]
    since: datetime | None
    missing_minutes: int
    features: dict[str, FeatureView]


class ReviewView(BaseModel):
    """A frame that people are asked about, or were."""

    digest: str
    camera_id: str
    captured_at: datetime
    state: str
    reason: str
    score: float
    rank: int | None
    model: str
    width: int
    height: int
    labeler: str | None
    note: str | None


class QueueView(BaseModel):
    """The review queue as a whole."""

    counts: dict[str, int]
    labeler: str
    url: str | None = Field(description="where the labellers work, if it is a server")


class ModelView(BaseModel):
    """A version of the registry."""

    number: int
    made_at: datetime
    aliases: list[str]
    parent: int | None
    dataset: str
    classes: list[str]
    scores: dict[str, float]
    verdict: list[str]
    trigger: dict[str, Any]
    model: str = Field(description="what its detections are stamped with")


class LearningView(BaseModel):
    """A learning run."""

    id: int
    name: str
    step: str
    trigger: dict[str, Any]
    detail: dict[str, Any]
    attempts: int
    reason: str | None
    started_at: datetime
    step_at: datetime
    ended_at: datetime | None


class DecisionView(BaseModel):
    """One entry in the book of a rollout."""

    at: datetime
    action: str
    author: str
    reason: str
    evidence: dict[str, Any]


class RolloutView(BaseModel):
    """A rollout; its decisions only where a single one is asked for."""

    id: int
    state: str
    phase: str
    model: str
    champion: str
    city: str | None
    author: str
    started_at: datetime
    updated_at: datetime
    ended_at: datetime | None
    wanted: str | None = Field(description="what somebody asked for and is not done yet")
    evidence: dict[str, Any]
    decisions: list[DecisionView] = []


class HealthView(BaseModel):
    """Whether everything is there; ``problems`` says what is not, one sentence each."""

    ok: bool
    cameras: int
    live: int
    model: str | None
    problems: list[str]
    report: bool = Field(default=False, description="whether `GET /report` has a page")


class Control(Protocol):
    """The house, as people see and steer it. Methods may take long and may be called at once.

    Raises:
        NotFound: What was named is not there.
        StreetloopError: As the part that was asked says.
    """

    def cameras(self) -> list[CameraView]:
        """Every camera, in the order of the file."""

    def put_camera(self, document: Mapping[str, Any], author: str, *, new: bool) -> CameraView:
        """Add a camera, or change the one of that id; running streams take it up by themselves.

        Raises:
            ConfigError: Something in the document is wrong, or ``new`` and the id is taken.
        """

    def remove_camera(self, camera_id: str, author: str) -> None:
        """Take a camera out; what it recorded stays."""

    def events(
        self, camera_id: str | None, kind: str | None, *, only_open: bool, offset: int, limit: int
    ) -> Page[EventView]:
        """What happened, the newest first."""

    def drift(self) -> list[DriftView]:
        """Every camera that is or was watched."""

    def drift_page(self) -> str:
        """The same as a page with plots and pictures, HTML."""

    def queue(self) -> QueueView:
        """The review queue in numbers."""

    def reviews(self, state: str | None, offset: int, limit: int) -> Page[ReviewView]:
        """Frames that people are asked about, the newest first."""

    def review_image(self, digest: str) -> bytes:
        """The JPEG of one."""

    def models(self) -> list[ModelView]:
        """Versions of the registry, the newest first."""

    def lineage(self, version: str) -> list[dict[str, Any]]:
        """Where a version comes from, back to the first."""

    def learning(self, offset: int, limit: int) -> Page[LearningView]:
        """Learning runs, the newest first."""

    def learn(self, author: str) -> LearningView:
        """Begin a learning run now."""

    def resume_learning(self, author: str) -> LearningView:
        """Go on with the run that was parked."""

    def drop_learning(self, author: str) -> LearningView:
        """End the open run without a new model."""

    def rollouts(self, offset: int, limit: int) -> Page[RolloutView]:
        """Rollouts, the newest first."""

    def rollout(self, number: int) -> RolloutView:
        """One, with its decisions."""

    def start_rollout(self, version: str, city: str | None, author: str) -> RolloutView:
        """Ask for a rollout."""

    def steer_rollout(self, wanted: str, author: str) -> RolloutView:
        """Pause, resume, promote or roll back the open one."""

    def health(self) -> HealthView:
        """Whether everything is there."""

    def report_page(self) -> str:
        """The illustrated report that the demo wrote into the home, HTML.

        Raises:
            NotFound: There is none.
        """


class Pictures(Protocol):
    """The newest annotated pictures of running cameras."""

    async def newest(
        self, after: Mapping[str, int], width: int = USUAL_WIDTH
    ) -> dict[str, tuple[int, bytes]]:
        """Number and JPEG by camera; only of those whose newest number is not in ``after``.

        Args:
            after: Numbers that are known.
            width: In pixels, of every picture; from `NARROWEST` to `WIDEST`.
        """
