"""How new models take over."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field

from serve.web.api.cameras import AUTHOR, Limit, Offset
from serve.web.api.problems import problems
from streetloop.control.port import Control
from streetloop.control.views import Page, RolloutView


class NewRollout(BaseModel):
    """Which version is to be tried, and where."""

    model_config = ConfigDict(extra="forbid")

    version: str = Field(min_length=1, max_length=64, description="number or alias")
    city: str | None = Field(default=None, min_length=1, max_length=100)


class Steering(BaseModel):
    """What the open rollout is to do."""

    model_config = ConfigDict(extra="forbid")

    wanted: Literal["pause", "resume", "promote", "roll back"]


def rollout_routes(control: Control) -> APIRouter:
    """The endpoints of rollouts.

    Args:
        control: Answers them.
    """
    routes = APIRouter(tags=["rollouts"], responses=problems(_401="token missing or wrong"))
    missing = problems(_404="no such rollout")
    conflict = problems(_409="not now; the detail says why")
    unknown = problems(_404="no such version")

    @routes.get("/rollouts", summary="Rollouts, newest first")
    def rollouts(offset: Offset = 0, limit: Limit = 50) -> Page[RolloutView]:
        return control.rollouts(offset, limit)

    @routes.get("/rollouts/{number}", summary="One rollout, with its decisions", responses=missing)
    def rollout(number: Annotated[int, Path(ge=1, le=2**31 - 1)]) -> RolloutView:
        return control.rollout(number)

    @routes.post("/rollouts", status_code=202, summary="Start a rollout", responses=conflict | unknown)
    def start(wanted: NewRollout) -> RolloutView:
        return control.start_rollout(wanted.version, wanted.city, AUTHOR)

    @routes.post(
        "/rollouts/steer",
        status_code=202,
        responses=conflict,
        summary="Pause, resume, promote or roll back the open rollout",
    )
    def steer(wanted: Steering) -> RolloutView:
        return control.steer_rollout(wanted.wanted, AUTHOR)

    return routes
