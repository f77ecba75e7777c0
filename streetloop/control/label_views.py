"""Views of the review queue and its labels."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field


class ReviewBoxView(BaseModel):
    """A box in a frame."""

    class_name: str = Field(alias="class", serialization_alias="class")
    xyxy: tuple[float, float, float, float] = Field(description="left, top, right, bottom, in pixels")
    confidence: float = Field(default=1.0, ge=0, le=1)


class ReviewView(BaseModel):
    """A frame of the review queue."""

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
    url: str | None = Field(default=None, description="where a person can change the answer")
    doubt: str | None = Field(default=None, description="why the label is suspect")
    classes: list[str] = Field(default=[], description="class names of the model that found the boxes")
    asked: list[str] = Field(default=[], description="those of the classes that are asked about")
    boxes: list[ReviewBoxView] = Field(default=[], description="what the model found")
    label: list[ReviewBoxView] | None = Field(default=None, description="the answer; null without one")
    answered_at: datetime | None = None
    dataset: str | None = Field(default=None, description="digest of the last dataset that has the label")


class AnswerIn(BaseModel):
    """What somebody says about a frame.

    Attributes:
        boxes: What is there; none says that nothing is there. Null skips the frame.
        by: Who says so.
    """

    model_config = ConfigDict(extra="forbid")

    boxes: list[ReviewBoxView] | None = Field(max_length=1000)
    by: str = Field(default="app", min_length=1, max_length=60, pattern=r"^[^\x00-\x1f]*$")


class QueueView(BaseModel):
    """The review queue in numbers: frames by state."""

    counts: dict[str, int]
    suspect: int = Field(default=0, ge=0, description="frames that may have another model's class names")
    labeler: str
    url: str | None = Field(description="address of the labeling server, if there is one")
    people: str = Field(default="none", description="who labels what no model labels; app: in the app")
    budget: int = Field(default=0, ge=0, description="frames to choose a day")
    chosen_today: int = Field(default=0, ge=0, description="frames chosen since midnight UTC")


class ExchangeView(BaseModel):
    """What a push to the labeler or a pull from it did, in frames.

    Attributes:
        chosen: Candidates that were chosen first.
        pushed: Handed over.
        answered: Labels that were taken over, new ones and changed ones.
        waiting: Still wait for an answer.
        rejected: Answers that cannot be used, or declined frames.
        refused: Why other frames were left as they are; None if none were.
    """

    chosen: int = Field(default=0, ge=0)
    pushed: int = Field(default=0, ge=0)
    answered: int = Field(default=0, ge=0)
    waiting: int = Field(ge=0)
    rejected: int = Field(default=0, ge=0)
    refused: str | None = Field(default=None, exclude=True)


class LabelProblemView(BaseModel):
    """A frame whose answer is rejected, or in doubt.

    Attributes:
        digest: Of the frame.
        camera: Its camera.
        reason: What is wrong.
        url: Where a person can change the answer; None if unknown.
    """

    digest: str
    camera: str
    reason: str
    url: str | None


class LabelQualityView(BaseModel):
    """A model's precision and recall, measured by what annotators changed.

    Attributes:
        model_version: Whose boxes they were.
        camera: Its id; None for all cameras together.
        class_name: The class, ``class`` in JSON.
        kept: Boxes that were left as they are.
        moved: Boxes that were corrected.
        reclassed: Boxes that got another class.
        removed: False positives.
        added: False negatives.
        precision: 0 to 1; None where nothing was detected.
        recall: 0 to 1; None where there was nothing to detect.
    """

    model_version: str
    camera: str | None
    class_name: str = Field(alias="class")
    kept: int
    moved: int
    reclassed: int
    removed: int
    added: int
    precision: float | None
    recall: float | None


class LabelReportView(BaseModel):
    """Every measured quality, and why frames were left out."""

    items: list[LabelQualityView]
    refused: str | None


class TeacherPrecisionView(BaseModel):
    """How often a teacher's boxes of a class are right, as people checked them.

    Attributes:
        teacher: Version of the model that teaches.
        camera: Its id; None for all cameras together.
        class_name: The class, ``class`` in JSON.
        checked: Boxes that people checked, of the newest 500.
        right: Boxes that they left, or moved a little.
        precision: 0 to 1.
        low: Lower end of its 95 % interval.
        high: Upper end.
        alone: Whether the teacher labels the class without people.
    """

    teacher: str
    camera: str | None
    class_name: str = Field(alias="class")
    checked: int
    right: int
    precision: float
    low: float
    high: float
    alone: bool
