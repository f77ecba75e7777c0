"""Views of incidents and of the incident report."""

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
    """Learning runs that began in the time.

    Attributes:
        runs: How many.
        promoted: How many of them led to a promotion.
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
