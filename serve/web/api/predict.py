"""The endpoint that detects in one picture."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeAlias

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException

from serve.web.api.problems import problems
from serve.web.uploads import decode_upload
from streetloop.errors import InputRejected
from streetloop.types import Detections, Image

DetectImage: TypeAlias = Callable[[Image], Awaitable[tuple[str, Detections]]]
"""Model version and detections of one picture (H, W, 3), blue first, in its pixels."""


class BoxView(BaseModel):
    """One detection."""

    class_id: int = Field(ge=0)
    class_name: str
    confidence: float = Field(ge=0, le=1)
    xyxy: tuple[float, float, float, float] = Field(
        description="left, top, right, bottom in pixels of the picture"
    )


class Prediction(BaseModel):
    """What was found in a picture."""

    model: str = Field(description="version of the model that answered")
    width: int = Field(description="width of the picture in pixels")
    height: int = Field(description="height of the picture in pixels")
    detections: list[BoxView]


_PICTURE_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "image/*": {"schema": {"type": "string", "format": "binary"}},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {"image": {"type": "string", "format": "binary"}},
                    "required": ["image"],
                }
            },
        },
    }
}
_PROBLEMS = problems(
    _400="not a picture",
    _401="token missing or wrong",
    _413="too large",
    _415="wrong content type",
    _503="the detector does not answer",
)


def predict_route(detect: DetectImage, names: tuple[str, ...], confidence: float) -> APIRouter:
    """Detections of a picture that is sent.

    Args:
        detect: Detects in one picture.
        names: Class names by class id.
        confidence: Least confidence of a box in an answer.
    """
    routes = APIRouter(tags=["predict"])

    @routes.post(
        "/predict",
        response_model=Prediction,
        openapi_extra=_PICTURE_BODY,
        responses=_PROBLEMS,
        summary="Detections in one picture",
    )
    async def predict(data: Annotated[bytes, Depends(_picture)]) -> Response:
        image = await run_in_threadpool(decode_upload, data)
        version, found = await detect(image)
        height, width = image.shape[:2]
        answer = Prediction(
            model=version, width=width, height=height, detections=_boxes(found, names, confidence)
        )
        # As a response of our own: FastAPI would check and convert it all once more.
        return Response(answer.model_dump_json(), media_type="application/json")

    return routes


def _boxes(found: Detections, names: tuple[str, ...], confidence: float) -> list[BoxView]:
    return [
        BoxView(class_id=k, class_name=names[k], confidence=c, xyxy=tuple(box))
        for box, c, k in zip(
            found.xyxy.tolist(), found.confidence.tolist(), found.class_id.tolist(), strict=True
        )
        if c >= confidence
    ]


async def _picture(request: Request) -> bytes:
    """The bytes of the picture, from the body itself or from the first file of a form."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind.startswith("image/") or kind == "application/octet-stream":
        return await request.body()
    if kind == "multipart/form-data":
        try:
            form = await request.form(max_files=1, max_fields=10)
        except (MultiPartException, HTTPException) as error:
            raise InputRejected(f"the form cannot be read: {error}") from error
        for value in form.values():
            if isinstance(value, UploadFile):
                return await value.read()
        raise InputRejected("the form has no file; send the picture as the field 'image'")
    raise HTTPException(415, f"send a picture as image/jpeg, image/png or a form, not {kind or 'nothing'!r}")
