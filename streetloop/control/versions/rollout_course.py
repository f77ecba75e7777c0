"""How far a rollout is, and how its gain came about."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel

StageState = Literal["done", "now", "waits", "skipped", "failed"]


class RolloutStageView(BaseModel):
    """One stage on the way from shadow to promotion.

    Attributes:
        title: ``shadow``, a share of the cameras such as ``25 %``, or ``promoted``.
        share: Share of the cameras that the new version serves, 0 to 1.
        state: ``failed`` where it was rolled back, ``skipped`` where it was promoted past it.
        since: When the stage began; None before.
    """

    title: str
    share: float
    state: StageState
    since: datetime | None = None


class GainPointView(BaseModel):
    """F1 of the new version less that of the champion, as it was known at one moment.

    Attributes:
        at: When (UTC).
        mean: The estimate.
        low: Lower end of its confidence sequence; None while it is unbounded.
        high: Upper end.
        blocks: Blocks of frames that it is the mean of.
    """

    at: datetime
    mean: float
    low: float | None
    high: float | None
    blocks: int
