"""The HTTP API. Nothing here knows Ray: whoever mounts it says how to detect."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeAlias

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from fastapi_offline import FastAPIOffline
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException

from serve.access import Guard
from serve.images import MAX_BYTES, decode_image
from serve.limits import BodyLimit
from streetloop.errors import DetectorError, InputRejected, InputTooLarge
from streetloop.types import Detections, Image

DetectImage: TypeAlias = Callable[[Image], Awaitable[tuple[str, Detections]]]
"""Model version and detections of one picture (H, W, 3), blue first, in its pixels."""

_PROBLEM = "application/problem+json"


class Box(BaseModel):
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
    width: int = Field(description="of the picture, in pixels")
    height: int = Field(description="of the picture, in pixels")
    detections: list[Box]


class Problem(BaseModel):
    """What went wrong, as RFC 9457 describes it."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str


class Health(BaseModel):
    """The service is there."""

    status: str = "ok"


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
_PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {
        "description": text,
        "content": {"application/problem+json": {"schema": Problem.model_json_schema()}},
    }
    for status, text in {
        400: "not a picture",
        401: "token missing or wrong",
        413: "too large",
        415: "wrong content type",
        503: "the detector does not answer",
    }.items()
}


def create_api(
    detect: DetectImage, names: tuple[str, ...], confidence: float, token: str | None
) -> FastAPI:
    """The API as an ASGI application.

    Args:
        detect: Detects in one picture.
        names: Class names by class id.
        confidence: Least confidence of a box in an answer.
        token: Bearer token that clients must show, or None.
    """
    api = FastAPIOffline(
        title="streetloop",
        description="Detections of pictures, by the model that watches the cameras.",
        version="1",
    )
    api.add_middleware(BodyLimit, limit_bytes=MAX_BYTES)
    _explain_errors(api)
    guarded = [Depends(Guard(token))]

    @api.get("/health", response_model=Health)
    async def health() -> Health:
        return Health()

    @api.post(
        "/predict",
        response_model=Prediction,
        dependencies=guarded,
        openapi_extra=_PICTURE_BODY,
        responses=_PROBLEMS,
        summary="Detections in one picture",
    )
    async def predict(data: Annotated[bytes, Depends(_picture)]) -> Response:
        image = await run_in_threadpool(decode_image, data)
        version, found = await detect(image)
        height, width = image.shape[:2]
        answer = Prediction(
            model=version, width=width, height=height, detections=_boxes(found, names, confidence)
        )
        # As a response of our own: FastAPI would check and convert it all once more.
        return Response(answer.model_dump_json(), media_type="application/json")

    return api


def _boxes(found: Detections, names: tuple[str, ...], confidence: float) -> list[Box]:
    return [
        Box(class_id=k, class_name=names[k], confidence=c, xyxy=tuple(box))
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
    raise HTTPException(
        415, f"send a picture as image/jpeg, image/png or a form, not {kind or 'nothing'!r}"
    )


def _explain_errors(api: FastAPI) -> None:
    """Every error leaves as a problem document."""

    @api.exception_handler(InputTooLarge)
    async def too_large(_: Request, error: InputTooLarge) -> JSONResponse:
        return problem(413, "Content Too Large", str(error))

    @api.exception_handler(InputRejected)
    async def rejected(_: Request, error: InputRejected) -> JSONResponse:
        return problem(400, "Bad Request", str(error))

    @api.exception_handler(DetectorError)
    async def unavailable(_: Request, error: DetectorError) -> JSONResponse:
        return problem(503, "Service Unavailable", f"the detector does not answer: {error}")

    @api.exception_handler(HTTPException)
    async def http(_: Request, error: HTTPException) -> JSONResponse:
        response = problem(error.status_code, "Request refused", str(error.detail))
        response.headers.update(error.headers or {})
        return response

    @api.exception_handler(Exception)
    async def unexpected(_: Request, error: Exception) -> JSONResponse:
        # The boundary of the service; the server logs the error itself.
        return problem(500, "Internal Server Error", f"the service failed: {type(error).__name__}")

    @api.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        return problem(422, "Unprocessable Content", f"{where}: {first['msg']}")


def problem(status: int, title: str, detail: str) -> JSONResponse:
    """A problem document (RFC 9457)."""
    body = Problem(title=title, status=status, detail=detail).model_dump()
    return JSONResponse(body, status_code=status, media_type=_PROBLEM)
