"""Endpoints of labels: which are not used and why, asked anew or trusted."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from serve.web.api.cameras import Limit, Offset
from serve.web.api.problems import problems
from streetloop.control.label_views import LabelProblemView
from streetloop.control.port import Control
from streetloop.control.views import Page

Digest = Annotated[str, Field(pattern="^[0-9a-f]{6,64}$")]


class _Frames(BaseModel):
    """Which frames; the first 6 characters of a digest suffice."""

    model_config = ConfigDict(extra="forbid")

    digests: list[Digest] = Field(default=[], max_length=1000)
    suspect: bool = Field(default=False, description="all suspect frames, too")


class FramesToReopen(_Frames):
    """Frames to ask about again."""

    rejected: bool = Field(default=False, description="all rejected frames, too")


class FramesToConfirm(_Frames):
    """Suspect frames whose labels are trusted as they are."""


class Changed(BaseModel):
    """How many frames were changed."""

    count: int = Field(ge=0)


def label_routes(control: Control) -> APIRouter:
    """The endpoints of labels that are not used.

    Args:
        control: Answers them.
    """
    routes = APIRouter(tags=["labels"], responses=problems(_401="token missing or wrong"))
    unknown = problems(_422="a digest names no such frame, or several")

    @routes.get("/labels/problems", summary="Frames whose answers are not used, with the reason")
    def label_problems(
        rejected: Annotated[bool, Query(description="those without a usable answer")] = True,
        suspect: Annotated[bool, Query(description="those with perhaps another model's names")] = True,
        offset: Offset = 0,
        limit: Limit = 50,
    ) -> Page[LabelProblemView]:
        found = control.label_problems(rejected=rejected, suspect=suspect)
        return Page(items=found[offset : offset + limit], offset=offset, more=len(found) > offset + limit)

    @routes.post("/labels/reopen", summary="Wait for answers to frames again", responses=unknown)
    def reopen(frames: FramesToReopen) -> Changed:
        count = control.reopen_labels(frames.digests, rejected=frames.rejected, suspect=frames.suspect)
        return Changed(count=count)

    @routes.post("/labels/confirm", summary="Trust suspect labels as they are", responses=unknown)
    def confirm(frames: FramesToConfirm) -> Changed:
        return Changed(count=control.confirm_labels(frames.digests, suspect=frames.suspect))

    return routes
