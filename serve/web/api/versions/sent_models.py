"""Models that are sent."""

from typing import Annotated

from fastapi import APIRouter, File, Query, UploadFile

from serve.web.api.problems import problems
from streetloop.control.port import Control
from streetloop.control.views import ModelView


def sent_model_routes(control: Control) -> APIRouter:
    """The endpoint that registers a model.

    Args:
        control: Answers it.
    """
    routes = APIRouter(tags=["models"], responses=problems(_401="token missing or wrong"))

    @routes.post(
        "/models",
        status_code=201,
        summary="Register a detector of one's own: an ONNX file",
        responses=problems(
            _400="no .onnx file, or one that crashes its runtime; a .pt is a pickle, and is not opened",
            _413="too large",
            _422="no detector that runs here, or names that do not fit its classes",
            _503="another one is being registered; Retry-After says when to ask again",
        ),
    )
    def register(
        file: Annotated[UploadFile, File(description="the ONNX file")],
        classes: Annotated[
            str | None,
            Query(max_length=100_000, description="names in the order of the class ids: `car,bus`"),
        ] = None,
    ) -> ModelView:
        return control.register_model(file.file, file.filename or "", classes)

    return routes
