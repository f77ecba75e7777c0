"""Models, and how they are learned."""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from fastapi.responses import FileResponse
from pydantic import BaseModel, ConfigDict, Field

from serve.web.api.cameras import AUTHOR, Limit, Offset
from serve.web.api.problems import problems
from streetloop.control.learning_control import TrainingCheckView
from streetloop.control.port import Control
from streetloop.control.versions.comparison import VersionForm
from streetloop.control.views import LearningView, LineageView, ModelView, Page

_BYTES = "application/octet-stream"

VersionName = Annotated[str, Path(min_length=1, max_length=64, description="number or alias")]


class NewLearning(BaseModel):
    """Where a learning run takes place."""

    model_config = ConfigDict(extra="forbid")

    city: str | None = Field(
        default=None, min_length=1, max_length=100, description="a city that learns by itself; default: all"
    )


def model_file_routes(control: Control) -> APIRouter:
    """The endpoint of a version's files.

    Args:
        control: Answers it.
    """
    routes = APIRouter(responses=problems(_401="token missing or wrong"))

    @routes.get(
        "/models/{version}/file",
        tags=["models"],
        summary="A version as a file; needs an operator",
        response_class=FileResponse,
        responses=problems(_404="no such version, or it has no such file") | {200: {"content": {_BYTES: {}}}},
    )
    def file(
        version: VersionName,
        form: Annotated[VersionForm, Query(description="onnx serves; pt is a checkpoint, a pickle")] = "onnx",
    ) -> FileResponse:
        found = control.version_file(version, form)
        headers = {"x-content-type-options": "nosniff"}
        return FileResponse(found, media_type=_BYTES, filename=found.name, headers=headers)

    return routes


def model_routes(control: Control) -> APIRouter:
    """The endpoints of models.

    Args:
        control: Answers them.
    """
    routes = APIRouter(responses=problems(_401="token missing or wrong"))
    missing = problems(_404="no such version")

    @routes.get("/models", tags=["models"], summary="Versions in the registry, newest first")
    def models(offset: Offset = 0, limit: Limit = 50) -> Page[ModelView]:
        found = control.models()
        return Page(items=found[offset : offset + limit], offset=offset, more=len(found) > offset + limit)

    @routes.get(
        "/models/{version}/lineage", tags=["models"], summary="Where a version comes from", responses=missing
    )
    def lineage(version: VersionName) -> list[LineageView]:
        return control.lineage(version)

    return routes


def learning_routes(control: Control) -> APIRouter:
    """The endpoints of learning runs.

    Args:
        control: Answers them.
    """
    routes = APIRouter(responses=problems(_401="token missing or wrong"))
    conflict = problems(_409="not now; the detail says why")

    @routes.get("/learning", tags=["learning"], summary="Learning runs, newest first")
    def learning(offset: Offset = 0, limit: Limit = 50) -> Page[LearningView]:
        return control.learning(offset, limit)

    @routes.get(
        "/learning/check",
        tags=["learning"],
        summary="What a run would learn from, be judged by and take if it began now",
        responses=conflict | problems(_503="the champion cannot be used, or another check goes on"),
    )
    def check(
        city: Annotated[
            str | None, Query(min_length=1, max_length=100, description="for its cameras alone")
        ] = None,
    ) -> TrainingCheckView:
        return control.check_learning(city)

    @routes.post("/learning", tags=["learning"], status_code=202, summary="Start a run", responses=conflict)
    def learn(wanted: NewLearning | None = None) -> LearningView:
        return control.learn(AUTHOR, None if wanted is None else wanted.city)

    @routes.post(
        "/learning/resume",
        tags=["learning"],
        status_code=202,
        responses=conflict,
        summary="Resume the parked learning run",
    )
    def resume() -> LearningView:
        return control.resume_learning(AUTHOR)

    @routes.post(
        "/learning/drop",
        tags=["learning"],
        responses=conflict,
        summary="End the open learning run without a new model",
    )
    def drop() -> LearningView:
        return control.drop_learning(AUTHOR)

    return routes
