"""Answers of `streetloop.control.port.Control`: the typed JSON of the API and of the commands.

Times are UTC; those of counts are local, with their offset. A number that is unknown, or that JSON
cannot hold, is null.
"""

from datetime import datetime
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, Field

from streetloop.cameras.anomaly_parameters import Anomalies
from streetloop.cameras.counting_line import CountingLine
from streetloop.cameras.zones import Corners, Zone
from streetloop.control.alert_views import SinkView
from streetloop.control.versions.rollout_course import GainPointView, RolloutStageView
from streetloop.control.versions.training import TrainingView
from streetloop.counted_classes import ClassGroups
from streetloop.setting_types import Anonymise, Keep

T = TypeVar("T")


class Page(BaseModel, Generic[T]):
    """A part of a longer list, in its order."""

    items: list[T]
    offset: int = Field(ge=0)
    more: bool = Field(description="whether items follow these")


class Frames(BaseModel):
    """Frame accounting of a camera; ``decoded`` is the sum of the other numbers.

    ``reasons`` are those of `docs/concepts.md`, such as ``rate`` and ``still`` of the gated.
    """

    decoded: int = 0
    detected: int = 0
    gated: int = 0
    dropped: int = 0
    failed: int = 0
    pending: int = 0
    reasons: dict[str, int] = {}


class CameraView(BaseModel):
    """A camera: its configuration, and its state now.

    Attributes:
        id: Its id.
        uri: Address of the stream, without credentials.
        city: The group that it belongs to.
        site: The nodes of a Ray cluster that it prefers, see `docs/cluster.md`.
        fps: Frames to analyse a second; None for as many as the detector can take.
        transport: How RTSP carries the stream: ``tcp`` or ``udp``.
        classes: What it counts; None for the classes of the settings.
        record: What is kept of its video: ``off``, ``continuous``, ``motion`` or ``events``.
        audio: Whether its sound is kept, too.
        keep: How long that stays, by class; None for the rules of the settings.
        anonymise: What is blurred in stored pictures; None for what the settings say.
        lines: Counting lines by name, in fractions of the image.
        zones: Parts of the picture by name, in fractions of the image.
        mask: Polygons that are blacked, in fractions of the image.
        anomalies: What is looked for; None for what the zones allow.
        state: ``connecting``, ``live``, ``lost``, ``ended``, ``failed``, or ``stopped`` where no
            stream runs.
        error: Why it is lost or has failed.
        frames: Frame accounting since the start.
        fps_decoded: Frames decoded a second, over the last seconds.
        fps_detected: Frames detected a second, over the last seconds.
        lag_p95_s: 95th percentile of the time from frame to result, in seconds.
        objects: Confirmed tracks since the start.
        objects_by_class: The same by class.
        crossings: Crossings by line and direction since the start.
        slot: The application that answers for it.
        model: Version of the model that answered last.
        faults: Failures beside the stream, one sentence each.
        revision: Stands for its configuration; another one has another.
    """

    id: str
    uri: str
    revision: str = ""
    city: str | None = None
    site: str | None = None
    fps: float | None = None
    transport: str = "tcp"
    classes: ClassGroups | None = None
    record: str = "off"
    audio: bool = False
    keep: Keep | None = None
    anonymise: Anonymise | None = None
    lines: dict[str, CountingLine] = {}
    zones: dict[str, Zone] = {}
    mask: tuple[Corners, ...] = ()
    anomalies: Anomalies | None = None
    state: str = "stopped"
    error: str | None = None
    frames: Frames = Frames()
    fps_decoded: float = 0.0
    fps_detected: float = 0.0
    lag_p95_s: float = 0.0
    objects: int = 0
    objects_by_class: dict[str, int] = {}
    crossings: dict[str, dict[str, int]] = {}
    slot: str | None = None
    model: str | None = None
    faults: list[str] = []


class EventView(BaseModel):
    """An event; ``ended_at`` is null while it lasts."""

    id: int
    kind: str
    camera_id: str | None
    started_at: datetime
    ended_at: datetime | None
    model: str | None
    detail: dict[str, Any]
    cause: str | None = None
    certainty: float | None = None
    coverage: float | None = None
    evidence: list[str] = []
    rule_version: str | None = None
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    comment: str | None = None
    commented_by: str | None = None
    false_at: datetime | None = None
    false_by: str | None = None
    muted: bool = False


class PrecisionView(BaseModel):
    """How often a rule was right at a camera, as far as people said.

    Attributes:
        kind: What the rule finds.
        camera_id: Where.
        rule_version: Which rule.
        events: All its events.
        confirmed: Those that were acknowledged and not marked as false.
        false: Those that were marked as false.
        precision: Share of the confirmed among the judged, 0 to 1; None if none was judged.
    """

    kind: str
    camera_id: str | None
    rule_version: str
    events: int
    confirmed: int
    false: int
    precision: float | None


class FeatureView(BaseModel):
    """The comparison of one drift feature with its reference.

    Attributes:
        enough: False while there are too few values to compare.
        effect_size: Wasserstein distance in spreads of the reference.
        threshold: Effect size from which on the feature alarms.
        statistic: Kolmogorov-Smirnov statistic, 0 to 1.
        p_value: Adjusted for the number of features, 0 to 1.
        change: Difference of the medians, in the feature's unit.
        alarm: Whether the effect is above the threshold and statistically certain.
    """

    enough: bool
    effect_size: float
    threshold: float
    statistic: float | None = None
    p_value: float | None = None
    change: float | None = None
    alarm: bool = False

    @property
    def share(self) -> float:
        """Effect size in thresholds: 1 is an alarm."""
        return self.effect_size / self.threshold if self.threshold > 0 else 0.0


class ReferenceView(BaseModel):
    """What a camera is compared with; ``source`` is null where there is no reference."""

    source: str | None = None
    minutes: int = Field(default=0, description="drift periods that the reference has")


class CauseView(BaseModel):
    """A likely cause of a drift.

    Attributes:
        name: Such as ``night``.
        probability: Null in findings of versions before 0.2.0.
    """

    name: str
    probability: float | None = Field(default=None, ge=0, le=1)


class FindingView(BaseModel):
    """A drift that was found.

    Attributes:
        since: When the change most likely began.
        opened_at: When it was found.
        closed_at: When it was over; None while it lasts.
        causes: The likeliest first.
        model_version: The model that ran.
        asks_for_labels: True if labels help against it, False if a technician does.
    """

    since: datetime
    opened_at: datetime
    closed_at: datetime | None
    causes: list[CauseView]
    model_version: str
    asks_for_labels: bool


class DriftView(BaseModel):
    """Whether a camera differs from its own history.

    Attributes:
        camera_id: Its id.
        state: One word, or a few, for people.
        drifts: Whether a drift is open.
        causes: Of the open drift, the likeliest first.
        evidence: What speaks for each of them, by its name, the strongest first.
        since: When the open drift began.
        until: End of the last drift period that was seen.
        missing_minutes: Drift periods that are missing before anything can be said.
        needed_minutes: How many are needed in all.
        period_s: Length of a drift period in seconds; 60 unless the settings say otherwise.
        reference: What the camera is compared with.
        features: By feature; only those with enough values.
        findings: Every drift that was found, the newest first.
    """

    camera_id: str
    state: str
    drifts: bool
    causes: list[CauseView]
    evidence: dict[str, list[str]] = {}
    since: datetime | None
    until: datetime | None = None
    missing_minutes: int
    needed_minutes: int = 0
    period_s: float = 60.0
    reference: ReferenceView = ReferenceView()
    features: dict[str, FeatureView]
    findings: list[FindingView] = []


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
    model: str = Field(description="the model version that its detections carry")
    champion_scores: dict[str, float] = Field(
        default={}, description="those of the champion of its day, on the same frames"
    )
    thresholds: dict[str, float] = Field(
        default={}, description="confidence from which on a class is shown, where it has its own"
    )
    lacks: list[str] = Field(default=[], description="what other software left out that it needs")
    accepted: bool | None = Field(default=None, description="by the judge; null if it was not judged")
    class_scores: dict[str, float] = Field(default={}, description="mAP50 by class")
    champion_class_scores: dict[str, float] = Field(
        default={}, description="those of the champion of its day, on the same frames"
    )


class LineageView(BaseModel):
    """Where one version comes from.

    Attributes:
        number: The version.
        version: The same; goes with the next version of the API.
        made_at: When it was registered.
        aliases: Such as ``champion``.
        parent: The version that it was fine-tuned from.
        model: The model version that its detections carry.
        model_version: The same; goes with the next version of the API.
        commit: Of the code that trained it.
        trigger: What asked for it.
        verdict: The judge's sentences.
        scores: By name, 0 to 1.
        dataset: Its digest, images, splits, cameras, labelers, reasons and slices; None where it
            was not trained here.
    """

    number: int
    version: int
    made_at: datetime
    aliases: list[str]
    parent: int | None
    model: str
    model_version: str
    commit: str
    trigger: dict[str, Any]
    verdict: list[str]
    scores: dict[str, float]
    dataset: dict[str, Any] | None


class LearningView(BaseModel):
    """A learning run: from a trigger through labels and training to a rollout."""

    id: int
    name: str
    step: str
    trigger: dict[str, Any]
    detail: dict[str, Any]
    training: TrainingView | None = Field(default=None, description="how far it is, while it trains")
    attempts: int
    reason: str | None
    started_at: datetime
    step_at: datetime
    ended_at: datetime | None


class DecisionView(BaseModel):
    """One entry of a rollout's decision log."""

    at: datetime
    action: str
    author: str
    reason: str
    evidence: dict[str, Any]


class RolloutView(BaseModel):
    """A rollout; its decisions, stages and gains only where a single one is asked for."""

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
    wanted: str | None = Field(description="a command that is not carried out yet")
    policy: dict[str, Any] = {}
    evidence: dict[str, Any]
    decisions: list[DecisionView] = []
    stages: list[RolloutStageView] = []
    gains: list[GainPointView] = []


class HealthView(BaseModel):
    """Whether everything runs; ``problems`` says what does not, one sentence each."""

    ok: bool
    cameras: int
    live: int
    model: str | None
    problems: list[str]
    report: bool = Field(default=False, description="whether `GET /report` has a page")
    sinks: list[SinkView] = Field(default=[], description="event sinks and how they fare")
