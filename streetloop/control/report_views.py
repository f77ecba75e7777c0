"""Views of incidents, of the incident report and of traces."""

from datetime import datetime

from pydantic import BaseModel, Field


class IncidentView(BaseModel):
    """Events that belong together.

    Attributes:
        id: Its number, which does not change.
        events: Numbers of its events, the oldest first.
        kinds: Kinds of its events.
        cameras: Ids of the cameras that it concerns.
        started_at: Begin of its first event.
        ended_at: End of the last; None while it goes on.
        cause: What was likely the cause.
        certainty: How sure that is.
        done: What was done, one sentence each.
        todo: What is to be done, one sentence each.
        notes: What people wrote about its events.
    """

    id: int
    events: list[int]
    kinds: list[str]
    cameras: list[str]
    started_at: datetime
    ended_at: datetime | None
    cause: str
    certainty: float = Field(ge=0, le=1)
    done: list[str]
    todo: list[str]
    notes: list[str] = []


class SimilarIncident(BaseModel):
    """A past incident beside the one that was asked about."""

    score: float = Field(ge=0, le=1, description="similarity of descriptions and facts")
    method: str = Field(description="how descriptions were compared: `minilm` or `tf-idf`")
    incident: IncidentView


class PastCase(BaseModel):
    """An incident of the report, and the past one that is most like it."""

    incident: int
    like: int
    score: float = Field(ge=0, le=1)
    started_at: datetime
    cause: str
    helps: list[str]


class AnswerView(BaseModel):
    """The answer to a question in plain words.

    Attributes:
        sql: The query that was run.
        columns: Names of its columns.
        rows: What it found, 200 rows at most.
    """

    sql: str
    columns: list[str]
    rows: list[list[str | int | float | None]]


class CameraOutage(BaseModel):
    """How long a camera was lost."""

    camera_id: str
    lost_minutes: float = Field(ge=0)
    outages: int = Field(ge=0)
    availability: float = Field(ge=0, le=1, description="share of the time in which it was not lost")


class CameraDrift(BaseModel):
    """A drift of a camera."""

    camera_id: str
    since: datetime
    until: datetime | None
    cause: str | None
    probability: float | None


class ApiAvailability(BaseModel):
    """How ``POST /predict`` of the app was answered, against a target.

    Attributes:
        requests: How many came.
        failed: How many were answered by an error of the service, 500 to 599.
        availability: Share of the others.
        target: What is aimed at.
        budget_left: Share of the errors that the target allows which is left; less than 0 if there
            were more.
    """

    requests: int = Field(ge=0)
    failed: int = Field(ge=0)
    availability: float = Field(ge=0, le=1)
    target: float
    budget_left: float


class PedestrianRecall(BaseModel):
    """How many of a city's pedestrians a model found, by people's labels of random frames."""

    city: str
    version: str
    people: int = Field(ge=0, description="pedestrians in the labels")
    recall: float = Field(ge=0, le=1)


class RolloutFact(BaseModel):
    """A rollout that was open in the time."""

    id: int
    state: str
    model: str
    champion: str
    started_at: datetime
    ended_at: datetime | None
    reason: str | None


class LearningFacts(BaseModel):
    """Learning runs that were open in the time.

    Attributes:
        runs: How many.
        promoted: How many of them led to a promotion in it.
        promoted_share: The same as a share of those that have ended; None if none has.
        drift_to_promotion_h: Median hours from a run that drift began to its promotion; None
            without one.
        label_to_promotion_h: The same of runs that labels began.
        rollback_h: Median hours from a rollout's begin to its rollback; None without one.
    """

    runs: int = 0
    promoted: int = 0
    promoted_share: float | None = None
    drift_to_promotion_h: float | None = None
    label_to_promotion_h: float | None = None
    rollback_h: float | None = None


class Sentence(BaseModel):
    """A sentence of the report.

    Attributes:
        sentence: The text.
        source: ``template``, or ``model`` where a language model worded it.
        facts: The facts that it is made of, as they are written, by name.
    """

    sentence: str
    source: str
    facts: dict[str, str]


class ReportView(BaseModel):
    """The incident report of a stretch of time.

    Attributes:
        since: Its begin.
        until: Its end.
        incidents: What happened, the newest first.
        counts: Line crossings by camera.
        drift: Drifts that were open in the time.
        rollouts: Rollouts that were open in the time.
        faults: Events by kind.
        labels: Frames of the review queue by state, now; ``answered`` is in the time.
        cameras: How long each camera was lost, the longest first; those that never were are left
            out.
        learning: Learning runs.
        predict: How ``POST /predict`` was answered; None if nobody asked.
        pedestrians: Recall of pedestrians by city and model version, measured until the end.
        similar: Of the newest incidents, the past one that is most like each.
        text: The report in sentences.
        replaced: Sentences of a language model that said what is not in the facts, or none.
        notes: What the report lacks, one sentence each.
    """

    since: datetime
    until: datetime
    incidents: list[IncidentView]
    counts: dict[str, int]
    drift: list[CameraDrift]
    rollouts: list[RolloutFact]
    faults: dict[str, int]
    labels: dict[str, int]
    cameras: list[CameraOutage]
    learning: LearningFacts
    predict: ApiAvailability | None = None
    pedestrians: list[PedestrianRecall] = []
    similar: list[PastCase] = []
    text: list[Sentence] = []
    replaced: int = 0
    notes: list[str] = []


class TracedFrame(BaseModel):
    """A frame on its way from a camera to a dataset.

    Attributes:
        name: ``RUN/CAMERA/NUMBER``, as its logs have it; None if it was not noted.
        digest: SHA-256 of the picture that was kept of it; None if none was.
        camera_id: Its camera.
        captured_at: When it was captured; None if it is in no log.
        fate: ``detected``, ``gated``, ``dropped`` or ``failed``; None where the frame log was not
            asked, or does not have it.
        fate_reason: Why it was not detected.
        model: The model that answered.
        state: How far it has come in the review queue; None if it is not in it.
        reason: What made it a candidate.
        labeler: Who labeled it.
        answered_at: When.
        boxes: How many boxes the label has; None without a label.
        datasets: Digests of the datasets that have its label.
    """

    name: str | None = None
    digest: str | None = None
    camera_id: str
    captured_at: datetime | None = None
    fate: str | None = None
    fate_reason: str | None = None
    model: str | None = None
    state: str | None = None
    reason: str | None = None
    labeler: str | None = None
    answered_at: datetime | None = None
    boxes: int | None = None
    datasets: list[str] = []


class TracedEvent(BaseModel):
    """An event on the way of a frame.

    Attributes:
        id: Its number.
        kind: What it is.
        camera_id: Where.
        started_at: Since when.
        ended_at: Until when.
        link: ``began in the frame``, ``open at the frame`` (the same camera and time), ``asked for
            the training``, or ``asked`` of the event that was asked for.
    """

    id: int
    kind: str
    camera_id: str | None
    started_at: datetime
    ended_at: datetime | None
    link: str


class TracedDataset(BaseModel):
    """A dataset; ``images`` is None where its manifest is gone."""

    digest: str
    images: int | None


class TracedLearning(BaseModel):
    """A learning run."""

    id: int
    step: str
    because: str | None
    version: int | None


class TracedVersion(BaseModel):
    """A version of the registry."""

    number: int
    aliases: list[str]
    model: str
    parent: int | None
    dataset: str | None
    accepted: bool | None


class TracedRollout(BaseModel):
    """A rollout; ``reason`` is that of its newest decision."""

    id: int
    state: str
    model: str
    champion: str
    reason: str | None


class TraceView(BaseModel):
    """The way of a frame, from whatever of it was asked for.

    Attributes:
        asked: What was asked for, as ``KIND:ID``.
        frames: Frames, the oldest first, 100 at most.
        more_frames: How many more there are.
        events: Events that are of the frames, the oldest first.
        datasets: Datasets that have their labels.
        learning: Learning runs that trained with them.
        versions: Versions that were trained with them, the oldest first.
        rollouts: Rollouts of these versions, the oldest first.
        gaps: What is in no log, one sentence each.
    """

    asked: str
    frames: list[TracedFrame] = []
    more_frames: int = 0
    events: list[TracedEvent] = []
    datasets: list[TracedDataset] = []
    learning: list[TracedLearning] = []
    versions: list[TracedVersion] = []
    rollouts: list[TracedRollout] = []
    gaps: list[str] = []
